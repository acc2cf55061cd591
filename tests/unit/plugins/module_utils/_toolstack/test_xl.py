# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""xl is run with the right words, and its failures become errors that know their remedy."""

from __future__ import annotations

import errno
import pathlib
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._toolstack import errors
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import (
    CommandResult,
    patient_runner,
    spawn,
    subprocess_runner,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

DATA = pathlib.Path(__file__).resolve().parents[3] / "data" / "xl" / "4.17"


class Recorder:
    """A runner that answers every command with the same result and keeps the commands."""

    def __init__(self, rc: int = 0, stdout: str = "", stderr: str = "") -> None:
        self.result = CommandResult(rc, stdout, stderr)
        self.commands: list[list[str]] = []

    def __call__(self, argv: t.Sequence[str]) -> CommandResult:
        self.commands.append(list(argv))
        return self.result


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("rename", (3, "centos"), ["rename", "3", "centos"]),
        ("pause", (3,), ["pause", "3"]),
        ("unpause", (3,), ["unpause", "3"]),
        ("destroy", (3,), ["destroy", "3"]),
        ("resume", (3,), ["resume", "3"]),
    ],
)
def test_what_changes_a_domain_names_it_by_domid(verb: str, arguments: tuple[t.Any, ...], words: list[str]) -> None:
    """A name can move to another domain between two looks; a domid cannot."""
    run = Recorder()
    getattr(Xl(run, "/usr/sbin/xl"), verb)(*arguments)
    assert run.commands == [["/usr/sbin/xl", *words]]


def test_resuming_by_a_save_keeps_the_domain() -> None:
    """Without -c xl destroys what it has saved (tools/xl/xl_saverestore.c save_domain), and this image is nowhere."""
    xl = Xl(Recorder(), "/usr/sbin/xl")
    assert xl.save_and_resume_argv(3) == ["/usr/sbin/xl", "save", "-c", "3", "/dev/null"]


def test_migration_goes_through_our_command() -> None:
    """With an empty -s xl takes the host's place as the shell command of its child, and adds nothing to it."""
    xl = Xl(Recorder(), "/usr/sbin/xl")
    assert xl.migrate_argv(3, "exec shim /run/a") == ["/usr/sbin/xl", "migrate", "-s", "", "3", "exec shim /run/a"]


FAILURES = [
    (1, (DATA / "no-xen.stderr").read_text(), errors.NotXen),
    (1, (DATA / "no-xen-wrapper.stderr").read_text(), errors.NotXen),
    (1, "ERROR:  Hypervisor is not xen but 'kvm'!\n", errors.NotXen),
    (
        127,
        "ERROR:  Can't find version 4.17 of xen utils (maybe it was removed)\n",
        errors.XlMissing,
    ),
    (1, (DATA / "not-root.stderr").read_text(), errors.NotRoot),
    (1, (DATA / "list-missing.stderr").read_text(), errors.DomainMissing),
    (1, (DATA / "list-missing-domid.stderr").read_text(), errors.DomainMissing),
    (1, (DATA / "rename-missing.stderr").read_text(), errors.XlFailed),
    (1, "libxl: error: libxl_domain.c:1:libxl_domain_rename: something else\n", errors.XlFailed),
    (3, "", errors.XlFailed),
]


@pytest.mark.parametrize(("rc", "stderr", "kind"), FAILURES)
def test_failures_are_told_apart(rc: int, stderr: str, kind: type[errors.ToolstackError]) -> None:
    """No Xen, no root, no tools, no domain: four remedies, so four errors."""
    with pytest.raises(errors.ToolstackError) as caught:
        Xl(Recorder(rc, "", stderr), "/usr/sbin/xl").configurations("centos")
    assert caught.type is kind
    assert caught.value.remedy


@pytest.mark.parametrize("verb", ["pause", "unpause", "resume"])
def test_pausing_that_failed_is_a_failure(verb: str) -> None:
    """xl pause, unpause and resume say that they failed and exit with 0 all the same."""
    with pytest.raises(errors.DomainMissing):
        getattr(Xl(Recorder(0, "", (DATA / "pause-missing.stderr").read_text()), "/usr/sbin/xl"), verb)(99)


def test_missing_binary_is_no_traceback(tmp_path: pathlib.Path) -> None:
    """A host without xl gets a message with the package, not an OSError."""
    with pytest.raises(errors.XlMissing):
        Xl(subprocess_runner(), str(tmp_path / "xl")).domains()


def test_binary_that_must_not_be_run_means_no_root(tmp_path: pathlib.Path) -> None:
    """EACCES is what a user other than root gets."""
    binary = tmp_path / "xl"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o600)
    with pytest.raises(errors.NotRoot):
        Xl(subprocess_runner(), str(binary)).domains()


def test_host_without_memory_for_a_process_is_a_failure_like_others() -> None:
    """Whoever looks after a domain catches errors of this collection, and would end on an OSError."""

    def run(argv: t.Sequence[str]) -> CommandResult:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with pytest.raises(errors.XlFailed, match="temporarily"):
        Xl(run, "/usr/sbin/xl").domains()


def test_details_of_a_failure_travel() -> None:
    """What xl said reaches the result of the module."""
    with pytest.raises(errors.XlFailed) as caught:
        Xl(Recorder(1, "out", "line 1\nlast line"), "/usr/sbin/xl").destroy(7)
    details = caught.value.as_result()["details"]
    assert details == {"cmd": ["/usr/sbin/xl", "destroy", "7"], "rc": 1, "stdout": "out", "stderr": "line 1\nlast line"}
    assert "last line" in str(caught.value)


def test_runner_speaks_english_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are matched, so they must not be translated; a stuck xl must not take the daemon with it."""
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    run = subprocess_runner(timeout_s=0.2)
    assert run(["/bin/sh", "-c", "echo $LC_ALL; echo e >&2; exit 4"]) == CommandResult(4, "C\n", "e\n")
    with pytest.raises(errors.XlTimeout):
        run(["/bin/sleep", "30"])


def test_spawned_process_speaks_english() -> None:
    """The last lines of xl are told to people and matched by programs."""
    process = spawn([sys.executable, "-c", "import os; print(os.environ['LC_ALL'])"], stdin=-3, stdout=-1, stderr=-3)
    stdout, dummy = process.communicate(timeout=30)
    assert stdout == b"C\n"


def test_a_command_without_a_limit_takes_its_time() -> None:
    """And its output is whole."""
    done = patient_runner()(["sh", "-c", "echo begun; sleep 0.7; echo done; echo why >&2; exit 3"])
    assert done == CommandResult(3, "begun\ndone\n", "why\n")


def test_a_command_without_a_limit_outlives_who_has_started_it(tmp_path: pathlib.Path) -> None:
    """An xl create that dies half way, since nobody reads what it says, leaves half a domain."""
    done = tmp_path / "done"
    script = f"echo $$ >{tmp_path}/pid; sleep 1; echo a; echo b >&2; echo c; touch {done}"
    code = (
        "import sys\nfrom ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import patient_runner\n"
    )
    starter = spawn(
        [sys.executable, "-c", f"{code}patient_runner()(['sh', '-c', sys.argv[1]])", script],
        stdin=-3,
        stdout=-1,
        stderr=-1,
    )
    while not (tmp_path / "pid").exists():
        time.sleep(0.05)
    starter.kill()
    starter.communicate()
    deadline = time.monotonic() + 30
    while not done.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
