# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a move over the facts of both hosts; documented in plugins/modules/migration_check.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._checks import another, listening, network
from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    describe,
    errors,
    findings,
    line,
    plan,
    waived,
    warnings,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.processor import compared, most_there
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    Case,
    Finding,
    MoveRequest,
    Plan,
    PlannedPath,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import codes
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._mapping import sentence
from ansible_collections.dom0.xen.plugins.module_utils._methods import AUTO, COLD, HOW, LIVE
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import CHECK
from ansible_collections.dom0.xen.plugins.module_utils._transports import OVER, TLS
from ansible_collections.dom0.xen.plugins.plugin_utils import _moving as moving
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_of, latest

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Pure checking on the controller: facts in, one decision or all objections out."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Return the action and the plan, or fail with everything that speaks against the move."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(CHECK)
        if options["result_path"] and not self._task.check_mode:
            try:
                report.clear(options["result_path"])
            except Dom0XenError as exc:
                return {**result, "failed": True, "action": "refuse", **exc.as_result()}
        source_info = latest(options["source_info"], options["domain_info"])
        request = _request(options, source_info)
        try:
            source, destination = facts_of(source_info), facts_of(options["destination_info"])
            domain = _domain(options["domain_info"])
        except Dom0XenError as exc:
            exc.host = exc.host or options["source"] or None
            return {**result, "failed": True, "action": "refuse", **exc.as_result()}
        found = findings(source, destination, domain, request)
        planned = plan(source, destination, domain, request)
        case = Case(source, destination, domain, request)
        decision = moving.decide(case, planned)
        result.update(
            changed=False,
            findings=[finding.to_result() for finding in found],
            accepted=[],
            plan=planned.to_result() if planned else None,
        )
        if decision.action == moving.MIGRATE:
            # A domain without configuration or a host without facts gives findings, hence the test for errors first.
            if errors(found) or planned is None:
                message = describe(found, request, planned.domain.name if planned else None)
                result["warnings"] = _lines(waived(found))
                return {**result, **self._refuse(result, message, options)}
            accepted = (*waived(found), *warnings(found))
            result["warnings"] = _lines(accepted)
            result["accepted"] = [finding.to_result() for finding in accepted]
            result["changed"] = bool(self._task.check_mode)
        result.update(_outcome(case, decision, planned, options))
        if decision.action == moving.MIGRATE and not self._task.check_mode:
            result["msg"] += f" The session is {result['session']['session']}."
        return result

    def _refuse(self, result: Result, message: str, options: Result) -> Result:
        codes = [finding["code"] for finding in result["findings"] if finding["severity"] == "error"]
        refused: Result = {"failed": True, "msg": message, "code": codes[0] if codes else "refused", "action": "refuse"}
        if options["result_path"] and not self._task.check_mode:
            document = {key: options[key] for key in ("domain", "source", "destination")}
            try:
                report.write(
                    options["result_path"], {**document, "end_state": "refused", "findings": result["findings"]}
                )
            except Dom0XenError as exc:
                refused["msg"] = f"{message}\n{exc.as_result()['msg']}"
        return refused


def _lines(found: t.Iterable[Finding]) -> list[str]:
    return [line(finding) for finding in found]


def _request(options: Result, source_info: t.Mapping[str, t.Any]) -> MoveRequest:
    known = options["inventory"]
    source: str | None = options["source"] or None
    return MoveRequest(
        domain=options["domain"],
        source=source,
        destination=options["destination"],
        source_trouble=moving.trouble(source, source_info, known) if source else None,
        destination_trouble=moving.trouble(options["destination"], options["destination_info"], known),
        inventory=tuple(known),
        allow_same_host=options["allow_same_host"],
        method=options["method"],
        transport=options["transport"],
        allow_plain=options["allow_plain"],
        memory_reserve_mib=options["memory_reserve_mib"],
        dom0_memory_min_mib=options["dom0_memory_min_mib"],
        destination_address=options["destination_address"],
        waive=codes(options["waive"]),
        follow_config=options["follow_config"],
        allow_cold=options["allow_cold"],
        config_path=options["config_path"],
        map_bridges=moving.texts(options["map_bridges"]),
        map_disks=moving.texts(options["map_disks"]),
        preserve_domid=options["preserve_domid"],
        leave_paused=options["leave_paused"],
        **moving.network_asked(options),
    )


def _domain(info: Result) -> DomainFacts | None:
    domains = info.get("domains") or ()
    return DomainFacts.from_result(domains[0]) if domains else None


def _outcome(case: Case, decision: moving.Decision, planned: Plan | None, options: Result) -> Result:
    session = decision.session
    if session is not None and decision.action == moving.ADOPT:
        uuid, name = session.domain.uuid, session.domain.name
    else:
        uuid, name = (planned.domain.uuid, planned.domain.name) if planned else (None, None)
    path, most = _path(planned), most_there(case)
    address = path.destination.address or options["destination_address"]
    rows = {row.uuid: row for row in case.source.domains} if case.source else {}
    # One that is started anew may get more than it has, or less; the receiver is told of both.
    sizes = [each.memory_max_kib for each in (case.domain, another.arrival(case).domain) if each is not None]
    maximum = max((size for size in sizes if size is not None), default=None)
    return {
        "action": decision.action,
        "session": _session(case, decision, options["source_journal_path"]),
        "domain": {
            "uuid": uuid,
            "name": name,
            "memory_kib": rows[uuid].memory_mib * 1024 if uuid in rows else maximum,
            "memory_max_kib": maximum,
        },
        "source": {
            "name": options["source"],
            "runtime_path": case.source.runtime_path if case.source else None,
            "journal_path": options["source_journal_path"],
            "copies": _copies(case.source, uuid),
            "address": path.source.address,
        },
        "destination": {
            "name": options["destination"],
            "runtime_path": case.destination.runtime_path if case.destination else None,
            "journal_path": options["destination_journal_path"],
            "copies": _copies(case.destination, uuid),
            "address": address,
            "listen_address": listening.address(case, address),
            "features": ":".join(compared(case)),
            "cpu_policy": most.to_result() if most is not None else {},
        },
        "same_host": case.same_host,
        "msg": _summary(decision, name, planned, options),
    }


def _session(case: Case, decision: moving.Decision, journal_path: str) -> Result | None:
    """Return the session to begin, to watch, or to report; None when nobody knows how the domain got there."""
    runtime_path = case.source.runtime_path if case.source else None
    if decision.session is not None:
        return moving.session_files(decision.session.session, decision.session.pid, runtime_path, journal_path)
    if decision.action == moving.MIGRATE:
        return moving.session_files(moving.new_session(), None, runtime_path, journal_path)
    return None


def _path(planned: Plan | None) -> PlannedPath:
    return planned.path if planned is not None and planned.path is not None else PlannedPath()


def _copies(facts: HostFacts | None, uuid: str | None) -> list[Result]:
    return [row.to_result() for row in facts.domains if row.uuid == uuid] if facts else []


def _summary(decision: moving.Decision, name: str | None, planned: Plan | None, options: Result) -> str:
    source, destination = options["source"], options["destination"]
    if decision.action == moving.ALREADY_THERE:
        return f"{name} is already on {destination}; there is nothing to do."
    if decision.session is not None:
        text = f"Session {decision.session.session} already moves {name} from {source} to {destination}; it is watched."
        late = ", ".join(_too_late(options))
        return f"{text} It goes on as it was begun: what this run says of {late} does not change it." if late else text
    aside = ""
    if planned is not None and planned.mapped:
        aside += f" On {destination} {sentence(planned.mapped)}."
    if planned is not None and planned.config_path and planned.method != COLD:
        aside += f" It arrives as {planned.config_path} on {source} describes it."
    if planned is not None and planned.config_path and planned.method == COLD:
        aside += f" It is started from {planned.config_path} on {source}."
    if planned is not None and planned.leave_paused:
        aside += " It is left paused there."
    if planned is not None and planned.keep_domid:
        aside += f" It keeps its domid {planned.keep_domid}."
    if planned is not None and planned.autostart:
        aside += f" What {source} starts at boot of it is set aside there: {', '.join(planned.autostart)}."
    over = f"over {OVER[options['transport']]} {network.sentence(_path(planned), source)}"
    way = f"{HOW[LIVE]}, {over}"
    if planned is not None and planned.method != LIVE:
        way = f"{HOW[planned.method]}, {planned.method_reason}; {over}"
    return f"{name} can be moved from {source} to {destination} ({way}).{aside}"


def _too_late(options: Result) -> t.Iterator[str]:
    """Yield what the caller has asked for that a move which is under way has, or has not, from its beginning."""
    asked = {
        "migrate_method": options["method"] != AUTO,
        "migrate_transport": options["transport"] != TLS,
        "migrate_network": codes(options["network"]),
        "migrate_config": options["config_path"],
        "migrate_map_bridges": options["map_bridges"],
        "migrate_map_disks": options["map_disks"],
        "migrate_leave_paused": options["leave_paused"],
        "migrate_preserve_domid": options["preserve_domid"],
    }
    return (name for name, given in asked.items() if given)
