# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan's file and artifact hold what was planned, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses

import pytest
import yaml

from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import (
    PlanEdited,
    PlanInvalid,
    PlanTooLarge,
    PlanVersionUnknown,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import fleet, plan

MADE = plan(fleet(), "xen1", expires_after_s=3600)
TEXT = document.dump(MADE)


def test_there_and_back() -> None:
    """What is read is what was written, by file and by artifact."""
    assert document.parse(TEXT, "plan.yml") == MADE
    assert document.from_artifact(document.artifact(MADE)) == MADE
    assert document.is_artifact(document.artifact(MADE)) and not document.is_artifact(TEXT)


def test_file_is_for_people_too() -> None:
    """The table stands above, as comments, and the whole is YAML."""
    assert TEXT.startswith("# To empty xen1: 2 moves (264 MiB).\n")
    assert yaml.safe_load(TEXT)["content"]["hosts"] == ["xen1"]


def test_another_layout_is_no_edit() -> None:
    """Comments, order and indentation count for nothing."""
    text = yaml.safe_dump(yaml.safe_load(TEXT), indent=6)
    assert document.parse("# approved by me\n" + text, "plan.yml") == MADE


@pytest.mark.parametrize(
    ("old", "new"),
    [("destination: xen2", "destination: xen3"), ("number: 2", "number: 1"), ("expires_s: 17", "expires_s: 27")],
)
def test_edited_is_refused(old: str, new: str) -> None:
    """Whoever edits a plan is told what to change instead."""
    text = TEXT.replace(old, new)
    assert text != TEXT
    with pytest.raises(PlanEdited) as caught:
        document.parse(text, "plan.yml")
    assert "dom0_xen_domains" in caught.value.remedy


def test_other_texts_are_refused() -> None:
    """Each with what is wrong."""
    with pytest.raises(PlanInvalid, match=r"plan\.yml is no plan of this collection"):
        document.parse("- hosts: all\n", "plan.yml")
    with pytest.raises(PlanInvalid, match="is no YAML"):
        document.parse(TEXT[:-40] + "{[", "plan.yml")
    with pytest.raises(PlanInvalid, match="is no YAML"):
        document.parse("\x00\x01", "plan.yml")
    with pytest.raises(PlanEdited):
        document.parse(TEXT[: TEXT.index("  figures:")], "plan.yml")
    with pytest.raises(PlanVersionUnknown, match="has the format 9"):
        document.parse(TEXT.replace("format: 1", "format: 9", 1), "plan.yml")
    with pytest.raises(PlanInvalid, match="aliases"):
        document.parse("a: &a [1]\nb: *a\n", "plan.yml")
    with pytest.raises(PlanTooLarge):
        document.parse(" " * (document.LARGEST_BYTES + 1), "plan.yml")


def test_wrong_types_are_refused() -> None:
    """Also with a right checksum: somebody may compute one."""
    content = {**MADE.to_result(), "moved_mib": "much"}
    text = yaml.safe_dump({"format": 1, "kind": document.KIND, "sha256": document._sum(content), "content": content})
    with pytest.raises(PlanInvalid, match="moved_mib is 'much', which is no int"):
        document.parse(text, "plan.yml")


def test_artifacts_are_bounded() -> None:
    """What is no artifact, or unpacks to more than any plan, is refused; what is too large is not made."""
    for wrong in ("dom0.xen.plan:1:????", "dom0.xen.plan:1:" + "A" * 100, "hello"):
        with pytest.raises(PlanInvalid):
            document.from_artifact(wrong)
    with pytest.raises(PlanTooLarge):
        document.from_artifact("dom0.xen.plan:1:" + "A" * (document.LARGEST_ARTIFACT_BYTES + 1))
    noise = tuple(f"{n * 2654435761 % 2**64:016x}{n * 40503 % 2**61:016x}" for n in range(30000))
    with pytest.raises(PlanTooLarge, match="at most 256"):
        document.artifact(dataclasses.replace(MADE, warnings=noise))


def test_a_large_plan_travels() -> None:
    """A plan of a fleet of 1,000 domains fits into an artifact."""
    known = fleet(None, **{f"xen{n:03}": [f"d{n:03}{each}" for each in range(10)] for n in range(100)})
    made = plan(known, "xen000", "xen001")
    assert document.from_artifact(document.artifact(made)) == made
    assert document.parse(document.dump(made), "plan.yml") == made
