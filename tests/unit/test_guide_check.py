# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to the check says of every finding what is true."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import WARNING
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES, WAIVABLE

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "guide_check.rst"
TEXT = GUIDE.read_text(encoding="utf-8")
ROW = re.compile(r"^   \* - ``(\w+)``\n     - (\w+)\n     -(?: (\w+))?\n     - (.+)\n     - (.+)$", re.MULTILINE)


def test_the_tables_have_every_code_with_its_severity_and_whether_it_can_be_waived() -> None:
    """Once each, with a meaning and a remedy."""
    rows = [match.groups() for match in ROW.finditer(TEXT)]
    assert len(rows) == TEXT.count("   * - ``")
    told = {code: (severity, waive) for code, severity, waive, dummy, dummy in rows}
    assert len(told) == len(rows)
    expected = {
        code: (severity, None if severity == WARNING else "yes" if code in WAIVABLE else "no")
        for code, severity in CODES.items()
    }
    assert told == expected


def test_what_somebody_answers_for_is_told_in_the_same_words() -> None:
    """For each code that can be waived."""
    plain = TEXT.replace("``xl``", "xl")
    missing = [
        code for code, reason in WAIVABLE.items() if not re.search(rf"^``{code}`` +{re.escape(reason)}$", plain, re.M)
    ]
    assert missing == []


CAUSES = GUIDE.with_name("causes.rst")
# What is wrong with the question, or with asking a host, is no cause for a migration to fail.
_ASKING = re.compile(
    r"host_|waiver_|map_|domain_(?:is|unknown|gone|ambiguous|on|not|missing)|move_name|x[le]n?(?:store)?_(?!older)|pyxs_"
    r"|no_(?:xen|runtime)|not_root|toolstack_|same_host|address_|config_name_|paramiko_|plain_"
)


def test_each_cause_has_its_findings() -> None:
    """The table of causes names every finding about a domain and what it needs, and none that does not exist."""
    text = CAUSES.read_text(encoding="utf-8")
    cells = re.findall(r"^     - ((?:refuses|warns|compares|counts|chooses|what is missing).+)$", text, re.MULTILINE)
    named = {code for cell in cells for code in re.findall(r"``([a-z0-9]+(?:_[a-z0-9]+)+|vtpm|vnuma)``", cell)}
    named -= {"migrate_before_tasks"}
    assert named <= CODES.keys()
    assert {code for code in CODES if not _ASKING.match(code)} - named == set()
