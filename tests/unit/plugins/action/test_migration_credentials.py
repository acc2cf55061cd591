# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys reach the host through standard input, and nothing else ever sees them."""

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import subprocess
import time
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook, Run

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(300)

SESSION = "0123456789abcdef"

# Stands in for sudo where a password is asked for: the prompt on standard error, the password read byte by byte.
SUDO = """#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -p) shift; prompt=$1;;
    -u) shift;;
    -*) ;;
    *) break;;
  esac
  shift
done
printf '%s' "$prompt" >&2
IFS= read -r answer
[ "$answer" = 'open sesame' ] || { echo 'Sorry, try again.' >&2; exit 1; }
exec "$@"
"""


def present(runtime_path: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    """Return the task that makes the sender's credentials."""
    arguments = {"role": "sender", "runtime_path": str(runtime_path), **options}
    return {"name": "Make credentials", "dom0.xen.migration_credentials": arguments, "register": "result"}


def key_lines(folder: pathlib.Path) -> list[str]:
    """Return the secret lines of the key that arrived."""
    return [line for line in (folder / "key.pem").read_text().splitlines() if not line.startswith("-----")]


def look_for_key(run: Run, playbook: Playbook, folder: pathlib.Path) -> list[str]:
    """Return every place in which a line of the key was seen: log, results, command lines, any file of the run."""
    places = {"log": run.log, "result": str(run.results), "command line": "\n".join(run.command_lines)}
    for path in playbook.folder.rglob("*"):
        if path.is_file():
            places[str(path)] = path.read_text(errors="replace")
    return [place for place, text in places.items() for line in key_lines(folder) if line in text]


def check_arrived(run: Run, folder: pathlib.Path) -> None:
    """Fail unless key and certificate lie there, belong together, and are closed to others."""
    assert run.rc == 0, run.log[-3000:]
    key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    assert certificate == x509.load_pem_x509_certificate(run.results["certificate"].encode())
    assert certificate.public_key() == key.public_key()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, *sorted(folder.iterdir()))]
    assert modes == [0o700, 0o700, 0o600, 0o600]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("become", ["none", "another user", "with password"])
def test_nothing_but_the_hosts_memory_sees_the_key(
    playbook: Playbook, runtime_path: pathlib.Path, become: str, pipelining: bool
) -> None:
    """At -vvvvv with debugging on, with kept temporary files, in every command line: no line of the key."""
    playbook.host["ansible_pipelining"] = pipelining
    if become == "another user":
        if os.geteuid() != 0 or shutil.which("sudo") is None:
            pytest.skip("needs root and sudo")
        playbook.folder.chmod(0o755)
        playbook.host.update(ansible_become=True, ansible_become_user="nobody")
    elif become == "with password":
        sudo = playbook.folder / "sudo"
        sudo.write_text(SUDO)
        sudo.chmod(0o755)
        playbook.host.update(
            ansible_become=True,
            ansible_become_exe=str(sudo),
            ansible_become_password="open sesame",
            ansible_user="somebody",
        )
        playbook.environment["ANSIBLE_BECOME_ALLOW_SAME_USER"] = "1"
    run = playbook.run(present(runtime_path, session=SESSION))
    folder = runtime_path / f"{SESSION}.sender"
    check_arrived(run, folder)
    assert key_lines(folder)
    assert look_for_key(run, playbook, folder) == []


@pytest.mark.parametrize("pipelining", [True, False])
def test_over_ssh_nothing_sees_the_key(
    playbook: Playbook, runtime_path: pathlib.Path, sshd: dict[str, t.Any], pipelining: bool
) -> None:
    """The same through the connection that everybody uses."""
    playbook.host.update(sshd, ansible_connection="ssh", ansible_pipelining=pipelining)
    run = playbook.run(present(runtime_path, session=SESSION))
    folder = runtime_path / f"{SESSION}.sender"
    check_arrived(run, folder)
    assert look_for_key(run, playbook, folder) == []


def test_a_forced_terminal_is_refused(playbook: Playbook, runtime_path: pathlib.Path, sshd: dict[str, t.Any]) -> None:
    """A terminal echoes its input, and ansible logs what comes back."""
    playbook.host.update(sshd, ansible_connection="ssh")
    playbook.host["ansible_ssh_common_args"] += " -tt"
    run = playbook.run({**present(runtime_path, session=SESSION), "ignore_errors": True})
    assert run.results["code"] == "secret_not_sendable"
    assert not runtime_path.exists()


def test_a_session_is_made_used_once_and_removed(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """A second key for the same session would part the two sides; removing twice is no change."""
    absent = present(runtime_path, session="{{ one.session }}", state="absent")
    run = playbook.run(
        {**present(runtime_path), "register": "one"},
        {**present(runtime_path, session="{{ one.session }}"), "register": "two", "ignore_errors": True},
        {**absent, "register": "three"},
        {**absent, "register": "four"},
        register="[one, two, three, four]",
    )
    one, two, three, four = t.cast("list[dict[str, t.Any]]", run.results)
    assert len(one["session"]) == 16
    assert one["changed"] is True
    assert (two["code"], two["details"]["reason"]) == ("credentials_refused", "exists")
    assert (three["changed"], three["kept"], four["changed"]) == (True, False, False)
    assert list(runtime_path.iterdir()) == []


def test_absent_leaves_the_folder_of_a_living_process(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """Clean-up takes the key away, and nothing from a session past its point of no return."""
    folder = runtime_path / f"{SESSION}.sender"
    with subprocess.Popen(["sleep", "60"]) as process:
        document = f'{{"format":1,"pid":{process.pid},"peer":{{"pid":1}}}}'
        copy = {"content": document, "dest": str(folder / "status.json"), "mode": "0600"}
        run = playbook.run(
            present(runtime_path, session=SESSION),
            {"name": "Write a status", "ansible.builtin.copy": copy},
            present(runtime_path, session=SESSION, state="absent"),
        )
        process.kill()
    assert (run.results["changed"], run.results["kept"]) == (True, True)
    assert [path.name for path in folder.iterdir()] == ["status.json"]


def test_what_a_killed_run_has_left_is_removed(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """A key that nobody came for does not stay; that of a session which is just being made does."""
    runtime_path.mkdir(mode=0o700)
    for session, age_s in (("a" * 16, 1200), ("b" * 16, 60)):
        (runtime_path / f"{session}.sender").mkdir()
        key = runtime_path / f"{session}.sender" / "key.pem"
        key.touch()
        os.utime(key, (time.time() - age_s,) * 2)
    playbook.run(present(runtime_path, session=SESSION))
    left = sorted(path.name for path in runtime_path.iterdir())
    assert left == [f"{SESSION}.sender", f"{'b' * 16}.sender"]


def make_link(path: pathlib.Path, target: pathlib.Path) -> None:
    """Put a symbolic link where the runtime root should be."""
    target.mkdir()
    path.symlink_to(target)


def open_to_others(path: pathlib.Path, dummy: pathlib.Path) -> None:
    """Make a runtime root that others can write to."""
    path.mkdir()
    path.chmod(0o770)


@pytest.mark.parametrize(("spoil", "reason"), [(make_link, "symbolic_link"), (open_to_others, "others_write")])
def test_a_root_that_others_could_have_made_is_refused(
    playbook: Playbook, runtime_path: pathlib.Path, spoil: t.Callable[[pathlib.Path, pathlib.Path], None], reason: str
) -> None:
    """/dev/shm is open to everybody."""
    spoil(runtime_path, playbook.folder / "elsewhere")
    run = playbook.run({**present(runtime_path, session=SESSION), "ignore_errors": True})
    assert run.results["details"]["reason"] == reason
    assert run.results["msg"].startswith("xen1: ")
    assert list(runtime_path.iterdir()) == []


def test_a_root_on_a_disk_is_refused(playbook: Playbook) -> None:
    """A key never reaches a disk, not even for a moment."""
    disk = pathlib.Path(__file__).resolve().parents[4] / "build" / "not_in_memory"
    run = playbook.run({**present(disk, session=SESSION), "ignore_errors": True})
    assert run.results["details"]["reason"] == "not_in_memory"
    assert not disk.exists()


def test_check_mode_changes_nothing(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """It still says what would be made."""
    run = playbook.run(present(runtime_path), arguments=["--check"])
    assert run.results["changed"] is True
    assert not runtime_path.exists()
