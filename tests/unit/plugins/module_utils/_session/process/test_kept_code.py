# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code of a session outlives the payload it came in, and is compiled once."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER, session_folder
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS

UTILS = "ansible_collections/dom0/xen/plugins/module_utils"
MINE, OTHER = "a" * 16, "b" * 16
# As a module does it: from an archive that is first on sys.path.
KEEPS = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session.process import kept_code
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
try:
    print(kept_code.kept(sys.argv[2], sys.argv[3]))
except OSError as exc:
    sys.exit(f"refused: {exc.strerror}")
"""
LOADS = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session.process import own_code
print(own_code.code_path())
"""
# A session that cannot begin, for want of its certificate: it has come up to say so.
LAUNCHES = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session import launch
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
root, mine = sys.argv[2:]
settings = SenderSettings(
    session="a" * 16, uuid="u", name="centos", runtime_folder=mine, journal_folder=mine, peer_certificate="", xl="xl",
    link_timeout=1.0, peer_host="xen2", destination_address="127.0.0.1", port=1, connect_timeout=1.0,
    stop_link_timeout=1.0, memory_kib=1, gate_held=False, gate_timeout=1.0, progress_interval=1.0,
)
try:
    launch.launch(launch.Places(root, mine, mine), "sender", settings, 60.0)
except (launch.LaunchFailed, launch.SessionRefused) as exc:
    print(exc.code, exc.message, sep=": ")
"""
NO_LIMIT = -1


class Host:
    """A runtime root with the folder of one session, and payloads that come to it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.root = folder, folder / "run"
        self.mine = self.begins(MINE)

    @property
    def kept(self) -> set[pathlib.Path]:
        """What is kept."""
        return set((self.root / "code").iterdir())

    def begins(self, session: str) -> pathlib.Path:
        """A session has its folder."""
        path = pathlib.Path(session_folder(str(self.root), session, SENDER))
        path.mkdir(parents=True, mode=0o700)
        self.root.chmod(0o700)
        return path

    def payload(self, name: str, words: str = "") -> pathlib.Path:
        """A payload; with ``words`` of another version."""
        path = self.folder / name
        with zipfile.ZipFile(path, "w") as archive:
            files = {str(file.relative_to(COLLECTIONS)) for file in (COLLECTIONS / UTILS).rglob("*.py")}
            packages = {str(package) for name in files for package in pathlib.PurePath(name).parents} - {"."}
            for name in sorted(files):
                archive.write(COLLECTIONS / name, name)
            for name in sorted({f"{package}/__init__.py" for package in packages} - files):
                archive.writestr(name, "")
            archive.writestr(f"{UTILS}/_version.py", words)
            archive.writestr("ansible/module_utils/basic.py", "")
        return path

    def start(self, payload: pathlib.Path, limit: int = NO_LIMIT) -> subprocess.Popen[str]:
        """Begin to keep its code; with ``limit`` no file may have more bytes."""
        words = [sys.executable, "-I", "-c", KEEPS, str(payload), str(self.root), str(self.mine), str(limit)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def launch(self, payload: pathlib.Path) -> str:
        """Launch a session that cannot begin; return the code and the message of what comes of it."""
        self.mine.mkdir(mode=0o700, exist_ok=True)
        words = [sys.executable, "-I", "-c", LAUNCHES, str(payload), str(self.root), str(self.mine)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def keep(self, payload: pathlib.Path) -> pathlib.Path:
        """Keep its code; return where."""
        return ended(self.start(payload))


def ended(process: subprocess.Popen[str]) -> pathlib.Path:
    """Return where the code is kept."""
    told, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return pathlib.Path(told.strip())


def compiled(place: pathlib.Path) -> dict[str, int]:
    """Load the code from there; return what is kept compiled, with the times at which that was written."""
    done = subprocess.run([sys.executable, "-I", "-c", LOADS, str(place)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(place)
    return {str(path): path.stat().st_mtime_ns for path in place.rglob("*.pyc")}


@pytest.fixture(name="host")
def make_host(tmp_path: pathlib.Path) -> Host:
    """A host without code of ours."""
    return Host(tmp_path)


def test_it_is_there_when_the_payload_is_gone_and_is_compiled_once(host: Host) -> None:
    """Also for a module that comes with the same later; of Ansible's own code nothing is kept."""
    payload = host.payload("first.zip")
    place = host.keep(payload)
    payload.unlink()
    first = compiled(place)
    assert first and host.kept == {place} and [path.name for path in place.iterdir()] == ["ansible_collections"]
    assert host.keep(host.payload("second.zip")) == place
    assert compiled(place) == first
    assert place.stat().st_mode & 0o777 == 0o700 and place.parent.stat().st_mode & 0o777 == 0o700


def test_other_code_goes_when_nobody_may_run_it(host: Host) -> None:
    """A session imports as it goes on: what one beside this may have been started from stays."""
    old = host.keep(host.payload("old.zip", "OLD = 1"))
    other = host.begins(OTHER)
    new = host.keep(host.payload("new.zip", "NEW = 1"))
    assert host.kept == {old, new}
    other.rmdir()
    newest = host.keep(host.payload("newest.zip", "NEWEST = 1"))
    assert host.kept == {newest}


def test_what_a_module_that_was_killed_has_left_is_no_code(host: Host) -> None:
    """Half of it is never taken for all."""
    payload = host.payload("first.zip")
    place = host.keep(payload)
    place.rename(f"{place}.new")
    (place.parent / f"{place.name}.new" / UTILS / "_places.py").unlink()
    assert host.keep(payload) == place and host.kept == {place}
    assert (place / UTILS / "_places.py").is_file()


def test_two_modules_at_once_share_it(host: Host) -> None:
    """One unpacks it, the other one waits."""
    payload = host.payload("first.zip")
    started = [host.start(payload) for dummy in range(2)]
    places = {ended(process) for process in started}
    assert host.kept == places and len(places) == 1


@pytest.mark.parametrize("limit", [1000, 1_000_000], ids=["for the code", "for what is compiled of it"])
def test_without_room_nothing_is_left_of_it(host: Host, limit: int) -> None:
    """And the error is the system's own."""
    process = host.start(host.payload("first.zip"), limit=limit)
    dummy, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "refused: File too large" in said
    assert host.kept == set()


def test_what_a_full_file_system_has_cut_off_is_compiled_anew(host: Host) -> None:
    """One session does not come up; without that no other one would before the host restarts."""
    payload = host.payload("first.zip")
    assert host.launch(payload).startswith("session_start: ")
    (place,) = host.kept
    whole = {path: path.stat().st_size for path in place.rglob("*.pyc")}
    (cut,) = [path for path in whole if path.name.startswith("driver.")]
    cut.write_bytes(cut.read_bytes()[: whole[cut] // 2])
    assert host.launch(payload) == "launch_failed: the session's process ended before it had come up"
    assert host.launch(payload).startswith("session_start: ") and host.kept == {place}
    assert {path: path.stat().st_size for path in place.rglob("*.pyc")} == whole
