# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine tells its driver to do, in order (pure; private to the collection)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import EndState


@dataclass(frozen=True)
class Action:
    """Something the driver must do, in order."""


@dataclass(frozen=True)
class Journal(Action):
    """Write a record to the journal and, unless not ``durable``, wait until it is on the disk.

    Without one that is ``binding`` nothing that comes after it may happen: if it cannot be written, the decision is
    taken back. Every other one may be missing from a full disk.
    """

    step: str
    details: t.Mapping[str, t.Any] = field(default_factory=dict)
    durable: bool = True
    binding: bool = False


@dataclass(frozen=True)
class Send(Action):
    """Send a message to the peer."""

    message: t.Mapping[str, t.Any]


@dataclass(frozen=True)
class StartXl(Action):
    """Start this side's ``xl``."""


@dataclass(frozen=True)
class WriteXl(Action):
    """Write an answer (source) or the permission (destination) to ``xl``."""

    text: bytes


@dataclass(frozen=True)
class CloseXl(Action):
    """Close what ``xl`` reads from us, so that it gives up by its own rules."""


@dataclass(frozen=True)
class KillXl(Action):
    """End ``xl`` by force, so that it can neither destroy its copy nor, where something stands for it, start one.

    One that makes a domain is left, unless also that is to be ended: what it leaves half made runs nowhere.
    """

    making: bool = False


@dataclass(frozen=True)
class StopSaving(Action):
    """End ``libxl-save-helper`` with SIGTERM, which makes libxc clean up and leaves the guest running."""


@dataclass(frozen=True)
class Observe(Action):
    """Look at the hypervisor and feed :class:`Observed`."""


@dataclass(frozen=True)
class DestroyCopy(Action):
    """Destroy this session's copy on this host, by its domid, after comparing its UUID."""


@dataclass(frozen=True)
class RenameBack(Action):
    """Give the source's copy its own name back."""


@dataclass(frozen=True)
class GoOn(Action):
    """Let the source's copy run again, which ``xl save -p`` has paused, or start it again, which was shut down."""


@dataclass(frozen=True)
class End(Action):
    """The session is over on this side."""

    end_state: EndState


Actions = t.Tuple[Action, ...]
