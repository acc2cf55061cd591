# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation between both xl: its texts, and how it is followed whatever way its bytes are cut."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import handshake
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import TruncatedAnswer, UnexpectedAnswer
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import (
    AnswerMatcher,
    Banner,
    GiveBack,
    Ready,
    Report,
    Status,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

SUCCESS = streams.BANNER + streams.READY + streams.REPORT + b"\0"
FAILURE = streams.BANNER + streams.READY + streams.REPORT + b"\x06" + streams.GO
TALKS: dict[bytes, list[handshake.Answer]] = {
    SUCCESS: [Banner(), Ready(), Report(), Status(0)],
    FAILURE: [Banner(), Ready(), Report(), Status(6), GiveBack()],
}


def feed_in_pieces(matcher: AnswerMatcher, data: bytes, cuts: t.Iterable[int]) -> list[handshake.Answer]:
    """Feed ``data`` cut at ``cuts``."""
    return [event for piece in streams.pieces(data, cuts) for event in matcher.feed(piece)]


@pytest.mark.parametrize(
    ("ours", "xen", "length"),
    [
        (handshake.BANNER, streams.BANNER, 54),
        (handshake.READY, streams.READY, 34),
        (handshake.PERMISSION, streams.GO, 44),
        (handshake.REPORT, streams.REPORT, 39),
    ],
)
def test_texts_are_those_of_xl(ours: bytes, xen: bytes, length: int) -> None:
    """A single wrong byte would make every migration fail."""
    assert ours == xen
    assert len(ours) == length


@pytest.mark.parametrize("talk", TALKS)
@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_any_cutting_gives_the_same_answers(talk: bytes, cuts: list[int]) -> None:
    """Pipes and sockets cut messages anywhere."""
    matcher = AnswerMatcher()
    assert feed_in_pieces(matcher, talk, cuts) == TALKS[talk]
    assert matcher.expected == "nothing"
    assert matcher.position == len(talk)
    matcher.finish()


def test_byte_by_byte_tells_what_is_expected() -> None:
    """The session decides by what must come next, so each answer must be told with its last byte and not later."""
    matcher = AnswerMatcher()
    seen = []
    for index in range(len(FAILURE)):
        events = matcher.feed(FAILURE[index : index + 1])
        if events:
            assert not matcher.partial or matcher.expected == "status"
            seen.append((index + 1, matcher.expected))
    assert seen == [(54, "ready"), (88, "report"), (127, "status"), (128, "give_back"), (172, "nothing")]


def test_shell_noise_before_the_banner_is_named() -> None:
    """Noise must be shown to the person who can remove it, and must not control their terminal."""
    matcher = AnswerMatcher()
    with pytest.raises(UnexpectedAnswer) as caught:
        matcher.feed(b"Welcome to \x1b[31mhost\n" + b"x" * 5000)
    assert caught.value.position == 0
    assert caught.value.details["expected"] == "banner"
    shown = caught.value.details["received"]
    assert shown.startswith("Welcome to \\x1b[31mhost\\n") and len(shown) < 300
    assert "Welcome" in str(caught.value)
    with pytest.raises(UnexpectedAnswer):
        matcher.feed(streams.BANNER)


@given(noise=st.binary(max_size=80), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_anything_else_is_refused(noise: bytes, cuts: list[int]) -> None:
    """Whatever the bytes are: nothing is reported that was not said, and no other error comes out."""
    matcher = AnswerMatcher()
    found: list[handshake.Answer] = []
    try:
        found = feed_in_pieces(matcher, noise, cuts)
    except UnexpectedAnswer as exc:
        assert exc.position < len(noise)
        assert not streams.BANNER.startswith(noise)
    else:
        assert streams.BANNER.startswith(noise)
    assert not found


def test_a_word_after_the_last_one_is_refused() -> None:
    """After status 0 the receiver has nothing more to say."""
    with pytest.raises(UnexpectedAnswer) as caught:
        AnswerMatcher().feed(SUCCESS + b"d")
    assert caught.value.position == len(SUCCESS)


@pytest.mark.parametrize("length", range(len(FAILURE)))
def test_an_early_end_is_told(length: int) -> None:
    """Silence must never pass for a complete conversation."""
    matcher = AnswerMatcher()
    matcher.feed(FAILURE[:length])
    with pytest.raises(TruncatedAnswer) as caught:
        matcher.finish()
    assert caught.value.details["expected"] == matcher.expected


def test_answers_for_the_sender_are_what_the_receiver_would_say() -> None:
    """The sending xl cannot tell who answers, so these bytes decide between two copies."""
    assert streams.BANNER + streams.READY + handshake.success_answer() == SUCCESS
    assert streams.BANNER + streams.READY + handshake.failure_answer(6) == FAILURE
    for code in (0, 256, -1):
        with pytest.raises(ValueError):
            handshake.failure_answer(code)


def test_every_status_has_a_meaning() -> None:
    """A result shows the meaning, also of a code that nobody has seen yet."""
    assert all(handshake.status_meaning(code) for code in range(256))
    assert Status(0).running and not Status(255).running
    assert "permission" in Status(255).meaning
    with pytest.raises(TypeError):
        handshake.STATUS_MEANINGS[1] = "changed"  # type: ignore[index]
