# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistyped option is known from all that there are, and nobody else's variable is taken for one."""

from __future__ import annotations

import pathlib

import yaml

from ansible_collections.dom0.xen.plugins.plugin_utils._option_names import OF_PLAYBOOKS, PREFIXES, known, unknown

ROOT = pathlib.Path(__file__).resolve().parents[4]


def test_every_documented_option_is_known() -> None:
    """Those of the playbooks are listed by hand: one that is missing would be warned of, one too many never would."""
    reference = yaml.safe_load((ROOT / "docs" / "reference.yml").read_text())
    documented = {name for entry in reference.values() for name in entry.get("options") or ()}
    assert unknown(documented, known()) == []
    roles = known() - set(OF_PLAYBOOKS)
    assert set(OF_PLAYBOOKS) == {name for name in documented - roles if name.startswith(PREFIXES)}


def test_what_is_warned_of() -> None:
    """The name that was meant is told where one is near.

    One of the audit says what fails it: without a word a warning that should have would pass for the all-clear.
    """
    given = [
        "audit_fail_at",
        "migrate_metod",
        "settle_whatever",
        "migrate_method",
        "gate_change",
        "domain",
        "migration_id",
    ]
    assert unknown(given, known()) == [
        "No playbook or role of dom0.xen has an option audit_fail_at; it has audit_fail_on.",
        "No playbook or role of dom0.xen has an option migrate_metod; it has migrate_method.",
        "No playbook or role of dom0.xen has an option settle_whatever.",
    ]
