# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told to type can be typed, is taken, and leads on."""

from __future__ import annotations

import pathlib
import shlex
import typing as t
from dataclasses import replace

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    RUNNING,
    SUSPENDED,
    UNKNOWN_HOST,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import NOBODY, Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling import (
    test_decide_destination,
    test_decide_done,
    test_decide_later,
    test_decide_person,
    test_decide_source,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    FIRST,
    SILENT_DESTINATION,
    at_destination,
    at_source,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.test_by_hand import (
    BY_HAND,
    DOWN,
    THERE,
    phantom,
)

ROOT = pathlib.Path(__file__).resolve().parents[5]
SPEC = yaml.safe_load((ROOT / "roles" / "settle" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
PLAYBOOK = (ROOT / "playbooks" / "settle.yml").read_text(encoding="utf-8")
# What the playbook gives the role under another name.
MAPPED = {
    "source": "settle_source",
    "destination": "settle_destination",
    "migrate_gate_tasks": "settle_gate_tasks",
    "migrate_gate_undo_tasks": "settle_gate_undo_tasks",
}

CASES: dict[str, tuple[Side, Side, str]] = {
    **test_decide_person.CASES,
    **test_decide_done.CASES,
    **test_decide_later.CASES,
    **test_decide_source.CASES,
    **test_decide_destination.CASES,
}
ALL: dict[str, tuple[Side, Side, Others]] = {
    **{name: (source, destination, NOBODY) for name, (source, destination, _decided) in CASES.items()},
    **{name: (source, destination, others) for name, (source, destination, others, _decided) in BY_HAND.items()},
    "on a third host, source suspended, nobody asked": (
        at_source(SUSPENDED, alive=True),
        at_destination(ABSENT),
        Others((THERE,)),
    ),
    "shut down for the move, asked, and the destination is silent": (
        phantom(replace(DOWN, asked=True)),
        SILENT_DESTINATION,
        NOBODY,
    ),
}


def typed(choice: str) -> dict[str, str]:
    """Return the variables that a command gives, none where it is another one. A shell gets the whole line."""
    words = shlex.split(choice, comments=True)
    if words[0] != "ansible-playbook":
        return {}
    assert words[1:4] == ["-i", "INVENTORY", "dom0.xen.settle"], choice
    given, words = {}, words[4:]
    while words[:1] == ["-e"]:
        name, equals, value = words[1].partition("=")
        assert equals, choice
        given[name] = value
        words = words[2:]
    assert not words, choice
    return given


@pytest.mark.parametrize(("source", "destination", "others"), ALL.values(), ids=ALL)
def test_ansible_takes_what_is_to_be_typed(source: Side, destination: Side, others: Others) -> None:
    """Each variable is one of the playbook's or of the role's, with a value that the role allows."""
    for choice in decide(source, destination, others).choices:
        given = typed(choice)
        assert bool(given) == choice.startswith("ansible-playbook") and given.pop("domain", "NAME") == "NAME"
        spec: dict[str, t.Any] = {}
        for name in given:
            option = SPEC["argument_specs"]["main"]["options"][MAPPED.get(name, name)]
            spec[name] = {key: option[key] for key in ("type", "elements", "choices") if key in option}
            assert name not in MAPPED or f"{name} | default(" in PLAYBOOK
        assert ArgumentSpecValidator(spec).validate(given).error_messages == [], choice


@pytest.mark.parametrize(("source", "destination", "others"), ALL.values(), ids=ALL)
def test_a_word_of_a_person_is_not_asked_for_again(source: Side, destination: Side, others: Others) -> None:
    """Whoever has typed one of the lines gets further; what must happen before is in the line."""
    made = decide(source, destination, others)
    for choice in made.choices if made.next == to.HUMAN else ():
        given = typed(choice)
        gone = given.get("settle_gone", "").split(",")
        if not {"settle_gone", "settle_ran"} & set(given) or "  # when" in choice or "once no process" in choice:
            continue
        ran = {"yes": True, "no": False}.get(given.get("settle_ran", ""))
        said = [
            Side(side.host, reachable=False, gone=True, vouched_ran=ran)
            if side.host in gone
            else replace(side, vouched_ran=ran)
            for side in (source, destination)
        ]
        then = decide(said[0], said[1], others)
        assert (then.next, then.end_state) != (made.next, made.end_state), choice


def test_nothing_is_destroyed_by_a_number_that_is_only_on_record() -> None:
    """Where all that is left is a record, the number may be another domain's by now."""
    made = decide(phantom(alive=True), at_destination(RUNNING, FIRST))
    assert made.end_state == to.RAN_UNASKED
    assert [choice for choice in made.choices if "xl destroy" in choice] == ["xen2: xl destroy 3  # if it does not"]


def test_of_a_domain_that_was_shut_down_more_is_asked() -> None:
    """Where its destination is off for good it may have been started on any other host."""
    made = decide(*ALL["shut down for the move, asked, and the destination is silent"])
    assert made.end_state == to.DESTINATION_SILENT
    assert "on any host since" in made.unknown and "has run on no host since" in made.choices[2]


def test_a_host_that_nobody_knows_is_to_be_named() -> None:
    """It can neither be looked at nor be called off for good before that."""
    lost = replace(SILENT_DESTINATION, host=UNKNOWN_HOST)
    made = decide(at_source(SUSPENDED, ASKED), lost)
    assert [typed(choice) for choice in made.choices] == [{"domain": "NAME", "destination": "HOST"}]
    both = decide(replace(at_source(SUSPENDED), host=UNKNOWN_HOST, reachable=False), lost)
    assert typed(both.choices[0]) == {"domain": "NAME", "source": "HOST", "destination": "HOST"}


def test_every_copy_that_runs_is_to_be_paused() -> None:
    """Also those of which only the number is known."""
    made = decide(at_source(ABSENT), at_destination(RUNNING, others=2))
    assert made.choices == ("xen2: xl pause 3, and 2 more of its UUID that run there (xl list -v)",)
