# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What galaxy-importer says about the package is understood: it ends with 0 whatever it finds."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.tests.tools.galaxy import problems

WELL = "INFO: Getting doc strings via ansible-doc\nINFO: ...ansible-lint run complete\n"
DONE = "Importer processing completed successfully\n"
FILES = ("MANIFEST.json", "plugins/modules/host_info.py", "tests/config.yml")


def test_a_package_without_a_complaint_passes() -> None:
    """What is only told is no complaint, nor is a word about warnings."""
    assert problems(f"{WELL}INFO: WARNING: is only a word here\n{DONE}", FILES) == []


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: README.md:1: yaml[line-length]: Line too long",
        "ERROR: Error running ansible-doc: documentation of host_info is missing",
        "Error during importer proccessing: No manifest found in collection",
    ],
)
def test_each_complaint_is_one(line: str) -> None:
    """Even one that lets the import go on: certification refuses what it warns of."""
    assert line in problems(f"{WELL}{line}\n{DONE}", FILES)


def test_a_playbook_that_is_there_is_no_complaint() -> None:
    """galaxy-importer looks for it in the wrong folder; one that is not in the package is missed by everybody."""
    there, gone = (f"WARNING: ERROR    Failed to find dom0.xen.{name} playbook." for name in ("migrate", "migrated"))
    assert problems(f"{WELL}{there}\n{gone}\n{DONE}", (*FILES, "playbooks/migrate.yml")) == [gone]


def test_an_import_that_broke_off_is_not_passed() -> None:
    """Such as one without anything to complain about, since it never began."""
    assert problems("", FILES) == ["galaxy-importer did not come to its end"]


def test_a_package_that_leaves_tests_out_does_not_pass() -> None:
    """A list of exceptions for ansible-test hides what it would say."""
    found = problems(f"{WELL}{DONE}", (*FILES, "tests/sanity/ignore-2.21.txt"))
    assert found == ["tests/sanity/ignore-2.21.txt leaves tests out"]
