# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``host_info`` returned for a host, also when it failed, as facts (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts

Info = t.Mapping[str, t.Any]


def latest(source_info: Info, domain_info: Info) -> Info:
    """Return what the source said last: one that stops answering between two looks is not one without the domain."""
    return domain_info if domain_info.get("unreachable") or domain_info.get("failed") else source_info


def facts_of(info: Info) -> HostFacts | None:
    """Return the facts of one host, None when it gave none. Raises PolicyInvalid for a processor that is none."""
    if not info.get("host"):
        return None
    try:
        return HostFacts.from_result(info["host"])
    except Dom0XenError as exc:
        exc.host = exc.host or info["host"].get("hostname")
        raise


def facts_by_host(answers: t.Mapping[str, Info]) -> dict[str, HostFacts]:
    """Return the facts of those hosts that gave any."""
    return {host: facts for host, info in answers.items() if (facts := facts_of(info)) is not None}


def of_all(answers: t.Mapping[str, Info]) -> t.Mapping[str, Info]:
    """Return the answers of the inventory's hosts, none where some were left out, which then nobody has asked."""
    return {} if any(info.get("skipped") for info in answers.values()) else answers
