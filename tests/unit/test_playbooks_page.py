# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the playbooks says what the playbooks do."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible.vars.reserved import is_reserved_name

from ansible_collections.dom0.xen.tests.tools import playbooks

DATA: dict[str, t.Any] = yaml.safe_load(playbooks.DATA.read_text(encoding="utf-8"))
NAMES = sorted(path.stem for path in playbooks.PLAYBOOKS.glob("*.yml"))


def test_every_playbook_is_described() -> None:
    """One that is not on the page is not found by anybody."""
    assert sorted(DATA) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_options_are_those_that_the_playbook_reads(name: str) -> None:
    """An option that nothing reads is a promise that is not kept, and one that is not described is not known."""
    assert set(DATA[name]["options"]) == playbooks.reads(name).own


@pytest.mark.parametrize("name", NAMES)
def test_no_option_has_a_name_that_ansible_keeps_for_itself(name: str) -> None:
    """It warns of such a variable each time, before it does anything."""
    assert {option for option in DATA[name]["options"] if is_reserved_name(option)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_is_refused_where_the_page_says_so(name: str) -> None:
    """Whoever gives a limit that is taken without a word believes that the rest was looked at."""
    text = (playbooks.PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8")
    assert ("Refuse a limit" in text) == DATA[name]["limit"].startswith("refused")


@pytest.mark.parametrize("name", NAMES)
def test_examples_call_the_playbook_with_what_it_takes(name: str) -> None:
    """Examples are copied."""
    known = set(DATA[name]["options"])
    for role in playbooks.reads(name).runs:
        known |= set(playbooks.options_of(role))
    for example in DATA[name]["examples"]:
        assert f" dom0.xen.{name}" in example
        assert set(re.findall(r"-e (\w+)=", example)) <= known


@pytest.mark.parametrize("name", NAMES)
def test_the_guide_exists(name: str) -> None:
    """Sphinx would say so too, but only when the site is made."""
    assert (playbooks.PAGE.parent / f"{DATA[name]['guide']}.rst").is_file()


def test_the_page_is_made_from_the_data() -> None:
    """python -m ansible_collections.dom0.xen.tests.tools.playbooks makes it anew."""
    assert playbooks.PAGE.read_text(encoding="utf-8") == playbooks.page()
