# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real receiver and its xl: the domain arrives under this host's names, and is left paused where that was asked."""

from __future__ import annotations

import json

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import Host

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import messages
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

__all__ = ["make_site"]

MAPPED = [
    {"what": "bridge", "from": "xenbr0", "to": "a-longer-name"},
    {"what": "disk", "from": "/dev/sda", "to": "/dev/x"},
]
CARDS = [{"devid": 0, "mac": "00:16:3e:00:00:64", "bridge": "xenbr0"}]
DISKS = [{"pdev_path": "/dev/sda", "vdev": "xvda", "format": "raw", "backend": "phy", "readwrite": 1}]
HEAD = streams.xl_header(streams.config(nics=CARDS, disks=DISKS))
STREAM = HEAD + streams.SMALL["pvh"][len(streams.xl_header(streams.config())) :]


@pytest.fixture(name="host")
def one_host(make_site: MakeSite) -> Host:  # noqa: F811  # pytest finds fixtures by their names
    """A destination without any domain."""
    return make_site("xen2")["xen2"]


@pytest.mark.parametrize("leave_paused", [False, True], ids=["started", "left paused"])
def test_it_arrives_as_it_is_to_be(host: Host, leave_paused: bool) -> None:
    """The link is lost in the middle of the header, and every frame is acknowledged once its bytes are with xl."""
    receiver = receiving.start(host, mapped=MAPPED, leave_paused=leave_paused)
    with receiving.sender(receiver) as link:
        link.send_data(STREAM[:20])
        receiving.until(receiver, link, lambda: link.up and receiver.status()["bytes"] == 20)
        # Nothing of it can be with xl yet, so nothing may be forgotten here.
        assert not link.delivered
        link.detach()
        link.send_data(STREAM[20 : len(HEAD) - 5])
        link.send_data(STREAM[len(HEAD) - 5 :])
        # Where the copy is seen before it is complete, that is told first.
        receiving.until(receiver, link, lambda: bool(receiver.arrived) and receiver.arrived[-1]["type"] != "copy_made")
        assert receiver.arrived[-1]["type"] == "ready"
        link.send_message(messages.COMMIT)
        receiving.until(receiver, link, lambda: receiver.arrived[-1]["type"] == "report" and link.delivered)
        assert receiver.arrived[-1]["status"] == 0
    result = receiver.result()
    assert (result["end_state"], result["owner"], result["xl_status"]) == ("moved", "destination", 0)
    assert (result["mapped"], result["leave_paused"]) == (MAPPED, leave_paused)
    assert result["bytes"] == len(STREAM)
    assert host.run("xl", "list", "centos").stdout.splitlines()[-1].split()[4].count("p") == leave_paused
    (found,) = json.loads(host.run("xl", "list", "-l", "centos").stdout)
    assert [card["bridge"] for card in found["config"]["nics"]] == ["a-longer-name"]
    assert [disk["pdev_path"] for disk in found["config"]["disks"]] == ["/dev/x"]
    assert found["config"]["disks"][0]["vdev"] == "xvda"
    opened = journal.read(str(receiver.journal))[0]["details"]
    assert opened.get("leave_paused", False) is leave_paused
