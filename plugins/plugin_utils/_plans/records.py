# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as it is kept, read, approved and carried out later (pure; private to the collection). Memory in MiB."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import Essence
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import Shortage

# What a plan is for.
EMPTY, REBALANCE, RETURN = "empty", "rebalance", "return"
GOALS = (EMPTY, REBALANCE, RETURN)


class PlanInvalid(Dom0XenError):
    """A text is no plan: of something else, cut off, or not as this version writes it."""

    code = "plan_invalid"
    remedy = "Make a new plan (playbook dom0.xen.plan) and name its file with -e plan_path=FILE."


class PlanVersionUnknown(PlanInvalid):
    """A plan was written by another version of the collection."""

    code = "plan_version_unknown"
    remedy = "Make the plan with the version of the collection that is to carry it out."


class PlanEdited(PlanInvalid):
    """A plan is not what was written."""

    code = "plan_edited"
    remedy = (
        "Change what it was made from (the variables dom0_xen_domains, dom0_xen_groups and dom0_xen_host, or the hosts"
        " that were named), and make a new plan."
    )


class PlanTooLarge(Dom0XenError):
    """A plan is larger than what it is to travel in."""

    code = "plan_too_large"
    remedy = "Empty fewer hosts with one plan, or let the plan be made where it is carried out."


class PlanExpired(Dom0XenError):
    """A plan was good until a moment that has passed."""

    code = "plan_expired"
    remedy = "Make a new plan; how long one is good is the option plan_expires_s."


class PlanOfAnotherInventory(Dom0XenError):
    """A plan is about other dom0s than the inventory has."""

    code = "plan_of_another_inventory"
    remedy = "Name the inventory that the plan was made with, or make a new plan with this one."


class PlanOutdated(Dom0XenError):
    """What a plan was made from holds no longer."""

    code = "plan_outdated"
    remedy = "Make a new plan: it takes into account what has changed."


@dataclasses.dataclass(frozen=True)
class PlannedMove(Record):
    """A move. It may begin when those in ``after`` (by ``number``) have ended, and has room then, whatever else runs.

    ``code`` and ``why`` are those of the planner; ``method`` is how the checks would move it now; ``warnings`` are the
    codes of what they warn of.
    """

    number: int
    uuid: str
    name: str
    source: str
    destination: str
    memory_mib: int
    code: str
    why: str
    after: tuple[int, ...] = ()
    method: str = ""
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class PlannedStop(Record):
    """A domain that is shut down on its host when all others have left it (tag stop_for_maintenance)."""

    uuid: str
    name: str
    host: str


@dataclasses.dataclass(frozen=True)
class Reason(Record):
    """What keeps a domain from a host: the code of a finding, and the words."""

    host: str
    code: str
    message: str


@dataclasses.dataclass(frozen=True)
class PlannedBlocker(Record):
    """A domain that stays on a host that is to be emptied; ``reasons`` has what speaks against each other host."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {"reasons": Reason}

    uuid: str
    name: str
    host: str
    code: str
    why: str
    reasons: tuple[Reason, ...] = ()


@dataclasses.dataclass(frozen=True)
class HostFigures(Record):
    """What is free on a host, of which ``reserve_mib`` stays so, and how many domains it has, now and in the end."""

    name: str
    free_before_mib: int
    free_after_mib: int
    domains_before: int
    domains_after: int
    reserve_mib: int = 0


@dataclasses.dataclass(frozen=True)
class Plan(Record):
    """A plan. ``identity`` tells it from others; ``made_s`` and ``expires_s`` are seconds since 1970, 0 for never.

    ``hosts`` are those that are to be emptied (``goal`` empty), ``options`` those of the checks it was made with, by
    their names in :class:`MoveRequest`. ``facts`` is what it was made from and ``digest`` the SHA-256 of that.
    """

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {
        **{"moves": PlannedMove, "stops": PlannedStop, "blockers": PlannedBlocker},
        **{"shortage": Shortage, "figures": HostFigures, "facts": Essence},
    }

    identity: str
    goal: str
    hosts: tuple[str, ...]
    planner: str
    made_s: int
    expires_s: int
    moves: tuple[PlannedMove, ...]
    stops: tuple[PlannedStop, ...]
    blockers: tuple[PlannedBlocker, ...]
    shortage: Shortage | None
    moved_mib: int
    bound_mib: int
    figures: tuple[HostFigures, ...]
    options: t.Mapping[str, t.Any]
    digest: str
    facts: Essence
    warnings: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether it does all that was asked for."""
        return self.shortage is None and not self.blockers
