# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of all dom0s: what they told in, findings out (pure; private to the collection).

All that is done per domain, session, process and host is done once, so that hundreds of hosts cost seconds.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, WARNING
from ansible_collections.dom0.xen.plugins.module_utils._ownership import RUNNING_TWICE
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_copies import judge_copies
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_hosts import (
    judge_autostart,
    judge_monitors,
    judge_owed,
    judge_sessions,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import (
    INFO,
    SEVERITIES,
    Finding,
    Findings,
    Fleet,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import named

NEVER = "never"

# Findings that another look at the same hosts does not change.
_LASTING = ("host_not_asked", "host_twice")


@dataclasses.dataclass(frozen=True)
class Answer(Record):
    """What a host said: its facts, or why there are none (``message``); ``reachable`` tells whether it answered."""

    RECORDS = {"facts": HostFacts}

    facts: HostFacts | None
    reachable: bool = True
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Audit(Record):
    """The outcome. ``domains`` counts all domains of the hosts that told theirs, their own excepted.

    ``silent`` are the hosts of the inventory whose domains are not known, asked or not; with one of them nothing is
    certain.
    """

    RECORDS = {"findings": Finding}

    hosts: tuple[str, ...]
    silent: tuple[str, ...]
    domains: int
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether every host of the inventory told its domains."""
        return not self.silent

    @property
    def clean(self) -> bool:
        """Whether all hosts are known and nothing is wrong; what is only explained is not wrong."""
        return self.complete and not self.counts[ERROR] and not self.counts[WARNING]

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings of each severity."""
        counts = dict.fromkeys(SEVERITIES, 0)
        for finding in self.findings:
            counts[finding.severity] += 1
        return counts

    @property
    def look_again(self) -> tuple[str, ...]:
        """Hosts that something was found on, which may look so only because hosts are looked at one after another."""
        doubtful = (f for f in self.findings if f.severity != INFO and f.code not in _LASTING)
        return tuple(sorted({host for finding in doubtful for host in finding.hosts}))

    def for_inventory(self, inventory: str) -> Audit:
        """Return it with ``inventory``, as a shell takes it, in the commands of its remedies."""
        findings = tuple(dataclasses.replace(each, remedy=named(each.remedy, inventory)) for each in self.findings)
        return dataclasses.replace(self, findings=findings)

    def fails(self, fail_on: str) -> bool:
        """Say whether there is a finding of this severity (error, warning) or above; never when told so."""
        if fail_on == NEVER:
            return False
        return any(self.counts[severity] for severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1])


def audit(answers: t.Mapping[str, Answer], inventory: t.Collection[str]) -> Audit:
    """Judge what the hosts that were asked said; ``inventory`` are all dom0s, of which a limit may leave out some."""
    told = {host: answer.facts for host, answer in answers.items() if answer.facts and _tells_domains(answer.facts)}
    not_asked = sorted(set(inventory) - set(answers))
    silent = tuple(sorted([*(set(answers) - set(told)), *not_asked]))
    hosts, aliases = _each_once(told)
    fleet = Fleet(hosts, silent)
    found = [
        *judge_copies(fleet),
        *judge_sessions(fleet),
        *judge_owed(fleet),
        *judge_autostart(fleet),
        *judge_monitors(fleet),
        *_silent_hosts(answers, told),
        *_hosts_not_asked(not_asked),
        *aliases,
        *_problems(hosts),
    ]
    found.sort(key=lambda finding: (SEVERITIES.index(finding.severity), finding.code != RUNNING_TWICE))
    # One that moves has a copy on two hosts, and is one all the same.
    domains = len({row.uuid for facts in hosts.values() for row in facts.domains if row.domid != 0})
    return Audit(tuple(sorted(answers)), silent, domains, tuple(found))


def _tells_domains(facts: HostFacts) -> bool:
    # Every host that has Xen lists at least its own domain.
    return any(row.domid == 0 for row in facts.domains)


def _each_once(told: t.Mapping[str, HostFacts]) -> tuple[dict[str, HostFacts], list[Finding]]:
    """Return each machine once, so that a domain is not taken for two, and the findings about further names."""
    names: dict[tuple[str, str], str] = {}
    hosts, aliases = {}, []
    for host, facts in told.items():
        first = names.setdefault((facts.boot_id, facts.hostname), host)
        if first == host:
            hosts[host] = facts
        else:
            message = f"{first} and {host} are one machine; it is counted once."
            remedy = f"Take {host} or {first} out of the inventory's group of dom0s."
            aliases.append(Finding("host_twice", WARNING, (first, host), None, message, remedy))
    return hosts, aliases


def _silent_hosts(answers: t.Mapping[str, Answer], told: t.Container[str]) -> Findings:
    for host, answer in answers.items():
        if host in told:
            continue
        if not answer.reachable:
            message = f"{host} did not answer{f': {answer.message}' if answer.message else ''}."
            remedy = "Until it answers or is known to be off, any domain may run there as well."
            yield Finding("host_unreachable", ERROR, (host,), None, _one_stop(message), remedy)
            continue
        problem = answer.facts.problems[0] if answer.facts and answer.facts.problems else None
        why = problem.message if problem else answer.message
        message = f"{host} did not tell its domains{f': {why}' if why else ''}."
        remedy = problem.remedy if problem else "Run it with -v to see what went wrong on the host."
        yield Finding("host_without_facts", ERROR, (host,), None, _one_stop(message), remedy)


def _one_stop(message: str) -> str:
    return message[:-1] if message.endswith(("..", "!.", "?.")) else message


def _hosts_not_asked(not_asked: t.Sequence[str]) -> Findings:
    if not_asked:
        names = ", ".join(not_asked[:5]) + (f" and {len(not_asked) - 5} more" if len(not_asked) > 5 else "")
        message = f"Not asked: {names}. A second copy there is not seen."
        remedy = "Run the audit over the whole inventory, without --limit."
        yield Finding("host_not_asked", WARNING, tuple(not_asked), None, message, remedy)


def _problems(hosts: t.Mapping[str, HostFacts]) -> Findings:
    """Yield what keeps hosts that told their domains from telling the rest, such as a XenStore that does not answer."""
    for host, facts in hosts.items():
        for problem in facts.problems:
            message = _one_stop(f"{host}: {problem.message}.")
            yield Finding(problem.code, WARNING, (host,), None, message, problem.remedy)


def describe(result: Audit) -> list[str]:
    """Return lines for people: one that says it all, then each finding, and indented what to do about it."""
    asked, counts = len(result.hosts), result.counts
    head = f"{asked} {_plural('host', asked)}, {result.domains} {_plural('domain', result.domains)}: "
    head += ", ".join(f"{counts[s]} {_plural(s, counts[s])}" for s in (ERROR, WARNING) if counts[s]) or "nothing wrong"
    head += (
        "."
        if result.complete
        else f". Not complete: {len(result.silent)} {_plural('host', len(result.silent))} not known."
    )
    lines = [head]
    for finding in result.findings:
        lines.append(f"{finding.severity.upper()} {finding.code}: {finding.message}")
        if finding.remedy:
            lines.append(f"  {finding.remedy}")
    return lines


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
