# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit takes and gives: the fleet as its hosts showed it, and findings (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, WARNING
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    INCOMING,
    MIGRATED_AWAY,
    DomainRow,
    HostFacts,
    SessionDomain,
    SessionSeen,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import DESTINATION
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import DYING, RUNNING

INFO = "info"
# With the whole domain, and without the permission, a receiver does not give up by itself (module_utils/_session/
# deciding/destination.py).
_KEEPS = ("transferred", "gate")
SEVERITIES = (ERROR, WARNING, INFO)


def own_name(name: str) -> str:
    """Return the name of a domain without what xl appends while it moves."""
    return name.removesuffix(INCOMING).removesuffix(MIGRATED_AWAY)


def settle(domain: SessionDomain, *words: str) -> str:
    """Return the command that settles the sessions of a domain, with ``words`` behind it, between backticks."""
    return f"`{_commands.playbook('settle', f'-e domain={domain.uuid or domain.name}', *words)}`"


@dataclasses.dataclass(frozen=True)
class CopySeen(Record):
    """A domain on a host; ``state`` is running, paused, suspended or shut_down; processor time in seconds."""

    host: str
    domid: int
    uuid: str
    name: str
    state: str
    cpu_time_s: float

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.state == RUNNING

    @property
    def moving_name(self) -> bool:
        """Whether it still has a name that xl gives while a domain moves."""
        return self.name.endswith((INCOMING, MIGRATED_AWAY))

    def __str__(self) -> str:
        return f"{self.host} ({self.name}, domid {self.domid}, {self.state.replace('_', ' ')})"


@dataclasses.dataclass(frozen=True)
class Finding(Record):
    """Something that should not be (error, warning), or that explains what was seen (info).

    ``code`` is stable and for programs; ``remedy`` is what to type, empty where nothing is to be done.
    """

    RECORDS = {"domain": SessionDomain, "copies": CopySeen}

    code: str
    severity: str
    hosts: tuple[str, ...]
    domain: SessionDomain | None
    message: str
    remedy: str = ""
    copies: tuple[CopySeen, ...] = ()


Findings = t.Iterator[Finding]


@dataclasses.dataclass(frozen=True)
class Fleet:
    """The hosts that told which domains they have, each once. What is asked of it again and again is worked out once.

    ``silent`` are the hosts of the inventory of which that is not known, whether they were asked or not.
    """

    hosts: t.Mapping[str, HostFacts]
    silent: tuple[str, ...] = ()

    @functools.cached_property
    def copies(self) -> dict[str, list[CopySeen]]:
        """Domains by UUID, without the hosts' own and those that are just being torn down, which never run again."""
        found: dict[str, list[CopySeen]] = {}
        for host, facts in self.hosts.items():
            for row in facts.domains:
                if row.domid != 0 and row.state.word != DYING:
                    found.setdefault(row.uuid, []).append(copy_of(host, row))
        return found

    @functools.cached_property
    def hosts_by_name(self) -> dict[str, list[str]]:
        """Hosts that have a domain of this name, by its own name."""
        found: dict[str, list[str]] = {}
        for copies in self.copies.values():
            for copy in copies:
                found.setdefault(own_name(copy.name), []).append(copy.host)
        return found

    @functools.cached_property
    def sessions(self) -> dict[str, list[tuple[str, SessionSeen]]]:
        """Sessions by their identity, each side with its host."""
        found: dict[str, list[tuple[str, SessionSeen]]] = {}
        for host, facts in self.hosts.items():
            for session in facts.sessions:
                found.setdefault(session.session, []).append((host, session))
        return found

    @functools.cached_property
    def moving(self) -> dict[str, list[tuple[str, SessionSeen]]]:
        """The live sides of sessions by the UUID of their domain, each with its host."""
        found: dict[str, list[tuple[str, SessionSeen]]] = {}
        for host, facts in self.hosts.items():
            for session in facts.sessions:
                if session.alive and session.domain.uuid:
                    found.setdefault(session.domain.uuid, []).append((host, session))
        return found

    @functools.cached_property
    def in_doubt(self) -> dict[str, str]:
        """The newest session of a domain, by its UUID, where that has neither a live process nor a good end."""
        found: dict[str, str] = {}
        for facts in self.hosts.values():
            for session in newest(facts):
                if session.domain.uuid and unfinished(session):
                    found.setdefault(session.domain.uuid, session.session)
        return found

    def is_left_alone(self, session: SessionSeen) -> bool:
        """Say whether it is a receiver whose sender is gone and has not told it so: it keeps its copy for whoever
        settles.

        Of a sender that is only about to begin nothing tells the domain. One whose domain has moved had heard so from
        the receiver, which was looked at before.
        """
        senders = [each for dummy, each in self.sessions.get(session.session, ()) if each.role == SENDER]
        keeps = session.phase in _KEEPS
        return session.role == RECEIVER and any(
            (unfinished(each) and each.domain.uuid) or (keeps and each.over and each.owner != DESTINATION)
            for each in senders
        )

    def is_fine(self, uuid: str) -> bool:
        """Say whether exactly one copy is known and runs under its own name."""
        copies = self.copies.get(uuid, ())
        return len(copies) == 1 and copies[0].runs and not copies[0].moving_name


def copy_of(host: str, row: DomainRow) -> CopySeen:
    """Return a line of ``xl list`` as a copy."""
    return CopySeen(host, row.domid, row.uuid, row.name, row.state.word, row.cpu_time_s)


def unfinished(session: SessionSeen) -> bool:
    """Say whether a side of a session has gone without knowing where the domain is."""
    return not session.alive and not session.over


def newest(facts: HostFacts) -> t.Iterator[SessionSeen]:
    """Yield a host's sessions without those that a newer one of the same domain has made history, newest first.

    A newer one that ended with an owner says where the domain is. Sessions are told newest first.
    """
    known: set[str] = set()
    for session in facts.sessions:
        uuid = session.domain.uuid
        if uuid is None or uuid not in known:
            yield session
        if uuid is not None and session.over:
            known.add(uuid)
