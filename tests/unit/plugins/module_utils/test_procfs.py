# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session's process and the helper that sends a domain are found, and told from all others."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs


def _process(proc: pathlib.Path, pid: int, parent: int, arguments: t.Sequence[str], state: str = "S") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    fields = [state, str(parent), *["0"] * 17, str(1000 + pid), *["0"] * 30]
    (folder / "stat").write_text(f"{pid} (a ) name) {' '.join(fields)}\n")
    (folder / "cmdline").write_bytes(b"".join(argument.encode() + b"\0" for argument in arguments))


@pytest.fixture
def proc(tmp_path: pathlib.Path) -> str:
    """A dom0 on which two xl send domains 3 and 4, one receives, and one helper's xl is gone."""
    helper = "/usr/lib/xen-4.17/bin/libxl-save-helper"
    _process(tmp_path, 10, 1, ["/usr/sbin/xl", "migrate", "-s", "", "3", "exec shim"])
    _process(tmp_path, 11, 10, ["sh", "-c", "exec shim"])
    _process(tmp_path, 12, 10, [helper, "--save-domain", "9", "-1", "3", "1", "0", "0"])
    _process(tmp_path, 20, 1, ["/usr/sbin/xl", "save", "4", "/srv/image"])
    _process(tmp_path, 21, 20, ["/usr/bin/python3", helper, "--save-domain", "9", "-1", "4", "1", "0", "0"])
    _process(tmp_path, 30, 1, ["/usr/sbin/xl", "migrate-receive"])
    _process(tmp_path, 31, 30, [helper, "--restore-domain", "0", "-1", "5", "1", "0", "0"])
    _process(tmp_path, 40, 1, [helper, "--save-domain", "9", "-1", "3", "1", "0", "0"])
    _process(tmp_path, 50, 10, [])
    (tmp_path / "self").mkdir()
    return str(tmp_path)


def test_save_helper_is_the_one_of_that_xl(proc: str) -> None:
    """The signal that aborts a migration must not hit the helper of another one, or one that receives."""
    assert _procfs.save_helper_of(10, proc) == 12
    assert _procfs.save_helper_of(20, proc) == 21
    assert _procfs.save_helper_of(30, proc) is None
    assert _procfs.save_helper_of(99, proc) is None


def test_session_is_the_process_that_has_its_folder_as_a_word(proc: str, tmp_path: pathlib.Path) -> None:
    """What only looks at a session's files, or serves another one, must not be signalled or taken for it."""
    folder = "/run/dom0-xen/0123456789abcdef.sender"
    _process(tmp_path, 60, 1, ["/usr/bin/python3", "-I", "-c", "main()", "sender", folder, "3", "/payload.zip"])
    _process(tmp_path, 61, 1, ["tail", "-f", f"{folder}/status.json"])
    _process(tmp_path, 62, 1, ["sh", "-c", f"cd {folder}"])
    _process(tmp_path, 63, 1, ["/usr/bin/python3", folder], state="Z")
    assert _procfs.session_process(60, folder, proc) == 60
    assert _procfs.session_process(60, folder.replace("sender", "receiver"), proc) is None
    assert [_procfs.session_process(pid, folder, proc) for pid in (61, 62, 63, 50, 99)] == [None] * 5


@pytest.mark.parametrize("pid", [None, "60", 60.0, [60], True, -1])
def test_what_is_no_pid_is_no_session(pid: object, proc: str, tmp_path: pathlib.Path) -> None:
    """A document may hold anything where the pid should be, on hosts in any state."""
    for number in ("60", "60.0"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "stat").write_text("60 (x) S 1")
        (tmp_path / number / "cmdline").write_bytes(b"/folder\0")
    assert _procfs.session_process(60, "/folder", proc) == 60
    assert _procfs.session_process(pid, "/folder", proc) is None


def test_identity_survives_odd_names(proc: str) -> None:
    """The name in stat may hold blanks and brackets; the fields are counted from behind it."""
    assert _procfs.parent_of(12, proc) == 10
    assert _procfs.parent_of(99, proc) is None


def test_zombie_is_not_alive(proc: str, tmp_path: pathlib.Path) -> None:
    """It keeps its pid until its parent asks, and does nothing more."""
    _process(tmp_path, 60, 1, ["x"], state="Z")
    assert _procfs.is_alive(12, proc)
    assert not _procfs.is_alive(99, proc)
    assert not _procfs.is_alive(60, proc)


def test_real_proc() -> None:
    """The format above is that of the running kernel."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert _procfs.is_alive(child.pid)
        assert _procfs.parent_of(child.pid) == os.getpid()
        assert child.pid in _procfs.pids()
        child.kill()
        child.wait()
        assert not _procfs.is_alive(child.pid)
    assert len(_procfs.boot_id()) == 36


def test_command_lines_are_those_of_programs(proc: str) -> None:
    """Kernel threads and zombies have none, and a process that ends meanwhile is no failure."""
    lines = _procfs.command_lines(proc)
    assert sorted(lines) == [10, 11, 12, 20, 21, 30, 31, 40]
    assert lines[11] == ("sh", "-c", "exec shim")


def test_who_writes_to_a_file(tmp_path: pathlib.Path) -> None:
    """Another process that could, under whatever name; not one that reads, nor one that writes to another file."""
    path = tmp_path / "file"
    path.write_text("")
    beside = tmp_path / "file2"
    fd = os.open(path, os.O_RDONLY)
    try:
        for mode, writes in (("r", False), ("a", True), ("r+", True)):
            code = "import sys; file = open(sys.argv[1], sys.argv[2]); print(1, flush=True); input()"
            command = [sys.executable, "-c", code, str(path), mode]
            with (
                beside.open("w"),
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
            ):
                assert child.stdout is not None and child.stdout.read(1) == b"1"
                assert _procfs.is_written(fd) is writes
                path.unlink()
                assert _procfs.is_written(fd) is writes
                child.kill()
                child.wait()
            assert not _procfs.is_written(fd)
            os.close(fd)
            path.write_text("")
            fd = os.open(path, os.O_RDONLY)
    finally:
        os.close(fd)
