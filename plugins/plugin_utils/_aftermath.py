# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to tell of a move beside the domain itself: its files, its life, what is not as it was, and what has
carried it (pure; private to the collection).
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands, _lifeless
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import LOST
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import AFTER_DONE, AFTER_OWED, after_tasks
from ansible_collections.dom0.xen.plugins.module_utils._ownership import MOVED, STAYED
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.plugin_utils import _carried as carried
from ansible_collections.dom0.xen.plugins.plugin_utils import _stop_told as stop_told
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import seconds

Document = t.Mapping[str, t.Any]

# This run has run what an earlier one still owed.
CAUGHT_UP = "caught_up"
NOT_ALIVE = "moved_not_alive"

_WORDS = {
    "vcpus": "its vCPUs that are online",
    "vcpus_max": "the most vCPUs that it may have",
    "weight": "its weight for the scheduler",
    "cap": "its cap for the scheduler, in percent of a processor (0: none)",
    "memory_target_kib": "its memory target in KiB",
    "memory_max_kib": "its most memory in KiB",
    "scheduler": "the host's scheduler",
    "affinity_hard": "the processors that its vCPUs may run on",
    "affinity_soft": "the processors that its vCPUs should run on",
    "clock_source": "its time stamp counter (TSC)",
}
_REMEDIES = {
    "weight": "Set it with xl sched-credit2 -d NAME -w WEIGHT, and write cpu_weight into the configuration.",
    "cap": "Set it with xl sched-credit2 -d NAME -c CAP, and write cap into the configuration.",
    "affinity_hard": "Set it with xl vcpu-pin NAME VCPU CPUS, and write cpus into the configuration.",
    "affinity_soft": "Set it with xl vcpu-pin NAME VCPU - CPUS, and write cpus_soft into the configuration.",
    "clock_source": "`xl debug-keys s` and `xl dmesg` tell whether it is emulated: then it is slow until the guest is"
    " started anew.",
}
_LOOK = "See whether it is right for this host."


def of_session(info: Document, session: str | None, role: str) -> Document:
    """Return what a side of a session has told on its host, empty where that was not heard."""
    for document in info.get("sessions") or ():
        if document.get("role") == role and (session is None or document.get("session") == session):
            return t.cast("Document", document)
    return {}


def tell(
    session: str | None, source: Document, destination: Document, status: Document, end_state: str
) -> dict[str, t.Any]:
    """Return ``belongings``, ``path``, ``packing``, ``stop_prediction``, ``liveness``, ``differences`` and ``domid``.

    They are part of the result, and come from both looks; of the guest's life the side tells that has the domain in
    the end. ``status`` is the sender's last one that was read, where the source did not answer afterwards.
    """
    sender = of_session(source, session, SENDER) or status
    receiver = of_session(destination, session, RECEIVER)
    return {
        "belongings": {"source": sender.get("belongings"), "destination": receiver.get("belongings")},
        "path": {"source": sender.get("path"), "destination": receiver.get("path")},
        "packing": sender.get("packing"),
        "stop_prediction": sender.get("stop_prediction"),
        "liveness": (sender if end_state == STAYED else receiver).get("liveness"),
        "differences": receiver.get("differences"),
        "domid": next((copy["domid"] for copy in destination.get("copies") or () if _arrived(copy)), None),
    }


def _arrived(copy: Document) -> bool:
    return not str(copy["name"]).endswith((INCOMING, MIGRATED_AWAY))


def monitor(end_state: str, source: Document, destination: Document) -> str | None:
    """Return whether ``xl``'s process still handles the domain's end where it is, ``kept`` or ``lost``, else None."""
    look = {MOVED: destination, STAYED: source}.get(end_state, {})
    return next((copy.get("monitor") for copy in look.get("copies") or () if _arrived(copy)), None)


def after(session: str | None, source: Document, destination: Document, run: str) -> str | None:
    """Return whether the tasks after the move are owed, or were caught up with by this run, which has ``none`` itself,
    or was ``given`` them; else None.
    """
    if run != "none":
        return CAUGHT_UP if run == CAUGHT_UP else None
    sides = (of_session(source, session, SENDER), of_session(destination, session, RECEIVER)) if session else ()
    told = [after_tasks(side.get("journal") or ()) for side in sides]
    return AFTER_OWED if AFTER_OWED in told and AFTER_DONE not in told else None


def remarks(result: Document, source: str, destination: str) -> list[dict[str, t.Any]]:
    """Return what a person should know about the domain, each with its host and a remedy."""
    moved = result["end_state"] == MOVED
    found = _moved(result, source, destination) if moved else []
    if result["end_state"] == STAYED and _lifeless.is_lifeless(result["liveness"]):
        found.append(_stayed(result, source))
    if result.get("after_tasks") == AFTER_OWED:
        msg = "the tasks that come after the move (migrate_after_tasks) are not on record as run, and this run does not"
        msg += " run them."
        words = (f"-e domain={result['domain']['uuid']}", "-e migrate_after_tasks=/ABSOLUTE/PATH")
        remedy = f"If the run that began the move has ended, run them: `{_commands.playbook('settle', *words)}`"
        found.append(_remark("after_tasks_owed", destination if moved or not source else source, msg, remedy))
    if result.get("monitor") == LOST:
        # Up to Xen 4.19 it leaves a domain that suspends (tools/xl/xl_vmcontrol.c handle_domain_death).
        msg = "no process of xl handles the domain's end any more: when its guest reboots, it stays down."
        name = result["domain"]["name"]
        remedy = (
            f"No command gives it one. When it suits, reboot it in this way: xl shutdown -w {name}, xl destroy {name}"
            " if it is still listed, and xl create with its configuration file."
        )
        found.append(_remark("monitor_missing", destination if moved else source, msg, remedy))
    return found


def _moved(result: Document, source: str, destination: str) -> list[dict[str, t.Any]]:
    found = []
    for role, host in (("source", source), ("destination", destination)):
        for remark in (result["belongings"][role] or {}).get("remarks") or ():
            found.append({**remark, "host": host})
        found += carried.remarks(result["path"][role], role, host)
    life = result["liveness"] or {}
    if life.get("alive") is None and life:
        words = "; ".join(life["unseen"])
        msg = f"nothing was seen in {seconds(life['waited_ms'] / 1000)} that only a domain that runs can do: {words}."
        found.append(_remark("life_unproven", destination, msg, "Look at its console (xl console)."))
    elif life.get("alive"):
        for mac in life["macs"]:
            if not mac["heard"]:
                msg = f"{mac['bridge']} has not heard {mac['mac']}: switches may still send its packets elsewhere."
                found.append(
                    _remark("mac_not_heard", destination, msg, "Let the guest send something, such as a ping.")
                )
    wanted, has = result.get("keep_domid"), result.get("domid")
    if wanted and has not in (None, wanted):
        msg = f"its domid is {has}, and was to stay {wanted}."
        found.append(_remark("domid_not_kept", destination, msg, "Tell what goes by its domid the new one."))
    found += stop_told.remarks(result, source)
    for difference in result["differences"] or ():
        what = difference["what"]
        msg = f"{_WORDS.get(what, what)} was {difference['before']} before, and is {difference['after']} now."
        found.append(_remark("differs", destination, msg, _REMEDIES.get(what, _LOOK)))
    return found


def _stayed(result: Document, source: str) -> dict[str, t.Any]:
    life = result["liveness"]
    code = "life_unproven" if life.get("alive") is None else "stayed_not_alive"
    return _remark(code, source, _lifeless.message(life), _lifeless.remedy(result["domain"]["name"], life))


def failure(result: Document, name: str, destination: str) -> dict[str, t.Any] | None:
    """Return the error of a domain that has moved and is not alive, else None."""
    life = result["liveness"] or {}
    if result["end_state"] != MOVED or life.get("alive") is not False:
        return None
    missing, waited = "; ".join(life["missing"]), seconds(life["waited_ms"] / 1000)
    return {
        "code": NOT_ALIVE,
        "host": destination,
        "msg": f"{destination}: {name} has moved and is not alive after {waited}: {missing}.",
        "remedy": f"Nothing was undone. Look at its console (xl console {name}) and its devices on {destination}.",
        "details": {"missing": list(life["missing"])},
    }


def line(remark: Document) -> str:
    """Return a remark for people."""
    return f"{remark['host']}: {remark['msg']} Remedy: {remark['remedy']}"


def _remark(code: str, host: str, msg: str, remedy: str) -> dict[str, t.Any]:
    return {"code": code, "host": host, "msg": msg, "remedy": remedy}
