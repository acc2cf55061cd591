# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does on a host what ``migration_settle`` and ``host_info`` do there, request by request, with points put into it.

A request and an answer are a line of JSON each; the first request has ``code``, the path of the collection.
"""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

_TESTS = pathlib.Path(__file__).resolve().parents[3]
for _folder in ("double", "faults"):
    sys.path.append(str(_TESTS / _folder))
sys.path.insert(0, json.loads(sys.stdin.readline())["code"])

# Found only now: this file is started by its path, with no path of the tests or the collection.
from dom0_double.faults import Faults  # noqa: E402
from dom0_double.paths import HostPaths  # noqa: E402

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._places import runtime_root  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._session import settle  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._session.here import Here  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._sessions_seen import sessions_seen  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl, find_binary  # noqa: E402
from dom0_faults.inside.wraps import wrap_settler  # noqa: E402

_PATHS = HostPaths.from_environment()
_FAULTS = Faults(_PATHS, lambda: None)
_AT_THE_GATE = ("tasks_done", "undo_started", "undone")


def _answer(request: dict[str, t.Any]) -> dict[str, t.Any]:
    if request["do"] == "seen":
        found = sessions_seen(request["runtime"], request["journal"])
        return {"sessions": [session.to_result() for session in found]}
    here = Here(
        runtime_root=runtime_root(request["runtime"]),
        journal_root=request["journal"],
        **{name: request[name] for name in ("session", "role", "uuid", "name", "settler")},
    )
    xl = Xl(subprocess_runner(), find_binary("xl"))
    if request["do"] == "look":
        return {"side": settle.look(here, xl, request["wait"]).to_result()}
    if request["do"] == "act":
        return settle.act(here, xl, settle.Act(request["verb"], request["status"], request["domid"]), request["wait"])
    if request["do"] in _AT_THE_GATE:
        return {"accepted": getattr(settle, request["do"])(here, request["wait"])}
    return {"changed": settle.conclude(here, request["owner"], request["end_state"], request["wait"])}


def main() -> None:
    """Answer requests until there are none."""
    wrap_settler(_PATHS.root, lambda point: void(_FAULTS.hit(point)))
    for line in sys.stdin:
        try:
            answer = _answer(json.loads(line))
        except Dom0XenError as exc:
            answer = {"error": exc.as_result()}
        except OSError as exc:
            answer = {"error": {"msg": str(exc), "code": "journal_failed"}}
        print(json.dumps(answer), flush=True)


def void(dummy: object) -> None:
    """Return nothing."""


main()
