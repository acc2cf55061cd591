# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real receiver and its xl: the domain has the number that it had, or the receiver does not begin."""

from __future__ import annotations

import json
import typing as t

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import Host

from ansible_collections.dom0.xen.plugins.module_utils._session.terms import messages
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

__all__ = ["make_site"]

NUMBER = 4711


@pytest.fixture(name="host")
def one_host(make_site: MakeSite) -> Host:  # noqa: F811  # pytest finds fixtures by their names
    """A destination without any domain."""
    return make_site("xen2")["xen2"]


def arrived(host: Host, **changes: t.Any) -> dict[str, t.Any]:
    """Let the domain arrive; return the receiver's result."""
    receiver = receiving.start(host, keep_domid=NUMBER, **changes)
    with receiving.sender(receiver) as link:
        link.send_data(streams.SMALL["pvh"])
        receiving.until(receiver, link, lambda: bool(receiver.arrived) and receiver.arrived[-1]["type"] != "copy_made")
        assert receiver.arrived[-1]["type"] == "ready"
        link.send_message(messages.COMMIT)
        receiving.until(receiver, link, lambda: receiver.arrived[-1]["type"] == "report" and link.delivered)
        assert receiver.arrived[-1]["status"] == 0
    return receiver.result()


def numbers(host: Host) -> list[int]:
    """Return those of its domains."""
    return [info["domid"] for info in host.domains()]


@pytest.mark.parametrize("more", [{}, {"leave_paused": True}, {"mapped": [{"what": "bridge", "from": "a", "to": "b"}]}])
def test_it_has_the_number(host: Host, more: dict[str, t.Any]) -> None:
    """Also where it is left paused, and where names are others."""
    result = arrived(host, **more)
    assert (result["end_state"], result["domid"], result["keep_domid"]) == ("moved", NUMBER, NUMBER)
    assert numbers(host) == [NUMBER]
    (found,) = json.loads(host.run("xl", "list", "-l", "centos").stdout)
    assert found["config"]["c_info"]["domid"] == NUMBER


def test_it_comes_back_when_its_guest_reboots(host: Host) -> None:
    """With the same number: libxl must not take it for one that was just in use (tests/contract/test_domid.py)."""
    arrived(host)
    host.reboot_guest()
    assert numbers(host) == [NUMBER]


def refusal(host: Host) -> str:
    """Start a receiver that must not begin; return what it says."""
    with pytest.raises(AssertionError) as caught:
        receiving.start(host, keep_domid=NUMBER)
    assert "migrate-receive" not in " ".join(host.left_over())
    return str(caught.value)


def test_it_does_not_begin_when_the_number_is_in_use(host: Host) -> None:
    """The check may have been a while ago."""
    config = {
        "c_info": {"name": "web", "uuid": "99999999-5c99-4441-b5fd-ac266d0e1ffe", "type": "pvh"},
        "b_info": {"max_memkb": 4096, "target_memkb": 4096, "max_vcpus": 1},
    }
    host.machine.call("create", config=config, domid=NUMBER)
    assert f"another domain has the domid {NUMBER} here" in refusal(host)


@pytest.mark.skipif(not namespaces(), reason="a host's own /run/xen needs a mount namespace")
def test_it_does_not_begin_when_the_number_was_just_in_use(host: Host) -> None:
    """libxl would not refuse it: what counts as recent is short for the sake of a reboot."""
    arrived(host)
    assert host.run("xl", "destroy", "centos").status == 0
    assert f"a domain with the domid {NUMBER} was destroyed here a moment ago" in refusal(host)
