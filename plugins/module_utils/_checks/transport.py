# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the bytes travel as they are to? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding
from ansible_collections.dom0.xen.plugins.module_utils._transports import SSH, TCP


def tools(case: Case) -> t.Iterator[Finding]:
    """The source can speak ssh; the destination has an sshd, or Ansible would not be there."""
    if case.request.transport != SSH or case.source is None or case.source.paramiko:
        return
    yield case.error(
        "paramiko_missing",
        case.source_name,
        f"the Python of {case.source_name} has no paramiko, which the transport ssh takes.",
        f"Run `{_commands.playbook('prepare', f'--limit {case.source_name} -e prepare_ssh=true')}`, or use the"
        " transport tls.",
    )


def plain(case: Case) -> t.Iterator[Finding]:
    """The memory of a guest is not sent readable by mistake: that takes two words, and is told."""
    request = case.request
    if request.transport != TCP:
        return
    if not request.allow_plain:
        yield case.error(
            "plain_not_allowed",
            case.source_name,
            f"over the transport tcp everybody on the way to {request.destination} could read and change the memory of"
            " the domain.",
            "Use the transport tls; or, on a network that nobody else is on, set migrate_allow_plain to true as well.",
        )
        return
    yield case.warning(
        "plain_transport",
        case.source_name,
        f"the domain travels to {request.destination} without encryption; who is on the way can read and change it.",
        "Use the transport tls unless nobody else is on that network.",
    )
