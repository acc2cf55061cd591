# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only shows when receiver and sender are started: still before the guest is touched, and nothing stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from dom0lab import Host

from . import search
from .plays import Outcome
from .world import World, another_xl, same_guest

PLAY = Path(__file__).parent / "playbooks" / "other_certificate.yml"


@pytest.fixture
def untouched(home: World) -> Iterator[World]:
    """Afterwards the guest runs on as if nothing had been, and neither host has anything but the journals."""
    with home.lab.observe(everywhere=True) as watch:
        yield home
    same_guest(watch.observation)
    home.require("xen1")


@contextlib.contextmanager
def receiving(host: Host, command: str) -> Iterator[None]:
    """An xl that runs ``command`` for migrate-receive, and is xl for everything else."""
    text = f'#!/bin/sh\nfor word; do [ "$word" != migrate-receive ] || {{ {command}; }}; done\nexec /usr/sbin/xl "$@"\n'
    with another_xl(host, text):
        yield


def require(outcome: Outcome, code: str, host: str) -> None:
    """The run failed once; its message names cause, host and remedy; the domain stayed."""
    assert outcome.status != 0, outcome.output
    assert outcome.failures == 1, outcome.recap
    error = outcome.result["error"]
    assert (error["code"], error["host"]) == (code, host), error
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("source", "stayed")
    assert host in outcome.message and error["msg"] in outcome.message, outcome.message
    assert f"Remedy: {error['remedy']}" in outcome.message or error["remedy"] in error["msg"], outcome.message


def test_receiver_says_something_else(untouched: World) -> None:
    """A login banner, say, where xl's should be."""
    with receiving(untouched.destination, "echo Welcome to xen2; exec sleep 4242"):
        outcome = untouched.migrate()
    require(outcome, "banner_wrong", "xen2")
    assert "Welcome to xen2" in outcome.message


def test_receiver_says_nothing(untouched: World) -> None:
    """An xl that hangs, for example on its lock."""
    with receiving(untouched.destination, "exec sleep 4242"):
        outcome = untouched.migrate(migrate_banner_timeout=8)
    require(outcome, "banner_wrong", "xen2")


def test_port_not_reachable(untouched: World) -> None:
    """A firewall between the dom0s, or a network that is down."""
    with search.no_key(untouched, "operator-nopass", pipelining=True) as (dummy, how):
        untouched.lab.cut()
        try:
            outcome = untouched.migrate(migrate_connect_timeout=5, **how)
        finally:
            untouched.lab.mend()
    require(outcome, "port_unreachable", "xen1")
    assert "10.77.0.2" in outcome.message


@pytest.mark.parametrize("stranger", ["sender", "receiver"])
def test_certificate_of_another_session(untouched: World, stranger: str) -> None:
    """Neither side talks to one that has keys of another session."""
    guest = untouched.lab.guest
    outcome = untouched.migrate(play=str(PLAY), stranger=stranger, uuid=guest.uuid)
    assert outcome.status == 0, outcome.output
    failed = [event for event in outcome.events if event["kind"] == "failed"]
    assert [event["task"] for event in failed] == ["Start the sender"], failed
    answer = failed[0]["result"]
    assert answer["code"] == "certificate_mismatch", answer
    assert answer["msg"] and answer["remedy"]
