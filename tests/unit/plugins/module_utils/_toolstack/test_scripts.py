# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A script of the toolstack is told by the shell what the programs would tell it, and nothing else is another one."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import syslog

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.scripts import VARIABLE, LightScripts

CALLS = [
    *(
        'dirname "$0"',
        "dirname /etc/xen/scripts/vif-bridge",
        "dirname vif-bridge",
        "dirname /",
        "dirname /a",
        "dirname a/",
    ),
    *("dirname //a", "dirname a//b", "dirname a/b c/d", "dirname -z a/b", "dirname ''", "dirname"),
    *("which bash", "which no-such-program", "which bash sh", "which -a sh", "which"),
    *("expr index online =", "expr index type_if=vif =", "expr index =x =", "expr index online = '>' 1"),
    *("expr index type_if=vif = '>' 1", "expr index =x = '>' 1", "expr index 'a b=c' = '>' 1", "expr index '' ="),
    *("expr index a=b ab", "expr 1 + 1", "expr length abc", "expr a = a", "expr index é=b =", "expr index index ="),
]


def script(folder: pathlib.Path, text: str, name: str = "vif-bridge") -> pathlib.Path:
    """Make a script where the toolstack has its own."""
    path = folder / "xen" / "scripts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\nset -e\n{text}\n")
    path.chmod(0o755)
    return path


def ran(path: pathlib.Path, **environment: str) -> tuple[int, str]:
    """Run it; return its status and what it said, without the line number of an error."""
    values = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment}
    done = subprocess.run([str(path), "online"], env=values, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.fixture
def light(tmp_path: pathlib.Path) -> LightScripts:
    """That of a session."""
    (tmp_path / "session").mkdir()
    return LightScripts(str(tmp_path / "session"))


@pytest.mark.parametrize("call", CALLS)
def test_the_answers_are_those_of_the_programs(tmp_path: pathlib.Path, light: LightScripts, call: str) -> None:
    """Output and status, also where the shell does not know, and leaves it to the program."""
    path = script(tmp_path, f"set +e; {call} 2>/dev/null; echo status $?")
    assert ran(path, **light.environment) == ran(path)


@pytest.mark.parametrize("call", ["dirname /a/b", "expr index type_if=vif = '>' 1", "logger -p daemon.debug -- x"])
def test_no_process_is_started_for_them(tmp_path: pathlib.Path, light: LightScripts, call: str) -> None:
    """That is what the guest waits for."""
    path = script(tmp_path, f"PATH=/nonexistent; {call} >/dev/null; echo done")
    assert ran(path)[0] != 0
    assert ran(path, **light.environment) == (0, "done\n")


def test_a_failure_is_one(tmp_path: pathlib.Path, light: LightScripts) -> None:
    """The scripts end at the first command that fails, and tell XenStore so."""
    for call in (
        "which no-such-program",
        "which -a no-such-program",
        "dirname",
        "expr 1 = 2",
        "expr index a =",
        "logger -p",
    ):
        path = script(tmp_path, f"trap 'echo told' ERR\n{call} >/dev/null 2>&1\necho went on")
        status, said = ran(path)
        assert (status > 0, said) == (True, "told\n") and ran(path, **light.environment) == (status, said), call


def test_other_scripts_are_left_alone(tmp_path: pathlib.Path, light: LightScripts) -> None:
    """A guest's device model, or a hook, may start bash for something else."""
    path = tmp_path / "other"
    path.write_text("#!/bin/bash\ntype -t dirname\n")
    path.chmod(0o755)
    assert ran(path, **light.environment) == (0, "file\n")
    assert ran(script(tmp_path, "type -t dirname"), **light.environment) == (0, "function\n")


def test_what_is_logged_for_debugging_is_passed_on_at_the_end(
    tmp_path: pathlib.Path, light: LightScripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later than it was said, when the guest runs; what is no debugging is logged at once, by logger itself."""
    told: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda priority, line: told.append((priority, line)))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "logger").write_text('#!/bin/sh\necho "logger $*"\n')
    (tools / "logger").chmod(0o755)
    path = script(tmp_path, 'logger -p daemon.debug -- "$0:" a "b c"\nlogger -p daemon.err -- bad')
    environment = {**light.environment, "PATH": f"{tools}:{os.environ['PATH']}"}
    assert ran(path, **environment) == (0, "logger -p daemon.err -- bad\n")
    assert told == []
    light.end()
    assert told == [(syslog.LOG_DAEMON | syslog.LOG_DEBUG, f"{path}: a b c")]
    # The monitor of the guest has the variable for as long as the guest lives.
    assert ran(script(tmp_path, "type -t dirname"), **environment) == (0, "file\n")
    assert list((tmp_path / "session").iterdir()) == []
    light.end()


def test_it_is_for_root_only(tmp_path: pathlib.Path, light: LightScripts) -> None:
    """Whoever could write to it would be root at the next move."""
    (file,) = (tmp_path / "session").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and light.environment == {VARIABLE: str(file)}


def test_where_it_cannot_be_done_the_scripts_run_as_ever(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder, something in the way, or somebody else's file."""
    assert LightScripts(str(tmp_path / "missing")).environment == {}
    (tmp_path / "scripts.bash").symlink_to("/dev/null")
    assert LightScripts(str(tmp_path)).environment == {}
    monkeypatch.setenv(VARIABLE, "/etc/bash.bashrc")
    (tmp_path / "free").mkdir()
    other = LightScripts(str(tmp_path / "free"))
    assert other.environment == {}
    other.end()
