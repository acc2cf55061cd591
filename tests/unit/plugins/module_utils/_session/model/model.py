# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen next in a world: the two real machines, those that carry out their actions, both xl, and faults."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import DESTINATION, SOURCE, Decision
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model import settling
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.arriving import Receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.both_xl import (
    Steps,
    xl_destination,
    xl_source,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.deaths import (
    receiver_dead,
    sender_dead,
    xl_destination_dead,
    xl_source_dead,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.halves import Halves, Violation
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    Machine,
    destination_machine,
    report,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.sending import Sending
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import DEAD, STILL, World

# What somebody does while the session lives is told only by a look there; so this happens alone (test_search_cold.py).
BESIDE = "somebody starts it at the destination"
BY_HAND = "somebody starts the copy at the destination by hand, and pauses it"
LET_GO = "somebody lets the domain go on at the source by hand"
STALLS = "nothing moves for too long"


class Model:
    """The steps of a world, given the machines' transition functions."""

    def __init__(
        self,
        source_half: Machine | None = None,
        destination_half: Machine | None = None,
        *,
        strict: bool = True,
        kinds: t.Container[str] | None = None,
        decide: settling.Decide = decide,
    ) -> None:
        """``strict``: an answer that nothing bears out, or a deadline that acts after the commit, is a violation by
        itself, not only where it leads to two copies or none. ``kinds``: the faults that happen, all when ``None``.
        """
        self.strict = strict
        self.halves = Halves(source_half or source_machine(), destination_half or destination_machine(), strict)
        self.sender, self.receiver = Sending(self.halves), Receiving(self.halves)
        self._kinds = kinds
        self._decide = decide

    def steps(self, w: World) -> Steps:
        """Yield (what happens, the world after it) for everything that can happen next, faults too."""
        yield from xl_source(w)
        if w.leaving and w.guest == "runs":
            # A sender that has ended watches for it (_session/copies/late_shutdown.py).
            watched = w.sender != DEAD and self.halves.sender_over(w)
            yield "the guest goes down", w._replace(leaving=False, guest="runs" if watched else "down")
            if watched and w.faults and not w.sender_do:
                fallen = w._replace(leaving=False, guest="down", faults=w.faults - 1)
                yield "the guest goes down, and cannot be started again", fallen.wrote(settling.FELL)
        if w.cold and self._watches(w):
            yield "the sender has watched for long enough", w._replace(leaving=False).wrote(settling.QUIET)
        yield from xl_destination(w)
        if w.sender != DEAD:
            yield from self.sender.steps(w)
        if w.receiver != DEAD:
            yield from self.receiver.steps(w)
        if not w.link_up and w.sender != DEAD and w.receiver != DEAD:
            yield "link comes back", w._replace(link_up=True)
        yield from self._settling(w)
        if w.faults:
            for what, after in self._faults(w):
                if what != BESIDE if self._kinds is None else what in self._kinds:
                    yield what, after._replace(faults=w.faults - 1)

    def settled(self, w: World) -> Decision:
        """Return what the collection decides when it looks at both hosts now."""
        sender = None if self.halves.sender_over(w) else self.halves.source.states[w.sender]
        receiver = None if self.halves.receiver_over(w) else self.halves.destination.states[w.receiver]
        return settling.decision(w, sender, receiver, self._decide)

    def _watches(self, w: World) -> bool:
        if w.sender == DEAD or w.sender_do or not self.halves.sender_over(w):
            return False
        state = self.halves.source.states[w.sender]
        told = {settling.FELL, settling.QUIET} & set(w.sent)
        return state.down_asked and state.owner is words.Owner.SOURCE and not told

    @staticmethod
    def _asked_for(w: World) -> bool:
        past = settling.sent(w.sent)
        return past.asked and not past.tasks_open

    def _over(self, w: World) -> bool:
        # What stands for xl starts the guest again by itself for as long as it lives.
        return self.halves.sender_over(w) and self.halves.receiver_over(w) and w.xl_s in ("none", "dead")

    def _settling(self, w: World) -> Steps:
        if w.sender_do or w.receiver_do:
            return
        made = self.settled(w)
        try:
            after = settling.act(w, made, self.sender.tell, self.receiver.tell, report, self.halves.sender_over(w))
        except settling.Unsafe as exc:
            raise Violation(f"settling gives up a {exc}") from exc
        if after != w:
            yield "settling: " + (f"{made.step.verb} at the {made.step.side}" if made.step else made.next), after

    def _faults(self, w: World) -> Steps:
        if w.xl_s not in ("none", "dead"):
            yield "xl on the source is killed", xl_source_dead(w)._replace(hard=True)
            if w.xl_s in ("saving", "saved"):
                yield "saver is killed, and xl save resumes the guest", xl_source_dead(w, guest="runs")
                yield "xl save fails and resumes the guest", xl_source_dead(w, guest="runs")
            if w.cold:
                pass
            elif w.xl_s in ("start", "precopy", "copied"):
                yield "xl on the source gives up", xl_source_dead(w)
            elif w.xl_s in ("suspended", "final", "sent"):
                yield "xl on the source fails and resumes the guest", xl_source_dead(w, guest="runs")
        if w.xl_d != "dead":
            yield "xl on the destination is killed", xl_destination_dead(w)._replace(hard=True)
            if w.xl_d == "dropping":
                yield "xl on the destination is killed after it destroyed its copy", xl_destination_dead(w, copy="none")
            if w.xl_d in ("boot", "receiving"):
                yield "xl on the destination cannot make the copy", xl_destination_dead(w, copy="none")
        by_hand = w.copy == "full" and w.xl_d == "dead" and w.guest != "runs" and self._over(w) and not w.silent
        if by_hand and not w.commit_on_disk:
            yield BY_HAND, w._replace(copy="ran", has_run=True, hard=True)
        # Nothing at the destination starts it any more, so that only settling could make two of it.
        waits = self.halves.receiver_over(w) and w.xl_d == "dead" and w.copy in ("none", "full") and not w.has_run
        if waits and w.guest in (*STILL, "down") and not (w.silent or w.third) and self._asked_for(w):
            yield LET_GO, w._replace(guest="runs", hard=True)
        if w.copy == "runs":
            yield "the guest ends on the destination", w._replace(copy="none", hard=True)
        if w.sender != DEAD:
            yield "the sender is killed", sender_dead(w)
            if w.there:
                yield "the sender is killed before all has left", sender_dead(w)._replace(link_up=False)
            if not w.sender_do and self.halves.source.states[w.sender].phase is not words.Phase.ENDED:
                yield "the sender is cancelled", self.sender.tell(w, "cancelled")
                state = self.halves.source.states[w.sender]
                if state.phase is not words.Phase.STARTING:
                    # Whichever xl it is that stands still: it may go on at any moment, unless it is killed.
                    late = w._replace(late=True, hard=w.hard or state.gives_up_in_vain)
                    yield STALLS, self.sender.tell(late, "stalled")
        if w.receiver != DEAD:
            yield "the receiver is killed", receiver_dead(w)
            if w.back:
                yield "the receiver is killed before all has left", receiver_dead(w)._replace(link_up=False)
            if not w.receiver_do and self.halves.destination.states[w.receiver].phase is not words.Phase.ENDED:
                yield "the receiver is cancelled", self.receiver.tell(w, "cancelled")
        if w.link_up and w.sender != DEAD and w.receiver != DEAD:
            yield "the link breaks", w._replace(link_up=False)
        if not w.silent:
            yield "the source does not answer", w._replace(silent=SOURCE, hard=True)
            # What was done there by hand is told by a look alone.
            if w.copy != "ran":
                yield "the destination does not answer", w._replace(silent=DESTINATION, hard=True)
        if w.sender != DEAD or w.guest in ("runs", *STILL):
            # What is to be started from its configuration is not lost.
            again = w.guest == "down" or (w.guest == "runs" and settling.sent(w.sent).restartable)
            lost = w.guest if w.guest == "taken" else "down" if again else "lost"
            dark = sender_dead(xl_source_dead(w, guest=lost))
            yield "the source loses power", dark._replace(link_up=False, leaving=False, dark=True)
        if w.guest == "runs" and w.leaving:
            # It does not shut down, so somebody does what is to be done without us.
            taken = w._replace(guest="taken", leaving=False, hard=True)
            yield "somebody moves it to a third host", taken._replace(third="runs")
            yield "somebody saves it", taken._replace(third="ended")
        if w.cold and w.guest == "down" and w.copy != "runs" and not w.third:
            yield BESIDE, w._replace(third="beside", has_run=True, hard=True)
        if w.guest == "down" and w.copy == "none" and not w.third and self._over(w):
            there = w._replace(third="runs", hard=True)
            yield "somebody starts it on a third host", there
            if not w.silent:
                unseen = there._replace(silent=settling.THIRD)
                yield "somebody starts it on a third host, which does not answer", unseen
            if w.dark:
                # Of a source that went on nothing would tell it.
                yield "somebody starts it on a third host, where it ends", there._replace(third="ended")
        if w.copy != "ran" and (w.receiver != DEAD or w.copy != "none"):
            dark = receiver_dead(xl_destination_dead(w))
            # What was not waited for may not have come to the disk.
            noted = dark.noted - {"transferred", "ready"}
            yield "the destination loses power", dark._replace(copy="none", back=(), noted=noted)
