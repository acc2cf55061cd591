# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both ``xl`` do next (tools/xl/xl_migrate.c migrate_domain, migrate_receive)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.deaths import (
    xl_destination_dead,
    xl_source_dead,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import (
    BACK,
    COPY_MADE,
    DEAD,
    END,
    FINAL,
    GIVE_BACK,
    GO,
    HEADER,
    MEMORY,
    READY,
    RUNS,
    STATUS_0,
    STATUS_BAD,
    Step,
    World,
)

Steps = t.Iterator[Step]


def xl_source(w: World) -> Steps:
    """``xl migrate`` on the source."""
    if w.xl_s in ("none", "dead"):
        return
    if w.saves or w.cold:
        yield from saver(w) if w.saves else shutter(w)
        return
    reader, room = w.sender != DEAD, len(w.stream) < 2
    if w.xl_s == "start" and room:
        yield from _source_writes(w, HEADER, "precopy", reader)
    elif w.xl_s == "precopy" and room:
        yield from _source_writes(w, MEMORY, "copied", reader)
    elif w.xl_s == "copied":
        yield "xl suspends the guest", w._replace(xl_s="suspended", guest="suspended")
    elif w.xl_s == "suspended" and room:
        yield from _source_writes(w, FINAL, "final", reader)
    elif w.xl_s == "final" and room:
        yield from _source_writes(w, END, "sent", reader)
    elif w.xl_s == "sent" and w.answers[:1] == (READY,):
        if reader:
            away = w._replace(xl_s="gone", away=True, answers=w.answers[1:], stream=(*w.stream, GO))
            yield "xl renames its copy away and gives permission", away
        else:
            yield "xl renames its copy away and cannot give permission", xl_source_dead(w._replace(away=True))
    elif w.xl_s == "sent" and (w.answers or not w.answers_open):
        yield "xl gets no ready and resumes the guest", xl_source_dead(w, guest="runs")
    elif w.xl_s == "gone" and w.answers[:1] == (RUNS,):
        yield "xl destroys its copy and exits 0", xl_source_dead(w, guest="gone")
    elif w.xl_s == "gone" and w.answers[:1] == (BACK,):
        yield "xl takes its copy back and resumes it", xl_source_dead(w, guest="runs")._replace(away=False)
    elif w.xl_s == "gone" and not w.answers_open:
        yield "xl gets no report and leaves its copy suspended", xl_source_dead(w)


def saver(w: World) -> Steps:
    """What stands for it with the method ``suspend``: it reads ``xl save`` to its end, whoever wants it."""
    reader, room = w.sender != DEAD, len(w.stream) < 2
    if w.xl_s == "start" and room:
        if reader:
            yield "saver writes the header", w._replace(xl_s="waiting", stream=(*w.stream, HEADER))
        if not reader or not w.answers_open:
            yield "saver is given up before it begins", xl_source_dead(w)
    elif w.xl_s == "waiting" and w.answers[:1] == (COPY_MADE,):
        yield "xl save suspends the guest", w._replace(xl_s="saving", guest="suspended", answers=w.answers[1:])
    elif w.xl_s == "waiting" and (w.answers or not w.answers_open):
        yield "saver is given up while it waits", xl_source_dead(w)
    elif w.xl_s == "saving" and room:
        yield "saver writes memory", w._replace(xl_s="saved", stream=(*w.stream, FINAL) if reader else ())
    elif w.xl_s == "saved" and room:
        stream = (*w.stream, END) if reader else ()
        yield "saver writes the end, and xl save pauses", w._replace(xl_s="sent", guest="paused", stream=stream)
    elif w.xl_s == "sent" and w.answers[:1] == (READY,):
        away = w._replace(away=True, answers=w.answers[1:])
        if reader:
            yield "saver renames its copy and gives permission", away._replace(xl_s="gone", stream=(*w.stream, GO))
        else:
            yield "saver renames its copy and cannot give permission", xl_source_dead(w, guest="runs")
    elif w.xl_s == "sent" and (w.answers or not w.answers_open):
        yield "saver gets no ready and lets the guest go on", xl_source_dead(w, guest="runs")
    elif w.xl_s == "gone" and w.answers[:1] == (RUNS,):
        yield "saver destroys its copy", xl_source_dead(w, guest="gone")
    elif w.xl_s == "gone" and w.answers[:1] == (BACK,):
        yield "saver takes its copy back and lets it go on", xl_source_dead(w, guest="runs")._replace(away=False)
    elif w.xl_s == "gone" and not w.answers_open:
        yield "saver gets no report and leaves its copy paused", xl_source_dead(w)


def shutter(w: World) -> Steps:
    """What stands for it with the method ``cold``: whatever fails before the permission ends with the guest started."""
    reader, room = w.sender != DEAD, len(w.stream) < 2
    given_up = bool(w.answers) or not w.answers_open
    if w.xl_s == "start" and room:
        if reader:
            yield "shutter writes the header", w._replace(xl_s="waiting", stream=(*w.stream, HEADER))
        if not reader or not w.answers_open:
            yield "shutter is given up before it begins", xl_source_dead(w)
    elif w.xl_s == "waiting" and w.answers[:1] == (COPY_MADE,):
        yield "shutter asks the guest", w._replace(xl_s="asking", leaving=True, answers=w.answers[1:])
    elif w.xl_s == "waiting" and given_up:
        yield "shutter is given up while it waits", xl_source_dead(w)
    elif w.xl_s == "asking" and w.guest == "runs":
        if given_up:
            yield "shutter takes its request back", xl_source_dead(w)._replace(leaving=False)
        if w.faults:
            yield "shutter has waited for long enough", xl_source_dead(w)._replace(faults=w.faults - 1)
    elif w.xl_s == "asking" and w.guest == "taken":
        yield "shutter sees that it was taken away", xl_source_dead(w)
    elif w.xl_s == "asking" and given_up:
        yield from _again(w, "shutter is given up and starts it again")
    elif w.xl_s == "asking" and room:
        yield "shutter writes the end", w._replace(xl_s="sent", stream=(*w.stream, END) if reader else ())
    elif w.xl_s == "sent" and w.answers[:1] == (READY,):
        if reader:
            yield "shutter gives permission", w._replace(xl_s="gone", answers=w.answers[1:], stream=(*w.stream, GO))
        else:
            yield from _again(w, "shutter cannot give permission and starts it again")
    elif w.xl_s == "sent" and given_up:
        yield from _again(w, "shutter gets no ready and starts it again")
    elif w.xl_s == "gone" and w.answers[:1] == (RUNS,):
        yield "shutter ends", xl_source_dead(w, guest="gone")
    elif w.xl_s == "gone" and w.answers[:1] == (BACK,):
        yield from _again(w, "shutter starts it again")
    elif w.xl_s == "gone" and not w.answers_open:
        yield "shutter gets no report and ends", xl_source_dead(w)


def _again(w: World, what: str) -> Steps:
    yield what, xl_source_dead(w, guest="runs")
    if w.faults:
        yield f"{what}, in vain", xl_source_dead(w)._replace(faults=w.faults - 1)


def _source_writes(w: World, token: str, then: str, reader: bool) -> Steps:
    if reader:
        yield f"xl writes {token}", w._replace(xl_s=then, stream=(*w.stream, token))
    else:
        yield f"xl cannot write {token}; the guest runs here", xl_source_dead(w, guest="runs")
    if not w.answers_open and w.xl_s == "start":
        yield "xl gets no banner", xl_source_dead(w)


def xl_destination(w: World) -> Steps:
    """``xl migrate-receive`` on the destination."""
    state, reader = w.xl_d, w.receiver != DEAD
    end = not w.input and not w.input_open
    if w.cold and state in ("boot", "prepared") and w.input:
        # _session/stand_ins/starter.py makes a copy only when all is there.
        if w.input[:1] == (HEADER,):
            yield "starter is prepared", w._replace(xl_d="prepared", input=w.input[1:])
        elif w.third == "beside":
            yield "starter finds one that somebody has started", xl_destination_dead(w)
        else:
            yield "starter makes a copy", w._replace(xl_d="receiving", copy="part")
    elif state == "boot" and w.input[:1] == (HEADER,):
        yield "destination makes a copy", w._replace(xl_d="receiving", copy="part", input=w.input[1:])
    elif state == "receiving" and w.input[:1] == (END,):
        full = w._replace(copy="full", input=w.input[1:])
        if reader:
            yield "destination says ready", full._replace(xl_d="ready", output=(*w.output, READY))
        else:
            yield "destination cannot say ready and leaves its copy", xl_destination_dead(full)
    elif state in ("boot", "prepared", "receiving") and end:
        yield "destination finds the end of its input and drops what it has", xl_destination_dead(w, copy="none")
    elif state == "ready" and w.input[:1] == (GO,):
        yield "destination reads permission", w._replace(xl_d="cleared", input=w.input[1:])
    elif (state == "ready" and end) or (state == "cleared" and (w.faults or w.third == "beside")):
        cost = w.faults - (state == "cleared" and w.third != "beside")
        if reader:
            bad = w._replace(xl_d="dropping", output=(*w.output, STATUS_BAD), faults=cost)
            yield "destination says that it does not start its copy", bad
        else:
            yield (
                "destination cannot say that it failed and leaves its copy",
                xl_destination_dead(w)._replace(faults=cost),
            )
    elif state == "dropping":
        output = (*w.output, GIVE_BACK) if reader else ()
        yield "destination destroys its copy", xl_destination_dead(w, copy="none")._replace(output=output)
    elif state == "running":
        output = (*w.output, STATUS_0) if reader else ()
        yield "destination says that it runs", xl_destination_dead(w)._replace(output=output)
    if state == "cleared" and w.third != "beside":
        yield (
            "destination starts its copy",
            w._replace(xl_d="running", copy="left" if w.leaves else "runs", has_run=True),
        )


def stop_saving(w: World) -> Steps:
    """``xl``'s save helper is asked to end."""
    if w.xl_s in ("precopy", "copied"):
        yield "stops the save helper", xl_source_dead(w)
    elif w.xl_s in ("suspended", "final"):
        yield "stops the save helper late", xl_source_dead(w, guest="runs")
    yield "finds no save helper", w
