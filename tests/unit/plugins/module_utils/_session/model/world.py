# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts and what can happen on them: the real machines, and a small model of both ``xl``, the link and the faults.

The order of things inside ``xl`` is that of tools/xl/xl_migrate.c (migrate_domain, migrate_receive) and
tools/libs/light/libxl_dom_save.c. Every step is atomic and any enabled step may come next, so everything between two
steps is explored: a process may be killed between two actions that its machine asked for, or between what it
wrote and the moment the other end reads it.
"""

from __future__ import annotations

import typing as t

# Tokens of the stream and the answers.
HEADER, MEMORY, FINAL, END, GO = "header bytes", "memory", "final pages", "end record", "permission bytes"
READY, RUNS, BACK, STATUS_0, STATUS_BAD, GIVE_BACK = "ready", "runs", "back", "status 0", "status bad", "give back"
COPY_MADE = "copy made"
STILL = ("suspended", "paused")
GONE = ("down", "taken")

DEAD = -1


class World(t.NamedTuple):
    """Everything that decides what can happen next."""

    # xl on the source (``saves``: stand_ins/saver.py around xl save -p), its two pipes to the sender, and its guest.
    saves: bool = False
    # stand_ins/shutter.py stands for it; its guest is "down" when it can be started again, "taken" when it is gone
    # since somebody has destroyed, saved or moved it; ``leaving``: it was asked.
    cold: bool = False
    leaving: bool = False
    xl_s: str = "none"
    stream: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    answers_open: bool = True
    guest: str = "runs"
    away: bool = False
    exit_s_seen: bool = False
    # The sender: its machine's state (DEAD when killed), what it still has to do, and the state before that.
    sender: int = 0
    sender_do: int = 0
    sender_events: tuple[str, ...] = ()
    sender_before: int = 0
    # The link; what is on its way is kept while it is down.
    link_up: bool = True
    there: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    # The receiver.
    receiver: int = 0
    receiver_do: int = 0
    receiver_events: tuple[str, ...] = ()
    receiver_before: int = 0
    status: str = ""
    give_back: bool = False
    exit_d_seen: bool = False
    # xl on the destination, its pipes, and its copy. ``leaves``: it does not unpause it, and a copy that is ``left`` so
    # under its own name counts as one that has run; one that ``ran`` somebody has started by hand, and paused.
    leaves: bool = False
    xl_d: str = "boot"
    input: tuple[str, ...] = ()
    input_open: bool = True
    output: tuple[str, ...] = ()
    copy: str = "none"
    has_run: bool = False
    copy_told: bool = False
    # What is on the disks, the source's steps in the order in which each came last, and what xl there has been told.
    sent: tuple[str, ...] = ()
    commit_on_disk: bool = False
    # Somebody has begun to undo what the tasks at the gate had done, and nobody has run them anew.
    undoing: bool = False
    noted: frozenset[str] = frozenset()
    noted_status: bool = False
    told: str = ""
    # Nothing has moved for longer than is waited.
    late: bool = False
    # Which host does not answer whoever settles; the source was started again since; what somebody has done with the
    # domain by hand on a third host: it ``runs`` there, or has, and has ``ended`` (so has one that was saved). Or it
    # runs at the destination, ``beside`` the session's copy.
    silent: str = ""
    dark: bool = False
    third: str = ""
    # How many faults may still happen, and whether one was so hard that a human may have to clean up.
    faults: int = 0
    hard: bool = False

    def wrote(self, step: str) -> t.Self:
        """Return the world after a record at the source, and what is done at the gate on the strength of it."""
        undoing = {"gate_undo_started": True, "gate_tasks_started": False, "gate_tasks_done": False}
        sent = (*[each for each in self.sent if each != step], step)
        return self._replace(sent=sent, undoing=undoing.get(step, self.undoing))


Step = tuple[str, World]
