# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A word to a session's process, said by a script on its host (pure; private to the collection).

The process itself has left what says it (module_utils/_session/process/asker.py). No module runs for it.
"""

from __future__ import annotations

import json
import shlex
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.process.asker import ANSWER, PROGRAM

__all__ = ["ANSWER", "asking_script", "parse_answer"]


def asking_script(folders: t.Sequence[str], request: t.Mapping[str, t.Any], timeout: float) -> str:
    """Return the script that asks the session whose runtime folder is the first of these that is there.

    ``request`` as for ``control.ask``, ``timeout`` in seconds. The answer is on the line that begins with ``ANSWER``;
    where there is none, the last line of standard error says why. The script leaves the shell that runs it as it was.
    """
    enter = " || ".join(f"cd {shlex.quote(folder)} 2>/dev/null" for folder in folders)
    missing = shlex.quote(f"{folders[0]} cannot be entered")
    ask = shlex.join(["sh", f"./{PROGRAM}", json.dumps(request), f"{timeout:g}"])
    # A program is started that lies there: only from a folder that nobody else can have put it into. Looked at from
    # within, so that it stays the same folder.
    closed = '"$(id -u)"drwx--[-S]---'
    refused = 'echo "$PWD is not closed to others" >&2; exit 1'
    return (
        f"( {enter} || {{ echo {missing} >&2; exit 1; }}; "
        f'case "$(stat -c %u%A .)" in {closed}) exec {ask};; *) {refused};; esac )'
    )


def parse_answer(line: str | None) -> dict[str, t.Any] | None:
    """Return what the session has answered, given the rest of the answer's line; None where that is no answer.

    One with ``silent`` says why the process gave none.
    """
    try:
        told = json.loads(line) if line else None
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
