# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options given with -e that nothing has: a typing error, which Ansible takes without a word (private)."""

from __future__ import annotations

import difflib
import pathlib
import typing as t

import yaml

ROLES = ("migrate", "settle", "evacuate", "maintain", "prepare")
PREFIXES = tuple(f"{name}_" for name in (*ROLES, "apply", "audit", "plan", "rebalance", "report", "restore"))
# What the playbooks read besides their roles' options; a test compares it with what is documented.
OF_PLAYBOOKS = (
    *("apply_leave", "apply_parallel", "apply_result_path", "apply_results_path", "apply_stale_after"),
    *("apply_take_over", "apply_timeout", "audit_fail_on", "audit_result_path"),
    *("evacuate_make_room", "evacuate_parallel", "evacuate_result_path", "evacuate_results_path", "evacuate_retries"),
    *("evacuate_stale_after", "evacuate_take_over", "evacuate_timeout"),
    *("maintain_anew", "maintain_result_path", "maintain_return", "maintain_stale_after", "maintain_take_over"),
    *("plan_artifact", "plan_expires_s", "plan_leave", "plan_path", "plan_vcpus_per_cpu"),
    *("migrate_rows", "rebalance_cost_percent", "rebalance_max_moves", "rebalance_threshold_percent"),
    *("report_path", "report_reference"),
    *("restore_leave_paused", "restore_switched_off", "restore_verify", "restore_waive"),
)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COLLECTION = pathlib.Path(__file__).resolve().parents[2]


def known() -> set[str]:
    """Return every option with such a prefix, from the roles' specifications and of the playbooks."""
    names = set(OF_PLAYBOOKS)
    for role in ROLES:
        text = (_COLLECTION / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
        for spec in yaml.load(text, Loader=_LOADER)["argument_specs"].values():
            names.update(spec.get("options") or ())
    return names


def unknown(given: t.Iterable[str], names: t.Collection[str]) -> list[str]:
    """Return a warning for each name among those ``given`` that looks like an option and is none of ``names``."""
    lost = sorted(name for name in given if name.startswith(PREFIXES) and name not in names)
    return [f"No playbook or role of dom0.xen has an option {name}{_instead(name, names)}." for name in lost]


def _instead(name: str, names: t.Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.8)
    return f"; it has {close[0]}" if close else ""
