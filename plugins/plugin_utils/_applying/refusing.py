# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusing to begin what could not be brought to its end (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import NoDestination
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import HostUnknown
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.choosing import named, settings_of
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan

_WAIVE = "waive"
_NOTHING = "empty"
# What only planning asks for.
_OF_PLANS = ("vcpus_per_cpu",)
# The variables that are not called as their option in a plan.
_VARIABLES = {"networks": "migrate_network"}


class CannotBeEmptied(Dom0XenError):
    """There is no way to empty the hosts, or domains that could not leave."""

    code = "cannot_be_emptied"
    remedy = (
        "Do away with what is said above, or say what becomes of those that cannot leave: -e evacuate_unmovable=skip,"
        " suspend or shutdown."
    )


class NothingSelected(Dom0XenError):
    """No host was named."""

    code = "question_incomplete"
    remedy = "Name the hosts that are to be emptied: -e dom0s=xen1,xen2"


class NoWay(Dom0XenError):
    """A plan says that there is no way."""

    code = "plan_without_a_way"
    remedy = "Make room, and make a new plan (playbook dom0.xen.plan)."


class MadeOtherwise(Dom0XenError):
    """A plan was made for moves that are made in another way than they would be now."""

    code = "plan_made_otherwise"
    remedy = "Give dom0.xen.apply the variables that the plan was made with, or make a new plan with these."


class TwoPlans(Dom0XenError):
    """A plan was named, and another one handed on."""

    code = "question_incomplete"
    remedy = "Give one of them."


def require_way(plan: Plan) -> None:
    """Raise NoWay for a plan that has no moves since there is no way; carried out, it would look like success."""
    if plan.shortage is not None:
        raise NoWay(f"the plan {plan.identity} says that what was asked for cannot be done: {plan.shortage.why}")


def require_as_planned(plan: Plan, asked: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    """Raise MadeOtherwise where the moves would be made in another way than was planned, and approved.

    ``asked`` are the options of the checks (:func:`settings_of`) by which moves from ``host`` are made, or all of them.
    """
    sources = {move.source for move in plan.moves}
    told: list[str] = []
    for each in asked:
        host = str(each["host"])
        if host and host not in sources:
            continue
        now = settings_of(each).to_result()
        for field, value in plan.options.items():
            if field in now and field not in _OF_PLANS and _comparable(field, value) != _comparable(field, now[field]):
                name = _VARIABLES.get(field, f"migrate_{field}")
                told.append(f"{name} is {_words(now[field])}{f' on {host}' if host else ''}, and was {_words(value)}")
    if told:
        raise MadeOtherwise(f"the plan {plan.identity} was made for other moves: {'; '.join(told)}.")


def _comparable(field: str, value: t.Any) -> t.Any:
    """Return a value of an option such that two of one meaning are equal."""
    values = list(value) if isinstance(value, (list, tuple)) else value
    return sorted(values) if field == _WAIVE else values


def _words(value: t.Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, t.Mapping):
        return ",".join(f"{old}={new}" for old, new in value.items()) or _NOTHING
    return ",".join(map(str, value)) or _NOTHING if isinstance(value, (list, tuple)) else str(value)


def require(plan: Plan, making_room: t.Sequence[str] = ()) -> None:
    """Raise CannotBeEmptied, with everything that stands in the way at once.

    ``making_room`` are moves of other domains, which nobody has asked for, with which there would be a way.
    """
    if plan.possible:
        return
    why = [plan.shortage.why] if plan.shortage is not None else []
    for blocker in plan.blockers:
        why.append(f"{blocker.name} cannot leave {blocker.host}: {blocker.why}")
        why += [f"  {reason.host}: {reason.message}" for reason in blocker.reasons]
    remedy = None
    if making_room:
        why.append(f"There would be a way if other domains made room: {'; '.join(making_room)}.")
        remedy = "Allow that with -e evacuate_make_room=true, or make room in another way."
    raise CannotBeEmptied("\n".join([f"{', '.join(plan.hosts)} cannot be emptied.", *why]), remedy=remedy)


def selected(given: t.Any, inventory: t.Sequence[str], groups: t.Mapping[str, t.Sequence[str]]) -> tuple[str, ...]:
    """Return the dom0s that were named, as :func:`known`.

    Raises what that raises, and NoDestination where none is left that could receive.
    """
    chosen = known(given, inventory, groups)
    if set(chosen) >= set(inventory):
        raise NoDestination(
            f"all dom0s of the inventory are to be emptied at once ({', '.join(chosen)}), and none is left that the"
            " domains could go to."
        )
    return chosen


def known(given: t.Any, inventory: t.Sequence[str], groups: t.Mapping[str, t.Sequence[str]]) -> tuple[str, ...]:
    """Return the dom0s that were named: by their names or by groups of them, as a list or with commas between.

    Raises NothingSelected and HostUnknown.
    """
    chosen = named(given, groups, inventory)
    if not chosen:
        raise NothingSelected("it was not said which hosts are to be emptied")
    for name in chosen:
        if name not in inventory:
            dom0s = ", ".join(inventory[:20])
            raise HostUnknown(f"{name} is no dom0 of the inventory, nor a group with one. The dom0s are: {dom0s}.")
    return chosen
