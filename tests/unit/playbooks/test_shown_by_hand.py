# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "Without a controller" shows is typed on the hosts, after a move that nobody could settle.

Whoever needs these lines has no playbook at hand that would tell them that a line is wrong.
"""

from __future__ import annotations

import os
import signal
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, read_until, where

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def site(request: pytest.FixtureRequest, make_site: MakeSite) -> Site:
    """Two hosts of the release that is asked for, the guest on xen1."""
    minor = getattr(request, "param", 17)
    site = make_site("xen1", "xen2", suspend_timeout_s=1.5, xen_minor=minor)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    return site


def break_move(reader: Reader, host: str, point: str) -> str:
    """Begin a move; kill the controller, then at a point of ``xl`` all of it on a host, and take the other's power.

    What is left waits for settling, and no process of it lives. Returns the session.
    """
    site = reader.site
    site[host].faults({"point": point, "action": "stall"})
    move = reader.start("dom0.xen.migrate", *reader.asking("xen2"))
    read_until(move, "Confirm that the receiver has admitted the sender")
    os.killpg(move.pid, signal.SIGKILL)
    move.communicate(timeout=LIMIT_S)
    wait(lambda: site[host].paths.faults.read_text() == "[]")
    site[host].kill("daemon")
    site[host].kill("migrate")
    site["xen1" if host == "xen2" else "xen2"].power_cycle()
    wait(lambda: site[host].left_over() == [])
    (journal,) = (site["xen1"].paths.lib / "dom0-xen").glob("*.sender/journal")
    return journal.parent.name.partition(".")[0]


def wait(done: t.Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def copies(site: Site) -> dict[str, dict[str, int]]:
    """Return the domids of what each host has, by the name."""
    return {name: {domain["name"]: domain["domid"] for domain in host.domains()} for name, host in site.hosts.items()}


def look(reader: Reader, host: str) -> str:
    """Type the lines that only look, and return the steps on record there."""
    session = reader.stands_for["SESSION"]
    assert session in reader.on(host, "ls -t /var/lib/dom0-xen")
    assert GUEST in reader.on(host, "head -qn 1 /var/lib/dom0-xen/SESSION.*/journal")
    reader.on(host, "xl list -v")
    # That of another test may be told: the double's hosts are processes of one machine.
    reader.on(host, "pgrep -af 'xl migrate'", status=None)
    reader.on(host, """grep -o '"pid":[0-9]*' /run/dom0-xen/*/status.json""", status=None)
    return reader.on(host, """grep -o '"step":"[a-z_]*"' /var/lib/dom0-xen/SESSION.*/journal""")


def settled(reader: Reader, host: str) -> None:
    """Require that settling agrees, and that nothing else is left."""
    reader.type("ansible-playbook -i hosts.ini dom0.xen.settle -e domain=centos")
    assert where(reader.site) == host
    assert [name for each in copies(reader.site).values() for name in each] == ["centos"]


@pytest.mark.parametrize("site", [17, 20], indirect=True)
def test_the_sources_copy_is_resumed(reader: Reader, request: pytest.FixtureRequest) -> None:
    """Nothing was committed, and the destination lost its copy; with a Xen that has ``xl resume``, and one without."""
    site = reader.site
    reader.stands_for["SESSION"] = break_move(reader, "xen1", "migrate.renamed")
    assert "permission_held" not in look(reader, "xen1") and '"commit"' not in look(reader, "xen2")
    assert site.running(GUEST) == []
    (domid,) = copies(site)["xen1"].values()
    reader.stands_for["DOMID"] = str(domid)
    reader.on("xen1", """printf '\\n{"step":"resume"}\\n' >> /var/lib/dom0-xen/SESSION.sender/journal; sync""")
    reader.on("xen1", "xl rename DOMID centos")
    if request.node.callspec.params["site"] == 20:
        reader.on("xen1", "xl resume DOMID")
    else:
        reader.on("xen1", "xl save -c DOMID /dev/null")
    assert len(site.running(GUEST)) == 1
    settled(reader, "xen1")


def test_the_destinations_copy_is_started(reader: Reader) -> None:
    """It was committed, and the source lost its copy."""
    site = reader.site
    reader.stands_for["SESSION"] = break_move(reader, "xen2", "receive.go")
    assert '"commit"' in look(reader, "xen2")
    assert site.running(GUEST) == []
    (domid,) = copies(site)["xen2"].values()
    reader.stands_for["DOMID"] = str(domid)
    reader.on("xen2", "xl rename DOMID centos")
    reader.on("xen2", "xl unpause DOMID")
    settled(reader, "xen2")
