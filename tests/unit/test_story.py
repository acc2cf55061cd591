# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of a migration says of each option at which step it counts, and names files that are there."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
STORY = (ROOT / "docs" / "docsite" / "rst" / "story.rst").read_text(encoding="utf-8")
SPECS = yaml.safe_load((ROOT / "roles" / "migrate" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
OPTIONS = set(SPECS["argument_specs"]["main"]["options"])
# Steps have a number and are underlined; what follows them are other sections.
STEPS = [int(number) for number in re.findall(r"^(\d+)\. .+\n-+$", STORY, re.MULTILINE)]


def test_every_option_stands_at_a_step() -> None:
    """Somebody who debugs a move finds out what governs it where he is, and no option is named that is none."""
    named = set(re.findall(r"\bmigrate_[a-z0-9_]+\b", STORY))
    # Functions of xl, which has words that begin so too.
    named -= {"migrate_receive", "migrate_domain", "migrate_do_preamble", "migrate_read_fixedmessage", "migrate_argv"}
    assert OPTIONS - {"migrate_domain"} - named == set()
    assert named - OPTIONS == set()


def test_the_steps_are_whole() -> None:
    """Each has what the collection does there."""
    assert list(range(1, 17)) == STEPS
    parts = re.split(r"^\d+\. .+\n-+$", STORY, flags=re.MULTILINE)[1:]
    assert all("\n**Here:** " in part for part in parts)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"``(_[a-z_]+(?:/[a-z_]+)+(?:\.py)?)``", STORY))))
def test_files_of_the_collection_are_there(name: str) -> None:
    """By the name that the page gives them, below ``plugins/module_utils``."""
    assert (ROOT / "plugins" / "module_utils" / name).exists()
