# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin a move, watch one that is under way, or do nothing."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import plan
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionSeen
from ansible_collections.dom0.xen.plugins.plugin_utils._moving import (
    ADOPT,
    ALREADY_THERE,
    MIGRATE,
    Decision,
    decide,
    new_session,
    session_files,
    texts,
    trouble,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    domain,
    host,
    request,
    row,
    session,
)

RUNNING: dict[str, t.Any] = {"alive": True, "phase": "streaming", "end_state": None, "owner": "source"}


def decision(
    senders: t.Sequence[SessionSeen] = (), receivers: t.Sequence[SessionSeen] = (), arrived: bool = False
) -> Decision:
    """Decide about a move of centos from xen1 to xen2."""
    source = host("xen1", sessions=tuple(senders), **({"domains": (DOM0,)} if arrived else {}))
    destination = host("xen2", sessions=tuple(receivers), **({"domains": (DOM0, row())} if arrived else {}))
    subject = None if arrived else domain()
    return decide(Case(source, destination, subject, request()), plan(source, destination, subject, request()))


def test_without_a_session_a_move_begins() -> None:
    """The ordinary case."""
    assert decision() == Decision(MIGRATE)


def test_a_running_session_between_the_two_hosts_is_adopted() -> None:
    """Killing the controller and running again watches the same migration."""
    sender = session(**RUNNING)
    assert decision([sender], [session(role="receiver", **RUNNING)]) == Decision(ADOPT, sender)


def test_a_sender_that_has_ended_is_adopted_while_its_receiver_still_runs() -> None:
    """Its end is about to be known; the checks would only see a session in the way."""
    sender = session()
    assert decision([sender], [session(role="receiver", **RUNNING)], arrived=True) == Decision(ADOPT, sender)


def test_a_session_to_another_host_is_not_ours() -> None:
    """It is an objection: the caller wants the domain elsewhere."""
    assert decision([session(**RUNNING)], [session(session="b" * 16, role="receiver", **RUNNING)]).action == MIGRATE


def test_a_sender_that_was_killed_is_not_adopted() -> None:
    """There is nobody to watch; the checks say what its receiver is still doing."""
    killed = session(**{**RUNNING, "alive": False})
    assert decision([killed], [session(role="receiver", **RUNNING)]).action == MIGRATE


def test_an_ended_session_does_not_keep_a_domain_that_came_back() -> None:
    """A domain is moved to and fro."""
    assert decision([session()], [session(role="receiver")]).action == MIGRATE


def test_a_domain_that_is_there_is_reported_with_its_last_session() -> None:
    """The second run changes nothing and tells the figures of the first."""
    newest, oldest = session(session="c" * 16), session(session="b" * 16)
    receivers = [session(session=one.session, role="receiver") for one in (newest, oldest)]
    assert decision([newest, oldest], receivers, arrived=True) == Decision(ALREADY_THERE, newest)
    assert decision(arrived=True) == Decision(ALREADY_THERE)


@pytest.mark.parametrize(
    ("name", "info", "code"),
    [
        ("xen9", {}, "host_not_in_inventory"),
        ("xen1", {"unreachable": True, "msg": "no route"}, "host_unreachable"),
        ("xen1", {"failed": True, "msg": "no python"}, "host_without_facts"),
        ("xen1", {"skipped": True}, "host_without_facts"),
        ("xen1", {"host": {"hostname": "xen1"}}, None),
    ],
)
def test_why_there_are_no_facts(name: str, info: dict[str, t.Any], code: str | None) -> None:
    """Each reason has its own remedy."""
    found = trouble(name, info, ("xen1", "xen2"))
    assert (found.code if found else None) == code


def test_a_name_that_was_left_empty_is_none() -> None:
    """YAML makes null of it, which must not become the bridge "None"."""
    assert texts({"xenbr0": None, 1: 2}) == {"xenbr0": "", "1": "2"}


def test_sessions_are_named_by_16_hexadecimal_digits() -> None:
    """Each of them once."""
    names = {new_session() for number in range(100)}
    assert len(names) == 100
    assert all(len(name) == 16 and set(name) <= set("0123456789abcdef") for name in names)


def test_the_files_of_a_session_are_those_of_its_sender() -> None:
    """The folders agree with what runs on the host."""
    assert session_files("a" * 16, 7, "/run/dom0-xen", "/var/lib/dom0-xen") == {
        "session": "a" * 16,
        "status_path": f"/run/dom0-xen/{'a' * 16}.sender/status.json",
        "result_path": f"/var/lib/dom0-xen/{'a' * 16}.sender/result.json",
        "pid": 7,
    }
