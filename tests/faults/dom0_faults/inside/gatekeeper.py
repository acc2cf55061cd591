# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run that holds the gate (``gate: controller``): what the watch and the role's ``gate.yml``, ``refuse.yml`` and
``undo.yml`` do.

Reads a JSON document from standard input: ``code``, ``runtime``, ``session``, ``storage`` (a file) and ``refuse``.
The caller's tasks hand the storage to the destination, and with ``refuse`` the last of them fails.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time
import typing as t

_TESTS = pathlib.Path(__file__).resolve().parents[3]
for _folder in ("double", "faults"):
    sys.path.append(str(_TESTS / _folder))
document = json.load(sys.stdin)
sys.path.insert(0, document["code"])

# Found only now: this file is started by its path, with no path of the tests or the collection.
from dom0_double import processes  # noqa: E402
from dom0_double.faults import Faults  # noqa: E402
from dom0_double.paths import HostPaths  # noqa: E402

from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER, session_folder  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control  # noqa: E402
from dom0_faults import storage  # noqa: E402
from dom0_faults.names import DESTINATION, SOURCE  # noqa: E402

FOLDER = session_folder(document["runtime"], document["session"], SENDER)
LOG = pathlib.Path(document["storage"])
POLL_S = 0.03
FAULTS = Faults(HostPaths.from_environment(), lambda: None)


def held() -> bool:
    """Wait for the gate; return whether the session came there."""
    while True:
        status: dict[str, t.Any] | None = documents.read(f"{FOLDER}/{documents.STATUS}")
        if status is None or not processes.alive(status["pid"]):
            return False
        if status["gate"]["waits"]:
            return True
        time.sleep(POLL_S)


def say(command: str) -> bool:
    """Return whether the sender took the word."""
    try:
        return bool(control.ask(FOLDER, {"command": command}, control.ANSWER_S).get("accepted"))
    except control.SessionSilent:
        return False


def permitted() -> bool:
    """Run the tasks at the gate and give the permission."""
    if not say(control.GATE_START):
        return False
    FAULTS.hit("gate.tasks.before")
    storage.hand(LOG, DESTINATION)
    FAULTS.hit("gate.tasks.after")
    return not document["refuse"] and say(control.PERMIT)


if held() and not permitted() and say(control.REFUSE) and say(control.UNDO_START):
    FAULTS.hit("gate.undo.before")
    storage.hand(LOG, SOURCE)
    FAULTS.hit("gate.undo.after")
    say(control.UNDONE)
