# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others at work on a domain are seen in /proc, our own processes are not taken for them."""

from __future__ import annotations

import pathlib
import shutil
import sys
import time

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.hands import hand_on, hands

__all__ = ["make_site"]

HELPER = "/usr/lib/xen-4.17/bin/libxl-save-helper"


def _process(proc: pathlib.Path, pid: int, parent: int, *arguments: str) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stat").write_text(f"{pid} (x) S {parent} 0 0\n")
    (folder / "cmdline").write_bytes(b"".join(argument.encode() + b"\0" for argument in arguments))


def _seen(proc: pathlib.Path, *ours: int) -> list[tuple[int, str, str | None]]:
    found = hands(_procfs.command_lines(str(proc)), ours, str(proc))
    return [(hand.pid, hand.command, hand.target) for hand in found]


AT_WORK: list[tuple[str, str, str | None]] = [
    ("/usr/sbin/xl save centos /srv/image", "xl save", "centos"),
    ("xl -vvv migrate -s ssh_-i_key -C /tmp/new.cfg centos xen2", "xl migrate", "centos"),
    ("xl migrate --live --debug 3 xen2", "xl migrate", "3"),
    ("/bin/bash -e /usr/sbin/xl save -c 3 /srv/image", "xl save", "3"),
    ("/usr/bin/python3.11 -I -S ////usr/lib/xen-4.17/bin/xl destroy centos", "xl destroy", "centos"),
    ("/usr/lib/xen-4.17/bin/xl shutdown -w centos", "xl shutdown", "centos"),
    ("xl shutdown -aw", "xl shutdown", None),
    ("xl reboot --all", "xl reboot", None),
    ("/usr/sbin/xen suspend centos", "xl suspend", "centos"),
    (f"{HELPER} --save-domain 9 -1 3 1 0 0", "libxl-save-helper", "3"),
]


@pytest.mark.parametrize(("line", "command", "target"), AT_WORK)
def test_who_changes_a_domain_is_seen(line: str, command: str, target: str | None, tmp_path: pathlib.Path) -> None:
    """Whatever the way it was started, with the domain as it was named; all domains is told apart from none."""
    _process(tmp_path, 7, 1, *[part.replace("_", " ") for part in line.split(" ")])
    assert _seen(tmp_path) == [(7, command, target)]


@pytest.mark.parametrize(
    "line",
    [
        *("xl list -v", "xl create /etc/xen/save.cfg", "xl migrate-receive", "xl console centos", "xl", "xl save"),
        *("ssh xen2 xl save centos /srv/image", "vi /usr/sbin/xl save centos", "grep -r xl migrate", "sh -c true"),
        f"{HELPER} --restore-domain 0 -1 3 1 0 0",
    ],
)
def test_who_does_not_is_left_out(line: str, tmp_path: pathlib.Path) -> None:
    """A monitor that xl create leaves, a reader, and a command for another host must not forbid a move."""
    _process(tmp_path, 7, 1, *line.split())
    assert _seen(tmp_path) == []


def test_ours_are_left_out_with_all_below_them(tmp_path: pathlib.Path) -> None:
    """Our xl, and its helper two generations down, work on the domain because we asked; the other pair does not."""
    _process(tmp_path, 10, 1, "python3", "sender")
    _process(tmp_path, 11, 10, "xl", "migrate", "-s", "", "3", "exec shim")
    _process(tmp_path, 12, 11, HELPER, "--save-domain", "9", "-1", "3", "1", "0", "0")
    _process(tmp_path, 20, 1, "xl", "save", "web", "/srv/image")
    _process(tmp_path, 21, 20, HELPER, "--save-domain", "9", "-1", "4", "1", "0", "0")
    assert [pid for pid, dummy, dummy2 in _seen(tmp_path, 10)] == [20, 21]
    assert [pid for pid, dummy, dummy2 in _seen(tmp_path)] == [11, 12, 20, 21]
    assert hand_on(3, "centos", (10,), str(tmp_path)) is None
    found = hand_on(4, "web", (10,), str(tmp_path))
    assert found is not None and found.pid == 20


@pytest.mark.parametrize("target", ["centos", "3", "centos--migratedaway", "centos--incoming"])
def test_domain_is_meant_under_each_of_its_names(target: str, tmp_path: pathlib.Path) -> None:
    """At the gate the copy is called NAME--migratedaway, and a person may destroy it by that name."""
    _process(tmp_path, 7, 1, "xl", "destroy", target)
    assert hand_on(3, "centos", (), str(tmp_path)) is not None
    assert hand_on(33, "centos2", (), str(tmp_path)) is None


def test_one_that_has_ended_since_the_look_forbids_nothing(tmp_path: pathlib.Path) -> None:
    """Its command line was read a moment ago; whose XenStore it worked on can no longer be told."""
    _process(tmp_path, 7, 1, "xl", "save", "centos", "/srv/image")
    _process(tmp_path, 8, 1, "xl", "save", "web", "/srv/image")
    lines = _procfs.command_lines(str(tmp_path))
    shutil.rmtree(tmp_path / "7")
    assert [hand.pid for hand in hands(lines, (), str(tmp_path))] == [8]


def test_one_that_the_kernel_takes_down_forbids_nothing(tmp_path: pathlib.Path) -> None:
    """It counts as running for a moment more, and nothing is left that says whose XenStore it worked on."""
    _process(tmp_path, 7, 1, "xl", "destroy", "centos")
    lines = _procfs.command_lines(str(tmp_path))
    _process(tmp_path, 7, 1)
    (tmp_path / "7" / "environ").touch()
    assert hands(lines, (), str(tmp_path)) == ()


def test_stand_ins_of_several_hosts_on_one_machine_are_told_apart(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where we have a XenStore of our own; on a real dom0 nobody is left out, whatever his environment."""
    for pid, store in ((7, "/a"), (8, "/b"), (9, "")):
        _process(tmp_path, pid, 1, "xl", "save", "centos", "/srv/image")
        text = f"A=1\0XENSTORED_PATH={store}\0" if store else "A=1\0"
        (tmp_path / str(pid) / "environ").write_text(text)
    _process(tmp_path, 10, 1, "xl", "save", "centos", "/srv/image")
    monkeypatch.delenv("XENSTORED_PATH", raising=False)
    assert [pid for pid, dummy, dummy2 in _seen(tmp_path)] == [7, 8, 9, 10]
    monkeypatch.setenv("XENSTORED_PATH", "/a")
    assert [pid for pid, dummy, dummy2 in _seen(tmp_path)] == [7, 9, 10]


def test_facts_of_a_host_tell_who_is_at_work(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real command lines of xl and its helper, as the stand-in shows them, and nothing once they have ended."""
    host = make_site("xen1", python=sys.executable, save_rate=4_000_000)["xen1"]
    monkeypatch.setenv("XENSTORED_PATH", host.environment["XENSTORED_PATH"])
    domid = host.start_guest(GuestConfig(memory_mib=8, compact=True))
    assert hands(_procfs.command_lines()) == ()
    saving = host.spawn("xl", "save", "centos", str(host.paths.lib / "image"))
    try:
        deadline = time.monotonic() + 20
        while len(found := hands(_procfs.command_lines())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [(hand.command, hand.target) for hand in found] == [
            ("xl save", "centos"),
            ("libxl-save-helper", str(domid)),
        ]
        assert found[0].pid == saving.pid and all(hand.works_on(domid, "centos") for hand in found)
        assert hands(_procfs.command_lines(), [saving.pid]) == ()
    finally:
        assert saving.wait(60) == 0
    assert hands(_procfs.command_lines()) == ()
