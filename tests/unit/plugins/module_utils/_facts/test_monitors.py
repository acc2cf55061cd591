# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that handles a domain's end is found, and nothing else is taken for it."""

from __future__ import annotations

import pathlib
import time

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import monitor_of, monitors
from ansible_collections.dom0.xen.plugins.module_utils._records import Monitor

__all__ = ["make_site"]


class Proc:
    """A proc file system with processes whose standard output is a file."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Keep proc and the logs in this folder."""
        self.folder = folder
        self.lines: dict[int, list[str]] = {}

    def add(self, pid: int, line: str, output: str | None = None, log: str | None = None) -> None:
        """Add a process; ``output`` is the name of the file it writes to, ``log`` what is in that file."""
        self.lines[pid] = line.split()
        descriptors = self.folder / "proc" / str(pid) / "fd"
        descriptors.mkdir(parents=True)
        (descriptors.parent / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in self.lines[pid]))
        if output:
            path = self.folder / output
            path.write_text(log or "")
            (descriptors / "1").symlink_to(path)

    def monitors(self) -> tuple[Monitor, ...]:
        """Return what is found."""
        return monitors(self.lines, str(self.folder / "proc"))


@pytest.fixture
def proc(tmp_path: pathlib.Path) -> Proc:
    """A machine without processes."""
    return Proc(tmp_path)


def _waiting(name: str, domid: int, pid: int) -> str:
    return f"Waiting for domain {name} (domid {domid}) to die [pid {pid}]\n"


def test_a_monitor_tells_its_domain_in_its_log(proc: Proc) -> None:
    """However it was made, and under the name it had then: a domain that was received is called otherwise by now."""
    proc.add(10, "/usr/lib/xen-4.17/bin/xl create /etc/xen/web.cfg", "xl-web.log", _waiting("web", 3, 10))
    proc.add(11, "xl migrate-receive", "xl-db--incoming.log", _waiting("db--incoming", 4, 11))
    proc.add(12, "xl -v restore /srv/mail", "xl-mail.log", _waiting("mail", 5, 12))
    assert proc.monitors() == (
        Monitor(10, "xl create", True, 3, "web"),
        Monitor(11, "xl migrate-receive", True, 4, "db--incoming"),
        Monitor(12, "xl restore", True, 5, "mail"),
    )


def test_a_monitor_that_has_just_ended_is_none(proc: Proc) -> None:
    """While the kernel takes it down it would not tell whose domain it watches, and be thought to hide it."""
    proc.add(10, "xl create web.cfg", "xl-web.log", _waiting("web", 3, 10))
    (proc.folder / "proc" / "10" / "fd" / "1").unlink()
    (proc.folder / "proc" / "10" / "cmdline").write_bytes(b"")
    assert proc.monitors() == ()


def test_the_last_word_counts_after_a_reboot(proc: Proc) -> None:
    """A guest that reboots has a new domid and keeps its monitor."""
    log = _waiting("web", 3, 10) + "Domain 3 has shut down, reason code 1 0x1\n" + _waiting("web", 9, 10)
    proc.add(10, "xl create web.cfg", "xl-web.log", log)
    assert [monitor.domid for monitor in proc.monitors()] == [9]


def test_a_log_that_was_moved_away_is_still_read(proc: Proc) -> None:
    """The next domain of the same name moves it; an administrator may have removed it."""
    proc.add(10, "xl create web.cfg", "xl-web.log.2", _waiting("web", 3, 10))
    proc.add(11, "xl create web.cfg", "xl-web.log (deleted)", _waiting("web", 4, 11))
    assert [(monitor.pid, monitor.domid) for monitor in proc.monitors()] == [(10, 3), (11, 4)]


def test_the_words_of_others_do_not_count(proc: Proc) -> None:
    """A log that was emptied or is another's tells nothing but the name in its own."""
    proc.add(10, "xl create web.cfg", "xl-web.log", _waiting("web", 3, 99))
    assert proc.monitors() == (Monitor(10, "xl create", True, None, "web"),)


def test_xl_that_still_makes_its_domain_watches_nothing(proc: Proc) -> None:
    """Its output is a pipe or a terminal; one that was told to stay in the foreground watches from there."""
    proc.add(10, "xl migrate-receive", "pipe:[4711]")
    proc.add(11, "xl create web.cfg")
    proc.add(12, "xl create -dF web.cfg", "tty1")
    proc.add(13, "/usr/sbin/libvirtd --timeout 120")
    assert [(monitor.pid, monitor.watching, monitor.domid) for monitor in proc.monitors()] == [
        (10, False, None),
        (11, False, None),
        (12, True, None),
        (13, True, None),
    ]


def test_one_in_the_foreground_is_told_by_its_file(proc: Proc) -> None:
    """As a service starts it; its output is the service's."""
    (proc.folder / "web.cfg").write_text('name = "web"\nmemory = 8\n')
    (proc.folder / "none.cfg").write_text("memory = 8\n")
    proc.add(10, f"xl create -F {proc.folder}/web.cfg")
    proc.add(11, "xl create --quiet -F web.cfg", "socket:[1]")
    (proc.folder / "proc" / "11" / "cwd").symlink_to(proc.folder)
    proc.add(12, f"xl create -F {proc.folder}/none.cfg")
    assert [(monitor.watching, monitor.name) for monitor in proc.monitors()] == [
        (True, "web"),
        (True, "web"),
        (True, None),
    ]


def test_what_makes_no_domain_is_no_monitor(proc: Proc) -> None:
    """Even when it has the log open, as a reader has, or names the command."""
    proc.add(10, "xl list -v", "xl-web.log", _waiting("web", 3, 10))
    proc.add(11, "tail -f /var/log/xen/xl-web.log", "xl-web.log", _waiting("web", 3, 11))
    proc.add(12, "grep xl create", "xl-web.log", _waiting("web", 3, 12))
    assert proc.monitors() == ()


@pytest.mark.parametrize(
    ("left", "word"),
    [
        ([Monitor(9, "xl create", True, 4, "web"), Monitor(8, "xl create", True, 3, "other")], "kept"),
        ([Monitor(9, "xl migrate-receive", True, None, "web--incoming")], "kept"),
        ([Monitor(9, "libvirtd", True), Monitor(8, "xl create", True, 3)], "kept"),
        ([Monitor(9, "libvirtd", True)], None),
        ([Monitor(9, "xl create", True, 4, "web"), Monitor(8, "xl create", False)], "lost"),
        ([], "lost"),
    ],
)
def test_whether_a_domain_still_has_one(left: list[Monitor], word: str | None) -> None:
    """By its number, or by its name where the log was emptied; where one does not say whose it is, nobody knows."""
    assert monitor_of(3, "web", left) == word


def test_a_monitor_of_another_stand_in_is_none_of_ours(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of them on one machine have domids of their own; one that tells nothing may be ours."""
    for pid, store in ((10, "/run/a"), (11, "/run/b"), (12, None)):
        proc.add(pid, "xl create web.cfg", f"xl-web{pid}.log", _waiting("web", 3, pid))
        if store:
            (proc.folder / "proc" / str(pid) / "environ").write_text(f"A=1\0XENSTORED_PATH={store}\0")
    monkeypatch.setenv("XENSTORED_PATH", "/run/a")
    assert [monitor.pid for monitor in proc.monitors()] == [10, 12]


def _watched(host: Host) -> dict[int, int | None]:
    lines = {pid: _procfs.command_line(pid) for pid in host.pids}
    return {monitor.pid: monitor.domid for monitor in monitors(lines) if monitor.watching}


def test_real_processes(make_site: MakeSite) -> None:  # noqa: F811
    """The stand-in's monitor is a process as xl leaves it; it goes with its domain, or when it is killed."""
    host = make_site("xen1")["xen1"]
    domid = host.start_guest(GuestConfig(compact=True))
    assert list(_watched(host).values()) == [domid]
    assert host.run("xl", "save", "-c", "centos", str(host.paths.lib / "image")).status == 0
    deadline = time.monotonic() + 10
    while _watched(host) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _watched(host) == {}, "before Xen 4.20 the monitor leaves when its domain suspends"
