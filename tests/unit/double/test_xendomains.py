# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the double starts its domains when it boots, as xendomains does, and so can make a second copy."""

from __future__ import annotations

import json
import os
import sys

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import Autostart

UUID = GuestConfig.uuid
SMALL = GuestConfig(name="alma", memory_mib=8, compact=True)
OTHER = GuestConfig(name="web", uuid="99999999-5c99-4441-b5fd-ac266d0e1ffe", memory_mib=8, bridge=None)


def names(host: Host) -> list[str]:
    """Return the names of the host's domains."""
    return sorted(info["name"] for info in host.domains())


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts that start their domains at boot."""
    return make_site("xen1", "xen2", suspend_timeout_s=1.0, xendomains=True)


def test_boot_starts_what_is_in_auto(site: Site) -> None:
    """Links and files, but nothing that begins with a dot, and what is no configuration stops nothing."""
    host = site["xen1"]
    host.autostart(SMALL)
    (host.paths.auto / "web.cfg").write_text(OTHER.text())
    (host.paths.auto / ".hidden.cfg").write_text(GuestConfig(name="hidden").text())
    (host.paths.auto / "a.cfg").write_text("nonsense")
    host.power_cycle()
    assert names(host) == ["alma", "web"]
    assert len(site.running(UUID)) == 1


def test_boot_restores_images_first(site: Site) -> None:
    """The image is gone then, its guest goes on, and it is not started a second time from auto."""
    host = site["xen1"]
    host.start_guest(SMALL)
    before = host.guest("alma")
    assert host.run("xl", "save", "alma", str(host.paths.save / "alma")).status == 0
    host.autostart(SMALL)
    host.power_cycle()
    assert names(host) == ["alma"]
    after = host.guest("alma")
    assert before is not None and after is not None and after["boot_id"] == before["boot_id"]
    assert list(host.paths.save.iterdir()) == []


def test_what_cannot_be_restored_is_not_started(site: Site) -> None:
    """As Debian has it: it needs a person."""
    host = site["xen1"]
    host.autostart(SMALL)
    (host.paths.save / "alma").write_text("nonsense")
    host.power_cycle()
    assert names(host) == [] and (host.paths.save / "alma").exists()


def test_hosts_start_nothing_unless_told(make_site: MakeSite) -> None:
    """Other tests take the power away and look at what is left."""
    host = make_site("xen1")["xen1"]
    host.autostart(SMALL)
    host.power_cycle()
    assert names(host) == []


@pytest.mark.skipif(not namespaces(), reason="needs mount namespaces")
def test_code_on_a_host_finds_the_folders_of_that_host(site: Site) -> None:
    """Through /etc/default/xendomains, as on a real dom0, so that nothing has to be told where they are."""
    code = (
        "import json\n"
        "from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart\n"
        "found = autostart.entries(autostart.roots())\n"
        "print(json.dumps([entry.path for entry in found if entry.makes('', 'alma')]))\n"
    )
    link = site["xen1"].autostart(SMALL)
    for name, expected in (("xen1", [str(link)]), ("xen2", [])):
        path = f"PYTHONPATH={os.pathsep.join(sys.path)}"
        done = site[name].run("env", path, str(site[name].paths.bin / "python3"), "-c", code)
        assert json.loads(done.stdout) == expected, done.stderr


@pytest.mark.parametrize("kind", ["config", "image"])
@pytest.mark.parametrize("aside", [False, True])
def test_source_that_boots_after_the_move(site: Site, kind: str, aside: bool) -> None:
    """Plain xl leaves the entry, and the next boot makes a second copy; what was set aside makes none."""
    source = site["xen1"]
    source.start_guest(SMALL)
    if kind == "config":
        source.autostart(SMALL)
    else:
        assert source.run("xl", "save", "-c", "alma", str(source.paths.save / "alma")).status == 0
    if aside:
        where = autostart.Roots(str(source.paths.auto), str(source.paths.save))
        Autostart(str(source.paths.lib), "0123456789abcdef", where).set_aside(UUID, "alma")
    command = f"exec {site['xen2'].paths.bin}/xl migrate-receive"
    assert source.run("xl", "migrate", "-s", "", "alma", command).status == 0
    source.power_cycle()
    assert [run.host for run in site.running(UUID)] == (["xen2"] if aside else ["xen2", "xen1"])
    assert len(site.overlaps(UUID)) == (0 if aside else 1)
