# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain keeps its number where it goes, or the move is refused before anything of it is touched."""

from __future__ import annotations

import json

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

KEEP = ("-e", "migrate_preserve_domid=true")
OTHER = {
    "c_info": {"name": "web", "uuid": "99999999-5c99-4441-b5fd-ac266d0e1ffe", "type": "pvh"},
    "b_info": {"max_memkb": 4096, "target_memkb": 4096, "max_vcpus": 1},
}


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts, the guest on xen1."""
    site = make_site("xen1", "xen2")
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    return site


def number(site: Site, host: str) -> int:
    """Return the domain's number there."""
    (domid,) = (info["domid"] for info in site[host].domains() if info["name"] == "centos")
    return int(domid)


def refused(user: User, destination: str, *arguments: str) -> str:
    """Try to move it, which must not succeed; return the log. The guest runs on where it was."""
    boot_id = (user.site["xen1"].guest() or {})["boot_id"]
    process = user.start("dom0.xen.migrate", *user.asking(destination), *KEEP, *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0
    assert where(user.site) == "xen1"
    assert (user.site["xen1"].guest() or {})["boot_id"] == boot_id
    return log


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_it_keeps_its_number(user: User, method: str) -> None:
    """There, with a bridge of another name too, and through a reboot there; a later move without it takes another."""
    site = user.site
    site["xen2"].configure(bridges=["br-lan"])
    before = number(site, "xen1")
    names = ("-e", json.dumps({"migrate_map_bridges": {"xenbr0": "br-lan"}, "migrate_method": method}))
    log = user.move("xen2", *KEEP, *names)
    assert f"It keeps its domid {before}." in log
    assert (where(site), number(site, "xen2")) == ("xen2", before)
    assert (user.result["domid"], user.result["keep_domid"]) == (before, before)
    assert "domid" not in {remark["code"] for remark in user.result["remarks"]}
    again = user.move("xen2", *KEEP, *names)
    assert "already on xen2" in again and user.result["domid"] == before
    site["xen2"].reboot_guest()
    assert (where(site), number(site, "xen2")) == ("xen2", before)
    user.move("xen1", "-e", json.dumps({"migrate_map_bridges": {"br-lan": "xenbr0"}}))
    assert where(site) == "xen1" and number(site, "xen1") != before
    assert (user.result["domid"], user.result["keep_domid"]) == (number(site, "xen1"), 0)


def test_it_keeps_its_number_and_is_left_paused(user: User) -> None:
    """Settled or not, it has arrived under its number."""
    before = number(user.site, "xen1")
    user.move("xen2", *KEEP, "-e", "migrate_leave_paused=true")
    assert number(user.site, "xen2") == before == user.result["domid"]
    assert user.site.running(GUEST) == []
    assert user.site["xen2"].run("xl", "unpause", "centos").status == 0
    assert where(user.site) == "xen2"


def test_it_is_refused_where_the_number_cannot_be_had(user: User) -> None:
    """Each with its own words: in use, within one host, from a file, on a Xen that does not know of it."""
    site, before = user.site, number(user.site, "xen1")
    domid = site["xen2"].machine.call("create", config=OTHER, domid=before)
    assert f"'web' has the domid {before} on xen2" in refused(user, "xen2")
    site["xen2"].machine.call("destroy", domid=domid)
    log = refused(user, "xen1", "-e", "source=xen1", "-e", "allow_same_host=true")
    assert f"the copy cannot have the domid {before} too" in log
    site["xen1"].keep_config(GuestConfig(memory_mib=16))
    assert "migrate_preserve_domid" in refused(user, "xen2", "-e", "migrate_method=cold")
    site["xen2"].configure(xen_minor=13)
    site["xen1"].configure(xen_minor=13)
    assert "4.14 is the first that gives it the one that is asked for" in refused(user, "xen2")


@pytest.mark.skipif(not namespaces(), reason="a host's own /run/xen needs a mount namespace")
def test_it_is_refused_where_the_number_was_just_in_use(user: User) -> None:
    """xl has destroyed a domain of this number there."""
    before = number(user.site, "xen1")
    user.site["xen2"].machine.call("create", config=OTHER, domid=before)
    assert user.site["xen2"].run("xl", "destroy", str(before)).status == 0
    log = refused(user, "xen2")
    assert f"a domain with the domid {before}, which centos was to keep, has been destroyed on xen2" in log


def test_a_number_that_changes_after_the_check_is_not_kept(user: User) -> None:
    """The guest reboots while the caller's own tasks run: neither its old number nor one that was not looked for."""
    tasks = user.folder / "before.yml"
    tasks.write_text(
        "- name: Reboot\n  delegate_to: xen1\n  changed_when: true\n  ansible.builtin.shell: |\n"
        "    was=$(xl domid centos)\n    xl reboot centos\n"
        "    until now=$(xl domid centos) && [ $now != $was ]; do sleep 0.1; done\n"
    )
    before = number(user.site, "xen1")
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *KEEP, "-e", f"migrate_before_tasks={tasks}")
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0
    now = number(user.site, "xen1")
    assert now != before and f"had the domid {before}, which it was to keep, and has {now} now" in log
    assert where(user.site) == "xen1" and user.site["xen2"].domains() == []
