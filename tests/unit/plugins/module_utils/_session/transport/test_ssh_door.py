# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that lets one session in: what it allows, when it goes, and that nothing else of the file does."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import time
import typing as t

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import Host

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import ssh_door, sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import (
    Account,
    KeysFileUnsafe,
    change,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import RECORD, Door, KeyInvalid, tidy
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import make_credentials
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

__all__ = ["make_site"]

ME = Account(os.geteuid(), os.getegid())
SESSION = "0123456789abcdef"
KEY = make_credentials("a").with_ssh_key().ssh_public_key or ""
_TIDY = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import tidy
tidy(*sys.argv[2:])
"""
THEIRS = '# keys of people\nssh-ed25519 AAAA alice\nfrom="10.0.0.1" ssh-ed25519 AAAA backup dom0-xen:not-ours'


@pytest.fixture(name="keys")
def make_keys(tmp_path: pathlib.Path) -> pathlib.Path:
    """An authorized_keys with lines of people, the last one without its newline."""
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    path = folder / "authorized_keys"
    path.write_text(THEIRS)
    path.chmod(0o640)
    return path


def door(keys: pathlib.Path, session: str = SESSION, *further: str) -> Door:
    """A door of this process; ``further`` files are read by sshd too."""
    root, journal = keys.parent.parent / "run", keys.parent.parent / "journals" / f"{session}.receiver"
    root.mkdir(mode=0o700, exist_ok=True)
    journal.mkdir(mode=0o700, exist_ok=True, parents=True)
    return Door(sshd.Sshd((), str(keys), ME, further), str(root), str(journal), session, KEY)


def tidied(keys: pathlib.Path) -> None:
    """Tidy up as the host does that the door was of."""
    tidy(str(keys.parent.parent / "run"), str(keys.parent.parent / "journals"))


def recorded(keys: pathlib.Path) -> list[str]:
    """The sessions that say where they have a line: in memory, and on the disk."""
    memory = os.listdir(keys.parent.parent / "run" / "ssh-doors")
    disk = [path.parent.stem for path in (keys.parent.parent / "journals").glob(f"*/{RECORD}")]
    return sorted([*memory, *disk])


def test_a_door(keys: pathlib.Path) -> None:
    """Open, it is one line that allows one port and is forgotten within a day; closed, there is nothing of it."""
    one = door(keys)
    one.open(49152)
    line = keys.read_text().splitlines()[-1]
    assert keys.read_text().startswith(THEIRS + "\n")
    for option in (
        "restrict,",
        'permitopen="127.0.0.1:49152"',
        'permitlisten="127.0.0.1:49152"',
        'command="/bin/false"',
    ):
        assert option in line
    expiry = line.partition('expiry-time="')[2].partition('"')[0]
    left = time.mktime(time.strptime(expiry, "%Y%m%d%H%M%S")) - time.time()
    assert 23 * 3600 < left <= 25 * 3600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o640
    one.close()
    assert keys.read_text() == THEIRS + "\n"
    assert os.listdir(keys.parent) == ["authorized_keys"] and recorded(keys) == []
    one.close()


def test_sshd_takes_every_option(tmp_path: pathlib.Path) -> None:
    """What sshd does not understand makes it leave out the line; it says so to whoever looks at the file."""
    keys = tmp_path / "ssh" / "authorized_keys"
    one = door(keys)
    one.open(49152)
    options, dummy, rest = keys.read_text().strip().partition(" ssh-ed25519 ")
    assert rest
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(keys)], capture_output=True, text=True, check=True)
    assert "ED25519" in done.stdout and "restrict" in options
    one.close()


def test_what_was_made_for_it_goes_with_it(tmp_path: pathlib.Path) -> None:
    """An account without any keys has none afterwards; while the door is open the file is the account's alone."""
    keys = tmp_path / "ssh" / "authorized_keys"
    one = door(keys)
    one.open(1)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600 and stat.S_IMODE(keys.parent.stat().st_mode) == 0o700
    one.close()
    assert not keys.parent.exists()


def test_renewal(keys: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move may take days, and its connection may break on the last of them."""
    one = door(keys)
    one.open(49152)
    before = keys.read_text()
    now = time.time()
    one.tend(lost=True)
    assert keys.read_text() == before
    monkeypatch.setattr(ssh_door, "RENEWAL_S", 0.0)
    one.open(49152)
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    one.tend(lost=False)
    assert keys.read_text() != before and keys.read_text().count(SESSION) == 1
    one.close()
    assert keys.read_text() == THEIRS + "\n"


def test_a_line_that_somebody_takes_out(keys: pathlib.Path) -> None:
    """It is put back when the sender has to come in again, with the keys that people have by then; not before."""
    one, two = door(keys), door(keys, "f" * 16)
    one.open(1)
    two.open(2)
    line = keys.read_text().splitlines()[-2]
    keys.write_text(f"# {line}\nssh-ed25519 AAAA bob\n")
    one.tend(lost=False)
    assert keys.read_text() == f"# {line}\nssh-ed25519 AAAA bob\n"
    one.tend(lost=True)
    assert keys.read_text() == f"ssh-ed25519 AAAA bob\n{line}\n"
    keys.unlink()
    one.tend(lost=True)
    assert keys.read_text() == f"{line}\n"
    one.close()
    one.tend(lost=True)
    assert keys.read_text() == ""


def test_two_sessions(keys: pathlib.Path) -> None:
    """Each takes its own line away."""
    one, two = door(keys), door(keys, "f" * 16)
    one.open(1)
    two.open(2)
    one.close()
    assert SESSION not in keys.read_text() and "f" * 16 in keys.read_text()
    two.close()
    assert keys.read_text() == THEIRS + "\n"


def left_over(keys: pathlib.Path, *further: str) -> None:
    """Let a process open a door and be killed."""
    code = (
        "import os, pathlib, sys; "
        "from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport import"
        " test_ssh_door as here; here.door(pathlib.Path(sys.argv[1]), 'e' * 16, *sys.argv[2:]).open(7);"
        " os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code, str(keys), *further], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert "e" * 16 in pathlib.Path(further[-1] if further else keys).read_text()


def test_what_a_killed_one_has_left(keys: pathlib.Path) -> None:
    """The next door clears it away, and so does whoever tidies up; a door that is open stays."""
    left_over(keys)
    one = door(keys)
    one.open(1)
    assert "e" * 16 not in keys.read_text()
    left_over(keys)
    tidied(keys)
    assert "e" * 16 not in keys.read_text() and SESSION in keys.read_text()
    assert recorded(keys) == [SESSION, SESSION]
    one.close()
    left_over(keys)
    keys.unlink()
    tidied(keys)
    assert recorded(keys) == [] and not keys.exists()


def test_what_a_killed_one_has_made(keys: pathlib.Path) -> None:
    """A file that was not there before goes with it, and its folder; one with keys in it by then stays."""
    second = keys.with_name("authorized_keys2")
    real = keys.rename(keys.parent.parent / "managed")
    keys.symlink_to(real)
    left_over(keys, str(second))
    tidied(keys)
    assert not second.exists() and keys.is_symlink() and real.read_text() == THEIRS
    left_over(keys, str(second))
    second.write_text(second.read_text() + THEIRS)
    tidied(keys)
    assert second.read_text() == THEIRS + "\n"
    left_over(keys.parent.parent / "made" / "authorized_keys")
    tidied(keys)
    assert not (keys.parent.parent / "made").exists() and recorded(keys) == []


def test_a_home_that_hosts_share(keys: pathlib.Path) -> None:
    """Whether a process of another host runs cannot be seen from here: its line stays, until sshd has forgotten it."""
    left_over(keys)
    dead = keys.read_text().splitlines()[-1]
    now = time.time()
    theirs = dead.replace(_procfs.boot_id(), "01234567-89ab-cdef-0123-456789abcdef")
    assert theirs != dead

    def expired(days: float) -> str:
        then = time.strftime("%Y%m%d%H%M%S", time.localtime(now - days * 86400))
        return re.sub('expiry-time="[0-9]+"', f'expiry-time="{then}"', theirs)

    stay = [*THEIRS.splitlines(), theirs, expired(1.5), theirs.replace('expiry-time="2', 'expiry-time="9999')]
    keys.write_text("\n".join([*stay, dead, expired(2.5)]) + "\n")
    tidied(keys)
    assert keys.read_text().splitlines() == stay
    one = door(keys)
    one.open(1)
    assert keys.read_text().splitlines()[:-1] == stay
    one.close()
    assert keys.read_text().splitlines() == stay


def test_what_an_earlier_boot_of_this_host_has_left(keys: pathlib.Path) -> None:
    """Its line goes, by what stands beside its journal; that of another host's session, not on record here, stays."""
    left_over(keys)
    (keys.parent.parent / "run" / "ssh-doors" / ("e" * 16)).unlink()
    boot, earlier = _procfs.boot_id(), "01234567-89ab-cdef-0123-456789abcdef"
    dead = keys.read_text().splitlines()[-1].replace(boot, earlier)
    others = dead.replace("e" * 16, "d" * 16)
    keys.write_text(f"{THEIRS}\n{dead}\n{others}\n")
    record = keys.parent.parent / "journals" / f"{'e' * 16}.receiver" / RECORD
    record.write_text(record.read_text().replace(boot, earlier))
    tidied(keys)
    assert keys.read_text() == f"{THEIRS}\n{others}\n"
    assert recorded(keys) == []


EARLIER = "01234567-89ab-cdef-0123-456789abcdef"
NO_BOOT: list[dict[str, t.Any]] = [{}, {"boot_id": None}, {"boot_id": ""}, {"boot_id": "01234567-89ab"}]
NO_PROCESS: dict[str, t.Any] = {"pid": None, "started": None, "made": None}


def recorded_as(keys: pathlib.Path, session: str, document: dict[str, t.Any]) -> list[pathlib.Path]:
    """Write anew what a session says of where it has a line, in memory and on the disk."""
    paths = [
        keys.parent.parent / "run" / "ssh-doors" / session,
        keys.parent.parent / "journals" / f"{session}.receiver" / RECORD,
    ]
    known = json.loads(paths[0].read_text())
    del known["boot_id"]
    for path in paths:
        path.write_text(json.dumps({**known, **document}))
    return paths


@pytest.mark.parametrize("process", [{}, NO_PROCESS], ids=["process", "nothing"])
@pytest.mark.parametrize("boot", [*NO_BOOT, {"boot_id": _procfs.boot_id()}])
def test_a_record_without_its_boot_takes_no_living_line(
    keys: pathlib.Path, boot: dict[str, t.Any], process: dict[str, t.Any]
) -> None:
    """Its process, or else its line, tells that the session lives: it must be able to come in again."""
    one = door(keys)
    one.open(1)
    before = keys.read_text()
    recorded_as(keys, SESSION, {**boot, **process})
    tidied(keys)
    assert keys.read_text() == before and recorded(keys) == [SESSION, SESSION]
    # As an older one wrote it, which could not read its boot either.
    keys.write_text(before.replace(_procfs.boot_id(), ""))
    tidied(keys)
    assert keys.read_text() == before.replace(_procfs.boot_id(), "") and recorded(keys) == [SESSION, SESSION]
    one.close()
    assert keys.read_text() == THEIRS + "\n" and recorded(keys) == []


@pytest.mark.parametrize("line", [EARLIER, "", None], ids=["earlier", "unread", "now"])
@pytest.mark.parametrize("process", [{}, NO_PROCESS], ids=["process", "nothing"])
@pytest.mark.parametrize("boot", NO_BOOT)
def test_a_record_without_its_boot_takes_a_dead_line(
    keys: pathlib.Path, boot: dict[str, t.Any], process: dict[str, t.Any], line: str | None
) -> None:
    """After the host was restarted, or the process killed: it is this host's; that of another host's session stays."""
    left_over(keys)
    dead = keys.read_text().splitlines()[-1].replace(_procfs.boot_id(), _procfs.boot_id() if line is None else line)
    others = dead.replace("e" * 16, "d" * 16).replace(_procfs.boot_id(), EARLIER)
    keys.write_text(f"{THEIRS}\n{dead}\n{others}\n")
    in_memory, dummy = recorded_as(keys, "e" * 16, {**boot, **process})
    if line is not None:
        in_memory.unlink()
    tidied(keys)
    assert keys.read_text() == f"{THEIRS}\n{others}\n" and recorded(keys) == []


def test_a_record_that_is_none(keys: pathlib.Path) -> None:
    """Whoever has written it: nothing is taken out by it, and it is in nobody's way."""
    one = door(keys)
    one.open(1)
    before = keys.read_text()
    folder = keys.parent.parent / "journals" / f"{'d' * 16}.receiver"
    folder.mkdir()
    for text in ("", "[]", "{}", '{"boot_id": "x", "pid": 1, "started": 1, "made": 7}', '{"boot_id": "x"}'):
        (folder / RECORD).write_text(text)
        tidied(keys)
        assert keys.read_text() == before and (folder / RECORD).exists()
    one.close()


def test_half_a_write_of_another_host(keys: pathlib.Path) -> None:
    """It is neither taken for one's own nor in the way."""
    theirs = keys.parent / ".authorized_keys.dom0-xen-01234567-89ab-cdef-0123-456789abcdef"
    theirs.write_text("half")
    one = door(keys)
    one.open(1)
    one.close()
    assert theirs.read_text() == "half" and keys.read_text() == THEIRS + "\n"


def test_a_folder_that_somebody_keeps_locked(keys: pathlib.Path) -> None:
    """Whoever can open it can do that; nobody tidies up then, and nobody waits for it for long."""
    left_over(keys)
    folder = os.open(keys.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        tidied(keys)
        assert "e" * 16 in keys.read_text() and recorded(keys) == ["e" * 16] * 2
    finally:
        os.close(folder)
    tidied(keys)
    assert "e" * 16 not in keys.read_text() and recorded(keys) == []


def test_a_write_that_was_killed_is_no_hindrance(keys: pathlib.Path) -> None:
    """Its half is cleared away, and was never the file."""
    (keys.parent / f".authorized_keys.dom0-xen-{_procfs.boot_id()}").write_text("half")
    one = door(keys)
    one.open(1)
    one.close()
    assert os.listdir(keys.parent) == ["authorized_keys"]


def unsafe(keys: pathlib.Path, word: str) -> None:
    """The door stays shut with a remedy, and nothing was written."""
    before = keys.read_bytes() if keys.is_file() else None
    with pytest.raises(KeysFileUnsafe) as caught:
        door(keys).open(1)
    assert word in caught.value.message and str(keys.parent) in caught.value.message and caught.value.remedy
    assert (keys.read_bytes() if keys.is_file() else None) == before


def test_files_that_are_left_alone(keys: pathlib.Path) -> None:
    """A link could lead anywhere, and what others write to is theirs as much as the account's."""
    keys.chmod(0o660)
    unsafe(keys, "written by others")
    keys.chmod(0o600)
    keys.parent.chmod(0o770)
    unsafe(keys, "written by others")
    keys.parent.chmod(0o700)
    os.link(keys, keys.parent / "hard")
    unsafe(keys, "no plain file")
    (keys.parent / "hard").unlink()
    elsewhere = keys.rename(keys.parent / "elsewhere")
    keys.symlink_to(elsewhere)
    unsafe(keys, "symbolic link")
    keys.unlink()
    keys.mkdir()
    unsafe(keys, "no plain file")
    keys.rmdir()
    os.mkfifo(keys)
    unsafe(keys, "no plain file")
    keys.unlink()
    link = keys.parent.parent / "link"
    link.symlink_to(keys.parent)
    unsafe(link / "authorized_keys", "symbolic link")


def test_a_file_of_somebody_else(keys: pathlib.Path) -> None:
    """Neither root's nor the account's."""
    with pytest.raises(KeysFileUnsafe):
        add(keys, Account(54321, 54321)) if os.geteuid() else _of_another(keys)
    assert keys.read_text() == THEIRS


def _of_another(keys: pathlib.Path) -> None:
    os.chown(keys, 12345, 12345)
    add(keys, ME)


def add(keys: pathlib.Path, account: Account) -> None:
    """Add a line to the file of an account."""
    change(str(keys), account, lambda lines: [*lines, b"x"], str(keys.parent.parent))


def test_the_second_file_where_the_first_is_not_ours_to_change(keys: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A link that a tool looks after, say. sshd reads both; nothing is left of what was made."""
    real = tmp_path / "managed"
    keys.rename(real)
    keys.symlink_to(real)
    second = keys.with_name("authorized_keys2")
    one = door(keys, SESSION, str(second))
    one.open(49152)
    assert SESSION in second.read_text() and real.read_text() == THEIRS
    second.write_text("")
    one.tend(lost=True)
    assert SESSION in second.read_text()
    one.close()
    assert not second.exists() and keys.is_symlink() and real.read_text() == THEIRS


def test_what_is_wrong_with_the_first_file_is_told(keys: pathlib.Path) -> None:
    """Where none can be changed: that is the one that people know."""
    keys.chmod(0o666)
    second = keys.with_name("authorized_keys2")
    second.symlink_to(keys)
    one = door(keys, SESSION, str(second))
    with pytest.raises(KeysFileUnsafe, match="can be written by others"):
        one.open(1)
    assert recorded(keys) == []


# On small file systems of its own, which are full: the one with the account's folder, or that with the journals.
FULL = """
mount -t tmpfs -o size=64k,mode=700 none "$0" || exit 1
cat /dev/zero > "$0/zeros" 2> /dev/null
"$@"
ls -A "$0"
"""
_OPEN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import Account
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import Door
keys, root, journal, session, key = sys.argv[2:]
try:
    Door(sshd.Sshd((), keys, Account(os.geteuid(), os.getegid())), root, journal, session, key).open(1)
except Dom0XenError as exc:
    print(exc.code, exc.message, exc.remedy, sep="\\n")
"""


@pytest.mark.skipif(not namespaces(), reason="needs a file system of its own (root, unshare)")
@pytest.mark.parametrize(("full", "code"), [("ssh", "ssh_keys_file_unsafe"), ("journals", "ssh_door_unrecorded")])
def test_full_disk(keys: pathlib.Path, full: str, code: str) -> None:
    """Nobody is let in, the message says where there is no room, and nothing is left, on disk or in memory."""
    top = keys.parent.parent
    place, journal = top / full, top / "journals" / f"{SESSION}.receiver"
    for folder in (top / "run", journal):
        folder.mkdir(mode=0o700, parents=True)
    alone = ["unshare", "--mount", "sh", "-c", FULL, str(place)]
    asked = [sys.executable, "-c", _OPEN, str(COLLECTIONS), str(keys), str(top / "run"), str(journal), SESSION, KEY]
    done = subprocess.run([*alone, *asked], capture_output=True, text=True, check=True)
    told, message, remedy, *left = done.stdout.splitlines()
    assert told == code and "No space left on device" in message
    assert str(place) in message + remedy and "ake room" in remedy
    # The journal's own folder is made before this, by whoever starts the receiver.
    assert {*left} - {journal.name} == {"zeros"} and recorded(keys) == []


def test_keys_that_are_none(keys: pathlib.Path) -> None:
    """Nothing but a key gets into the file: neither options before it nor a line behind it."""
    for key in ("", 'command="x" ' + KEY, KEY + "\nssh-ed25519 AAAA", KEY + " comment", "ssh-rsa AAAA"):
        with pytest.raises(KeyInvalid):
            Door(sshd.Sshd((), str(keys), ME), str(keys.parent), str(keys.parent), SESSION, key)


def test_what_sshd_says(tmp_path: pathlib.Path) -> None:
    """Its host keys and its AuthorizedKeysFile, with the tokens replaced."""
    server = Sshd(tmp_path / "sshd", "AuthorizedKeysFile %h/keys.d/%u-%U-100%% /nowhere")
    seen = sshd.look(subprocess_runner(20.0), server.user, str(server.config))
    assert seen.host_keys == (server.host_key,)
    home = os.path.expanduser("~" + server.user)
    assert seen.keys_file == f"{home}/keys.d/{server.user}-{os.getuid()}-100%"
    assert seen.further_files == ("/nowhere",)
    assert seen.account == ME


def test_an_sshd_that_is_of_no_use(tmp_path: pathlib.Path) -> None:
    """Each with what is wrong: no such account, no such configuration, no keys file, no host key to know it by."""
    server = Sshd(tmp_path / "sshd")
    run = subprocess_runner(20.0)
    with pytest.raises(sshd.SshdUnusable, match="no account nobody-here"):
        sshd.look(run, "nobody-here", str(server.config))
    with pytest.raises(sshd.SshdUnusable, match="No such file"):
        sshd.look(run, server.user, str(tmp_path / "nowhere"))
    with pytest.raises(sshd.SshdUnusable, match="without any AuthorizedKeysFile"):
        none = Sshd(tmp_path / "none", "AuthorizedKeysFile none")
        sshd.look(run, server.user, str(none.config))
    (server.folder / "host_key.pub").unlink()
    with pytest.raises(sshd.SshdUnusable, match="no public host key"):
        sshd.look(run, server.user, str(server.config))


@pytest.fixture(name="host")
def one_host(make_site: MakeSite) -> Host:  # noqa: F811  # pytest finds fixtures by their names
    """A host without guests."""
    return make_site("xen2")["xen2"]


def ssh_options(server: Sshd) -> dict[str, t.Any]:
    """What a receiver is told that is reached through it."""
    return {
        "transport": "ssh",
        "ssh_user": server.user,
        "ssh_public_key": KEY,
        "sshd_config": str(server.config),
        # It is not asked where to listen.
        "listen_address": "0.0.0.0",  # noqa: S104
    }


def test_a_receiver_behind_sshd(host: Host, tmp_path: pathlib.Path) -> None:
    """It listens for this host alone, its door is open as long as it runs, and a kill leaves nothing for long."""
    server = Sshd(tmp_path / "sshd")
    running = receiving.start(host, **ssh_options(server))
    assert running.address == "127.0.0.1" and running.listening() == {f"0100007F:{running.port:04X}"}
    assert f'permitopen="127.0.0.1:{running.port}"' in server.authorized_keys.read_text()
    os.kill(running.pid, signal.SIGTERM)
    running.result()
    assert not server.authorized_keys.exists()


def test_a_receiver_whose_line_is_taken_out(host: Host, tmp_path: pathlib.Path) -> None:
    """After a commit the sender comes again for ever, and the guest stands still until it is let in."""
    server = Sshd(tmp_path / "sshd")
    running = receiving.start(host, **ssh_options(server))
    server.authorized_keys.write_text("# written anew\n")
    deadline = time.monotonic() + 20
    while f'permitopen="127.0.0.1:{running.port}"' not in server.authorized_keys.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGTERM)
    running.result()
    assert server.authorized_keys.read_text() == "# written anew\n"


def test_a_receiver_that_is_killed(host: Host, tmp_path: pathlib.Path) -> None:
    """Its line allows what nobody listens on any more, and goes with whatever is started, settled or cancelled next."""
    server = Sshd(tmp_path / "sshd")
    running = receiving.start(host, **ssh_options(server))
    os.kill(running.pid, signal.SIGKILL)
    while os.path.exists(f"/proc/{running.pid}/exe"):
        time.sleep(0.01)
    assert receiving.SESSION in server.authorized_keys.read_text()
    tidied_there(running)
    assert not server.authorized_keys.exists()


def tidied_there(running: receiving.Running) -> None:
    """Tidy up on the host, since this process is of another boot, as far as the double is concerned."""
    host, roots = running.host, (str(running.runtime.parent), str(running.journal.parent))
    done = host.run(f"{host.paths.bin}/python3", "-c", _TIDY, str(COLLECTIONS), *roots)
    assert done.status == 0, done.stderr


def test_a_host_that_loses_its_power(host: Host, tmp_path: pathlib.Path) -> None:
    """Whoever comes next on it finds the line, though nothing in memory tells of it any more."""
    server = Sshd(tmp_path / "sshd")
    server.authorized_keys.write_text("# of somebody else\n")
    running = receiving.start(host, **ssh_options(server))
    assert receiving.SESSION in server.authorized_keys.read_text()
    host.power_cycle()
    assert receiving.SESSION in server.authorized_keys.read_text() and not running.runtime.parent.exists()
    running.runtime.parent.mkdir(mode=0o700)
    tidied_there(running)
    assert server.authorized_keys.read_text() == "# of somebody else\n"
    assert not (running.journal / RECORD).exists()


def test_a_receiver_whose_door_stays_shut(host: Host, tmp_path: pathlib.Path) -> None:
    """The launch fails with the reason, before anybody touches the guest, and nothing listens."""
    server = Sshd(tmp_path / "sshd")
    server.authorized_keys.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AssertionError, match="symbolic link"):
        receiving.start(host, **ssh_options(server))
    assert not (tmp_path / "elsewhere").exists()
    deadline = time.monotonic() + 20
    while host.left_over():
        assert time.monotonic() < deadline
        time.sleep(0.05)
