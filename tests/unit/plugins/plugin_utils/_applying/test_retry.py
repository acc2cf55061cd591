# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried again in a later round is what a move can end with; any other name is a cause that is given up."""

from __future__ import annotations

import ast
import functools
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.action.migration_verdict import _LAST_WORD_MISSING
from ansible_collections.dom0.xen.plugins.module_utils import _ownership
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import outcome, rounds, steps

PLUGINS = pathlib.Path(rounds.__file__).resolve().parents[2]
# What makes a failure of a session with a code of its own, which comes first.
FAILURES = ("Failure", "xl_ended")


def raised(text: str) -> t.Iterator[str]:
    """Give the codes that a file's errors have, and those of the failures that it makes."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                    yield ast.literal_eval(line.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", maxsplit=1)[-1] in FAILURES:
            yield from (str(code.value) for code in node.args[:1] if isinstance(code, ast.Constant))


@functools.cache
def told() -> set[str]:
    """Return all codes that the outcome of a move can have."""
    found = {code for path in PLUGINS.rglob("*.py") for code in raised(path.read_text(encoding="utf-8"))}
    found |= {code for code, dummy, dummy in _LAST_WORD_MISSING.values()}
    found |= {_ownership.STAYED, _ownership.UNREACHABLE, *CODES}
    step = steps.Step(1, "u", "a", "xen1", "xen2", host="a@xen1")
    results: tuple[dict[str, t.Any], ...] = ({}, {step.host: {"failed": True, "msg": "a task failed"}})
    for result in results:
        found |= {each.code for each in outcome.outcomes((step,), result)}
    return found


@pytest.mark.parametrize("code", sorted(rounds.RETRY - set(CODES)))
def test_what_is_tried_again_is_told_by_something(code: str) -> None:
    """The name of a cause is written twice; where the other one changes, the domain would stay without a second try."""
    assert code in told()


@pytest.mark.parametrize("ending", sorted(_LAST_WORD_MISSING))
def test_a_session_without_a_last_word_is_tried_again(ending: str) -> None:
    """Whatever became of the sender: the next round looks, settles, and asks anew."""
    assert _LAST_WORD_MISSING[ending][0] in rounds.RETRY


def test_a_name_that_nothing_has_is_found() -> None:
    """What only an audit tells is no outcome of a move."""
    assert not {"session_dead", "port_range_full"} & told()
