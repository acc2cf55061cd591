# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a run by the truth (pure)."""

from __future__ import annotations

import dataclasses
import typing as t

from .names import DESTINATION, SOURCE
from .rounds import Settled
from .truth import PAUSED, SUSPENDED, CopySeen, Truth

RUNNING_TWICE, LOST, LAST_COPY_DESTROYED = "running_twice", "lost", "last_copy_destroyed"
LEFT_UNSETTLED, TOUCHED, WRONG_REPORT = "left_unsettled", "guest_touched_before_banner", "wrong_report"
LEFTOVERS, CORRUPT, HUNG, BROKEN = "leftovers", "corrupt", "hung", "broken"
# It ran where its storage was not; a copy ran whose memory was older than the disks, or that was to be left paused.
WITHOUT_STORAGE, LEFT_BEHIND, STARTED = "without_storage", "left_behind", "started_unasked"
# Not failures: what happened, for the figures. A person was asked, had to be, and with the answer it was settled.
ALLOWED, WITH_ITS_HOST, MISSED, ASKED = "left_unsettled_allowed", "went_with_its_host", "missed", "asked"
# Files of a dead session in memory, where the session itself had come to its end: they go at the next boot.
STALE = "stale_files"

FAILURES = (
    *(RUNNING_TWICE, LOST, LAST_COPY_DESTROYED, LEFT_UNSETTLED, TOUCHED, WRONG_REPORT, LEFTOVERS, CORRUPT, HUNG),
    *(WITHOUT_STORAGE, LEFT_BEHIND, STARTED, BROKEN),
)
# A receiver's record after which its status is durable.
_STATUS = ("running", "not_started")
# A sender's records that its guest stands still until it is told otherwise, and those that it is.
_HELD = ("permission_held", "commit_requested")
_LET_GO = ("refused", "reported_returned", "resume", "gate_undone")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was wrong (of :data:`FAILURES`), what was not, and a sentence on each."""

    found: tuple[str, ...]
    why: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether anything was wrong."""
        return any(name in FAILURES for name in self.found)


def judge(before: Truth, after: Truth, settled: Settled, asked: str = "") -> Verdict:
    """Judge; ``before`` is the look before settling, ``after`` the last one.

    ``asked`` is what a person was asked, and has answered, before ``settled`` was reported.
    """
    found: dict[str, str] = {}
    if after.overlaps:
        found[RUNNING_TWICE] = f"{after.overlaps} overlaps"
    if before.touched_before_banner or after.touched_before_banner:
        found[TOUCHED] = "the guest stood still before the banner was verified"
    running = [copy for copy in after.copies if after.counts(copy)]
    if after.arrives_paused and any(copy.host == DESTINATION and copy.ran for copy in after.copies):
        found[STARTED] = f"it has run on {DESTINATION}, and was to be left paused"
    if asked:
        found[ASKED if _must_ask(after) else LEFT_UNSETTLED] = asked
    if any(not copy.verified for copy in running):
        found[CORRUPT] = f"{running} has wrong memory"
    if after.without_storage:
        found[WITHOUT_STORAGE] = "; ".join(after.without_storage)
    if after.left_behind:
        found[LEFT_BEHIND] = "; ".join(after.left_behind)
    if not running:
        found.update(_nowhere(after))
    elif len(running) == 1:
        found.update(_rest(after, running[0]))
    for text in (*_wrong_sessions(before), *_wrong_settled(after, settled)):
        found.setdefault(WRONG_REPORT, text)
    return Verdict(tuple(found), tuple(f"{name}: {text}" for name, text in found.items()))


def _nowhere(after: Truth) -> t.Iterator[tuple[str, str]]:
    """The guest runs nowhere: is there a copy that could go on, and whose fault is it?"""
    left = [copy for copy in after.copies if copy.good]
    ran_off = _ran_off(after)
    if after.starts_anew:
        yield _nowhere_though_it_can_boot(after)
    elif left:
        name = ALLOWED if _may_be_unsettled(after) or ran_off else LEFT_UNSETTLED
        yield name, f"runs nowhere; left are {_text(left)}"
    elif ran_off or not after.power_losses:
        yield (WITH_ITS_HOST, "the host it ran on lost power") if ran_off else (LOST, "no copy is left")
    else:
        # The last one that took a copy; those before it left one somewhere.
        loss = next((one for one in reversed(after.power_losses) if one.took), after.power_losses[-1])
        took = _text(loss.took)
        if not loss.left and loss.took:
            yield WITH_ITS_HOST, f"{loss.host} lost power with {took}"
        elif loss.host == SOURCE and after.xl_gave_back:
            yield WITH_ITS_HOST, f"{loss.host} lost power with {took}, and {DESTINATION}'s xl could not start its copy"
        elif loss.host == SOURCE and loss.given_up:
            yield WITH_ITS_HOST, f"{loss.host} lost power with {took} when {DESTINATION} was told to give up"
        elif loss.host == SOURCE and loss.left:
            yield LAST_COPY_DESTROYED, f"after {SOURCE} lost power with {took}, {_text(loss.left)} was destroyed"
        else:
            yield LOST, f"{loss.host} lost power with {took}; {_text(loss.left)} was left, and is gone"


def _nowhere_though_it_can_boot(after: Truth) -> tuple[str, str]:
    """What was shut down can always be started at the source, with the answer to what may have been asked.

    Only where it ran at the destination, and went down with that host, it has its owner there. What ran at the source
    is started when that boots, or the source's record says that it was shut down.
    """
    if after.gone:
        return ALLOWED, "runs nowhere, and a host is gone"
    if _ran_off(after, DESTINATION):
        return WITH_ITS_HOST, "the host it ran on lost power"
    if after.copies:
        return LEFT_UNSETTLED, f"runs nowhere; left are {_text(after.copies)}"
    return LOST, "it runs nowhere, and nobody has been told how to start it"


def _ran_off(after: Truth, *hosts: str) -> bool:
    """Whether one of these hosts, or any, has lost power with the copy that counted."""
    losses = (loss for loss in after.power_losses if loss.host in (hosts or (SOURCE, DESTINATION)))
    return any(after.counts(copy) for loss in losses for copy in loss.took)


def _must_ask(after: Truth) -> bool:
    """Whether only a person can know if the domain has run: it was shut down on a host that has lost its power since.

    Or the destination has, with the permission and before what it did with it was on its disk.
    """
    source_lost = any(loss.host == SOURCE for loss in after.power_losses)
    return bool(after.gone) or (after.starts_anew and source_lost) or _without_status(after)


def _may_be_unsettled(after: Truth) -> bool:
    """A host is gone for good, or has lost its power before what it did was on its disk: only a person can know more.

    At the source that is that its guest stands still: until then it may have gone on, as it may once it is let go, and
    then the destination's complete copy is older than the disks.
    """
    if after.gone:
        return True
    sent = after.sessions[SOURCE].steps if SOURCE in after.sessions else ()
    took = [copy.state for loss in after.power_losses if loss.host == SOURCE for copy in loss.took]
    held = any(step in sent for step in _HELD) and not any(step in sent for step in _LET_GO)
    # With the method suspend it is paused when it has been saved.
    return ((SUSPENDED in took or PAUSED in took) and not held) or _without_status(after)


def _without_status(after: Truth) -> bool:
    """Whether the destination has lost its power between the commit and a durable word on what came of it."""
    steps = after.sessions[DESTINATION].steps if DESTINATION in after.sessions else ()
    without_status = "commit" in steps and not any(step in steps for step in _STATUS)
    return without_status and any(loss.host == DESTINATION for loss in after.power_losses)


def _rest(after: Truth, running: CopySeen) -> t.Iterator[tuple[str, str]]:
    others = [copy for copy in after.copies if copy is not running]
    if after.folders:
        yield STALE, "; ".join(after.folders)
    left = [*map(str, others), *after.processes]
    if "--" in running.name:
        left.append(f"it runs as {running.name}")
    if left:
        yield (ALLOWED if after.gone else LEFTOVERS), "; ".join(left)


def _wrong_sessions(before: Truth) -> t.Iterator[str]:
    """A session that has ended and was wrong about it. Unsettled is never wrong: settling comes after it."""
    for host, said in before.sessions.items():
        if said.end_state is None or said.end_state == "unsettled":
            continue
        owner = SOURCE if said.end_state == "stayed" else DESTINATION
        if said.owner not in (owner, None):
            yield f"{host} says {said.end_state}, and that {said.owner} owns it"
        if said.end_state == "stayed" and host == DESTINATION:
            # It knows only that the domain does not run here; what has become of the source is not for it to say.
            wrong = any(copy.host == DESTINATION and before.counts(copy) for copy in before.copies)
        else:
            wrong = _contradicted(before, owner)
        if wrong:
            yield f"{host} says {said.end_state}; there are {_text(before.copies)}"


def _wrong_settled(after: Truth, settled: Settled) -> t.Iterator[str]:
    if settled.settled and settled.owner in (SOURCE, DESTINATION) and _contradicted(after, settled.owner):
        yield f"settled as {settled.owner}'s ({settled.end_state}); there are {_text(after.copies)}"
    runs = [copy for copy in after.copies if after.counts(copy)]
    if settled.settled is False and len(runs) == 1 and len(after.copies) == 1 and not after.gone:
        yield f"settling gave up ({settled.text}) though it runs on {runs[0].host} only"


def _contradicted(truth: Truth, owner: str) -> bool:
    """Tell whether the domain runs elsewhere, or runs nowhere though this owner never lost it with its power."""
    here = [copy for copy in truth.copies if copy.host == owner and truth.counts(copy)]
    elsewhere = [copy for copy in truth.copies if copy.host != owner and truth.counts(copy)]
    if elsewhere:
        return True
    return not here and not any(loss.host == owner for loss in truth.power_losses)


def _text(seen: t.Iterable[CopySeen]) -> str:
    text = ", ".join(f"{copy.name} {copy.state} on {copy.host}" for copy in seen)
    return text or "no copies"


__all__ = ["FAILURES", "SUSPENDED", "Settled", "Verdict", "judge"]
