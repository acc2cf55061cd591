# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does on a host what it is asked, each request in a process of its own, as a module; runs there until its input ends.

A request and its answer are a line of JSON each. ``{"do": "sh", "line": ...}`` runs a line of bash, ``{"do": "py",
"text": ...}`` a program of Python; the others are those of ``asked.py``, which lies beside it with the collection.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import typing as t

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# Found only now: this file is started by its path, with no path of the collection.
from dom0_faults.inside.asked import answer  # noqa: E402


def respond(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the answer to one request."""
    if request["do"] == "py":
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(request["text"], "<asked>", "exec"), {"__name__": "__main__"})
        return {"status": 0, "stdout": said.getvalue(), "stderr": ""}
    if request["do"] != "sh":
        return answer(request)
    done = subprocess.run(
        ["bash", "-c", request["line"]], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            text = json.dumps(respond(json.loads(line)))
        except BaseException as exc:
            text = json.dumps({"error": {"code": "broken", "msg": repr(exc)}})
        with os.fdopen(1, "w") as out:
            out.write(text + "\n")
        os._exit(0)
    os.waitpid(child, 0)
