# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages between the two sides mean the same at both ends, and nothing else means anything."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import messages, words

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
TYPES = st.sampled_from(["ready", "commit", "failed", "report"])


def over_the_link(message: messages.Message) -> words.Event:
    """The event at the other end."""
    return messages.event(json.loads(json.dumps(message)))


def test_ready_and_commit() -> None:
    """The two that say nothing but themselves."""
    assert over_the_link(messages.READY) == words.Ready()
    assert over_the_link(messages.COMMIT) == words.CommitAsked()


@given(status=st.none() | st.integers(0, 255), give_back=st.booleans(), copy_gone=st.booleans())
def test_reports(status: int | None, give_back: bool, copy_gone: bool) -> None:
    """A report arrives as it was."""
    report = words.Report(status, give_back, copy_gone)
    assert over_the_link(messages.report(report)) == words.Reported(report)


def test_failures() -> None:
    """A failure arrives with everything a user needs, as the peer's, and as what happened on that side."""
    failure = words.Failure("no_room", "the disk is full", "xen2", "Make room.", {"path": "/var"})
    event = over_the_link(messages.failed(failure, "receiver"))
    assert isinstance(event, words.Failed) and event.by_peer
    assert event.failure.to_result("sender") == failure.to_result("receiver")


@given(kind=TYPES, rest=st.dictionaries(st.sampled_from(["status", "give_back", "copy_gone", "failure", "x"]), JSON))
def test_anything_else_is_refused_by_name(kind: str, rest: dict[str, t.Any]) -> None:
    """Whatever a message holds, it is an event or a FrameError."""
    try:
        event = messages.event({"type": kind, **rest})
    except FrameError:
        return
    assert isinstance(event, words.Event)
    if isinstance(event, words.Reported):
        assert event.report.status is None or not isinstance(event.report.status, bool)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "permission"},
        {"type": ["ready"]},
        {"type": "report", "status": 256},
        {"type": "report", "status": -1},
        {"type": "report", "status": "0"},
        {"type": "report", "status": 0.0},
        {"type": "report", "status": False},
        {"type": "failed"},
        {"type": "failed", "failure": "no"},
    ],
)
def test_refused(message: messages.Message) -> None:
    """Above all nothing that could be mistaken for status 0."""
    with pytest.raises(FrameError):
        messages.event(message)


def test_only_yes_is_yes() -> None:
    """What is not exactly true does not give a domain back."""
    event = messages.event({"type": "report", "status": 3, "give_back": 1, "copy_gone": "true"})
    assert event == words.Reported(words.Report(3, give_back=False, copy_gone=False))


def test_long_texts_are_cut() -> None:
    """A peer cannot fill the journal with one message."""
    long = "x" * 100_000
    event = messages.event({"type": "failed", "failure": {"code": long, "msg": long, "host": long, "remedy": long}})
    assert isinstance(event, words.Failed)
    assert len(event.failure.code + event.failure.msg + str(event.failure.host) + event.failure.remedy) < 8192
