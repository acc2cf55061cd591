# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks do on a host, request by request, without Ansible: ``migration_receive``, ``migration_send``,
``migration_gate``, ``migration_settle`` and what ``host_info`` says of sessions.

A request is an object of JSON. ``do`` says what; ``runtime`` and ``journal`` are the folders of sessions. It knows the
collection only, so that the hosts of the lab can have it as well.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER, runtime_root, session_folder
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.launch import launch, prepare
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import conclusion, settle
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import (
    ReceiverSettings,
    SenderSettings,
    Settings,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl, find_binary

Document = dict[str, t.Any]

_AT_THE_GATE = ("tasks_done", "undo_started", "undone")


def answer(request: Document) -> Document:
    """Do what is asked; an error of the collection, or a record that could not be written, is an answer too."""
    try:
        return _do(request)
    except Dom0XenError as exc:
        return {"error": exc.as_result()}
    except OSError as exc:
        return {"error": {"msg": str(exc), "code": "journal_failed"}}


def _do(request: Document) -> Document:
    what = request["do"]
    if what == "start":
        return start(request)
    if what == "seen":
        found = sessions_seen(request["runtime"], request["journal"])
        return {"sessions": [session.to_result() for session in found]}
    if what == "status":
        folder = session_folder(request["runtime"], request["session"], request["role"])
        return {"status": documents.read(os.path.join(folder, documents.STATUS))}
    if what == "say":
        folder = session_folder(request["runtime"], request["session"], request["role"])
        return control.ask(folder, {"command": request["command"]}, control.ANSWER_S)
    here = Here(
        runtime_root=runtime_root(request["runtime"]),
        journal_root=request["journal"],
        **{name: request[name] for name in ("session", "role", "uuid", "name", "settler")},
    )
    xl = Xl(subprocess_runner(), find_binary("xl"))
    if what == "look":
        return {"side": settle.look(here, xl, request["wait"]).to_result()}
    if what == "act":
        return settle.act(here, xl, settle.Act(request["verb"], request["status"], request["domid"]), request["wait"])
    if what in _AT_THE_GATE:
        return {"accepted": getattr(settle, what)(here, request["wait"])}
    return {"changed": conclusion.conclude(here, xl, request["owner"], request["end_state"], request["wait"])}


def start(request: Document) -> Document:
    """Start one side of a session: ``role``, ``session``, ``key``, ``certificate``, ``timeout`` and ``settings``, which
    are all that :class:`Settings` has but the folders. Returns what the daemon told.
    """
    os.umask(0o077)
    role, session = request["role"], request["session"]
    kind: type[Settings] = SenderSettings if role == SENDER else ReceiverSettings
    folder = session_folder(request["runtime"], session, role)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for name in ("key", "certificate"):
        with open(os.path.join(folder, f"{name}.pem"), "w", encoding="ascii") as handle:
            handle.write(request[name])
    places = prepare(request["runtime"], request["journal"], session, role)
    own = {"session": session, "runtime_folder": places.runtime, "journal_folder": places.journal}
    settings = kind.from_document({**request["settings"], **own, "xl": find_binary("xl")})
    return launch(places, role, settings, request["timeout"])
