# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that were asked and told nothing: which, and why (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import NobodyAnswered

Answers = t.Mapping[str, t.Mapping[str, t.Any]]

_TOLD_CHARACTERS = 300
_NAMED = 5


def silence(answers: Answers) -> list[str]:
    """Return the names of the hosts that told nothing, of what a module returned for each."""
    return sorted(name for name, info in answers.items() if info.get("unreachable") or info.get("failed"))


def why(info: t.Mapping[str, t.Any]) -> str:
    """Return why a host told nothing, in one line."""
    return " ".join(str(info.get("msg") or "it said nothing").split())[:_TOLD_CHARACTERS]


def told_nothing(answers: Answers) -> list[str]:
    """Return a sentence for each host that told nothing."""
    return [f"{name} told nothing: {why(answers[name])}" for name in silence(answers)]


def nobody(answers: Answers) -> NobodyAnswered:
    """Return the error for when no host has told anything."""
    reasons = [f"{name}: {why(info)}" for name, info in sorted(answers.items())]
    more = f" (and {len(reasons) - _NAMED} more)" if len(reasons) > _NAMED else ""
    return NobodyAnswered(
        f"none of the {len(answers)} dom0s that were asked told anything: {'; '.join(reasons[:_NAMED])}{more}"
    )
