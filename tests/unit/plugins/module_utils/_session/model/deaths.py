# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of the model ends, with what goes with it."""

from __future__ import annotations

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import DEAD, World


def xl_source_dead(w: World, guest: str | None = None) -> World:
    """``xl`` on the source is gone; its guest is as it was, or as ``guest`` says."""
    return w._replace(xl_s="dead", guest=w.guest if guest is None else guest, answers=())


def xl_destination_dead(w: World, copy: str | None = None) -> World:
    """``xl`` on the destination is gone; the copy is as it was, or as ``copy`` says."""
    return w._replace(xl_d="dead", copy=w.copy if copy is None else copy, input=())


def sender_dead(w: World) -> World:
    """The sender is killed."""
    return w._replace(
        sender=DEAD, sender_do=0, sender_events=(), sender_before=0, answers_open=False, stream=(), back=(), hard=True
    )


def receiver_dead(w: World) -> World:
    """The receiver is killed."""
    return w._replace(
        receiver=DEAD,
        receiver_do=0,
        receiver_events=(),
        receiver_before=0,
        input_open=False,
        output=(),
        there=(),
        hard=True,
    )
