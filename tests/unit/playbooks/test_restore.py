# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved domain restored on another dom0, after all were asked. Over dom0s of the double that share a folder."""

from __future__ import annotations

import json
import pathlib
import socket
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(900)

SAVE = """
- hosts: xen1
  gather_facts: false
  tasks:
    - name: Save the domain
      dom0.xen.domain_save:
        domain: centos
        path: "{{ path }}"
        after: "{{ after | default('shut_down') }}"
        reserve_mib: 0
        runtime_path: "{{ dom0_xen_runtime_path }}"
        journal_path: "{{ dom0_xen_journal_path }}"
"""


class Restorer(User):
    """Somebody who saves and restores."""

    def __init__(self, site: Site, folder: pathlib.Path) -> None:
        super().__init__(site, folder)
        self.image = folder / "images" / "centos.xen"
        self.image.parent.mkdir()
        self.play = folder / "save.yml"
        self.play.write_text(SAVE)

    def save(self, *arguments: str) -> None:
        """Save the guest on xen1."""
        self.run(str(self.play), "-e", f"path={self.image}", *arguments)

    def restore(self, *arguments: str) -> tuple[int, str]:
        """Restore it; return the exit status and the log without line breaks."""
        process = self.start("dom0.xen.restore", "-e", f"path={self.image}", *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        return process.returncode, " ".join(log.split())


@pytest.fixture
def restorer(tmp_path: pathlib.Path) -> t.Iterator[Restorer]:
    """Two hosts, of which the first has a guest."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield Restorer(site, tmp_path)
    assert site.down() == []


def test_restored_on_another_host(restorer: Restorer) -> None:
    """Once; a second time there changes nothing, and on the host that it was saved on it is refused."""
    restorer.save()
    status, log = restorer.restore("-e", "destination=xen2", "--check")
    assert status == 0 and "changed=1" in log, log[-4000:]
    assert restorer.site.running(GUEST) == []
    status, log = restorer.restore("-e", "destination=xen2", "-vvv")
    assert status == 0 and "changed=2" in log, log[-4000:]
    assert where(restorer.site) == "xen2"
    # What goes to the host is what it needs.
    tasks = [text for text in log.split("TASK [") if text.startswith(("Restore the domain,", "Let the domain run,"))]
    assert len(tasks) == 2 and not any("equipment" in text for text in tasks)
    status, log = restorer.restore("-e", "destination=xen2")
    assert status == 0 and "changed: [" not in log
    status, log = restorer.restore("-e", "destination=xen1")
    assert status == 2 and "centos is on xen2 (domid" in log and "Remedy: " in log
    assert where(restorer.site) == "xen2"


def test_host_that_does_not_answer(restorer: Restorer) -> None:
    """The domain may run there, unless somebody says that it has no power."""
    restorer.save()
    closed = restorer.folder / "closed.json"
    there = {"closed": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}}
    closed.write_text(json.dumps({"dom0": {"hosts": there}}))
    asked = ("-i", str(closed), "-e", "destination=xen1")
    status, log = restorer.restore(*asked)
    assert status == 2 and "closed: closed does not answer" in log and "restore_switched_off=closed" in log
    assert restorer.site.running(GUEST) == []
    status, log = restorer.restore(*asked, "-e", "restore_switched_off=closed")
    assert "changed=2" in log and "closed could not be asked" in log, log[-4000:]
    assert where(restorer.site) == "xen1"


def test_domain_that_comes_up_elsewhere_while_the_image_is_read(restorer: Restorer) -> None:
    """It does not run twice; the message says how to take the copy away, which has never run."""
    restorer.save()
    here, there = restorer.site["xen2"], restorer.site["xen1"]
    path = str(restorer.folder / "ask")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(LIMIT_S)
        here.faults({"point": "receive.restored", "action": "ask", "socket": path})
        process = restorer.start("dom0.xen.restore", "-e", f"path={restorer.image}", "-e", "destination=xen2")
        with listener.accept()[0]:
            there.start_guest(GuestConfig(memory_mib=16, compact=True))
    log = " ".join(process.communicate(timeout=LIMIT_S)[0].split())
    assert process.returncode == 2 and "centos is on xen1 (domid" in log, log[-4000:]
    assert "has never run and stays paused; xl destroy" in log
    assert where(restorer.site) == "xen1"
    assert here.run("xl", "destroy", "centos").status == 0


def test_left_paused(restorer: Restorer) -> None:
    """As asked; the next run lets it go on."""
    restorer.save()
    status, log = restorer.restore("-e", "destination=xen2", "-e", "restore_leave_paused=true")
    assert status == 0 and "changed=1" in log, log[-4000:]
    assert restorer.site.running(GUEST) == []
    assert restorer.restore("-e", "destination=xen2")[0] == 0
    assert where(restorer.site) == "xen2"


def test_image_of_a_guest_that_went_on(restorer: Restorer) -> None:
    """It runs, and when it is gone its disks are not those of the image."""
    restorer.save("-e", "after=checkpoint")
    status, log = restorer.restore("-e", "destination=xen2")
    assert status == 2 and "centos is on xen1 (domid" in log
    host = restorer.site["xen1"]
    host.run("xl", "destroy", "centos")
    status, log = restorer.restore("-e", "destination=xen2")
    assert status == 2 and "waive: [image_checkpoint]" in log
    status, log = restorer.restore("-e", "destination=xen2", "-e", "restore_waive=image_checkpoint")
    assert status == 0 and where(restorer.site) == "xen2"


def test_called_wrongly(restorer: Restorer) -> None:
    """The message says what to type; no host is looked at."""
    for arguments, words in (
        ((), "destination is not given."),
        (("-e", "destination=xen9"), "xen9 is not among the dom0s of the inventory"),
        (("-e", "destination=xen2", "--limit", "xen2"), "destination=xen2"),
        (("-e", "destination=xen2", "-e", "restore_waive=domain_elsewhere"), "needs restore_leave_paused=true"),
    ):
        status, log = restorer.restore(*arguments)
        assert status == 2 and words in log and "Look at the dom0" not in log, log
