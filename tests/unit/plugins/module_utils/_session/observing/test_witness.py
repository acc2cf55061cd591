# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of a domain's monitor says of its end, to those who come when monitor and session are gone."""

from __future__ import annotations

import os
import pathlib
import signal
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import monitors
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import Downfall
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.witness import tells_end
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import (
    CRASH,
    NAME,
    SUSPEND,
    UUID,
    Dom0,
    Make,
)

POWEROFF, REBOOT = 0, 1
BEFORE = "Waiting for domain centos (domid 7) to die [pid 4242]\n"


def noted(dom0: Dom0, domid: int, folder: pathlib.Path) -> dict[str, t.Any]:
    """What is put on record while the guest runs."""
    note = Downfall(dom0.xl, UUID, NAME, domid, str(folder)).attend()
    assert note is not None and not tells_end(note, domid)
    return note


def test_one_that_shuts_down_by_itself(make: Make, tmp_path: pathlib.Path) -> None:
    """Its monitor ends with it."""
    dom0 = make()
    domid = dom0.start()
    note = noted(dom0, domid, tmp_path)
    dom0.shut_down(domid, POWEROFF)
    dom0.until(lambda: tells_end(note, domid))
    assert not tells_end(note, domid + 1)


def test_one_that_is_destroyed(make: Make, tmp_path: pathlib.Path) -> None:
    """Somebody has a reason to."""
    dom0 = make()
    domid = dom0.start()
    note = noted(dom0, domid, tmp_path)
    dom0.xl.destroy(domid)
    dom0.until(lambda: all(row.domid != domid for row in dom0.xl.domains()))
    assert not tells_end(note, domid)


def test_one_without_a_monitor(make: Make, tmp_path: pathlib.Path) -> None:
    """Nothing tells of its end."""
    dom0 = make()
    domid = dom0.start()
    (monitor,) = monitors({pid: _procfs.command_line(pid) for pid in dom0.host.pids})
    os.kill(monitor.pid, signal.SIGKILL)
    dom0.until(lambda: not _procfs.is_alive(monitor.pid))
    assert Downfall(dom0.xl, UUID, NAME, domid, str(tmp_path)).attend() is None


def written(path: pathlib.Path) -> dict[str, t.Any]:
    """A log that was noted when the domain 7 ran."""
    path.write_text(BEFORE)
    status = path.stat()
    return {"path": str(path), "device": status.st_dev, "inode": status.st_ino, "size": status.st_size}


def shut_down(reason: int, domid: int = 7) -> str:
    """What xl writes then."""
    return f"Domain {domid} has shut down, reason code {reason} 0x{reason:x}\n"


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("", False),
        (shut_down(POWEROFF), True),
        (shut_down(REBOOT), True),
        (shut_down(REBOOT) + BEFORE.replace("7", "8"), False),
        (shut_down(SUSPEND), False),
        (shut_down(SUSPEND) + shut_down(POWEROFF), True),
        (shut_down(CRASH), False),
        (shut_down(POWEROFF, 8), False),
        ("a guest's name: " + shut_down(POWEROFF), False),
    ],
)
def test_what_it_says(tmp_path: pathlib.Path, text: str, ended: bool) -> None:
    """What was made anew, or suspended for somebody, has not ended."""
    log = tmp_path / "xl-centos.log"
    note = written(log)
    with log.open("a") as file:
        file.write(text)
    assert tells_end(note, 7) is ended


def test_a_log_that_was_moved(tmp_path: pathlib.Path) -> None:
    """The next domain of that name has taken its place; what that writes is of another one."""
    log = tmp_path / "xl-centos.log"
    note = written(log)
    log.rename(tmp_path / "xl-centos.log.1")
    log.write_text(shut_down(POWEROFF))
    assert not tells_end(note, 7)
    with (tmp_path / "xl-centos.log.1").open("a") as file:
        file.write(shut_down(POWEROFF))
    assert tells_end(note, 7)


def test_what_was_there_before_tells_nothing(tmp_path: pathlib.Path) -> None:
    """Of one domid in two boots of a host, say; nor does a note of another make."""
    log = tmp_path / "xl-centos.log"
    log.write_text(shut_down(POWEROFF))
    status = log.stat()
    note = {"path": str(log), "device": status.st_dev, "inode": status.st_ino, "size": status.st_size}
    assert not tells_end(note, 7)
    assert not tells_end({}, 7) and not tells_end({**note, "size": None}, 7)
