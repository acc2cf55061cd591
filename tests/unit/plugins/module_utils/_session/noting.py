# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter of a host whose sessions note each process that they start, by the interpreter's own audit events.

Called as ``noting.py INTERPRETER FOLDER`` with what the interpreter is called with behind it: ``-c CODE ...`` by a
test, for what a module does, and ``-I -c CODE ROLE ...`` by that, for a session. Each role has a file in the folder,
with a line for each start: when it was, in nanoseconds of the monotonic clock, and what.
"""

from __future__ import annotations

import os
import sys
import time
import typing as t

_STARTS = frozenset(
    ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system", "pty.spawn")
)


def note(path: str) -> None:
    """Note every start of this process from now on."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if event in _STARTS:
            os.write(file, f"{time.monotonic_ns()} {event} {arguments!r:.500}\n".encode())

    sys.addaudithook(hook)


def main() -> None:
    """Run the code that is given."""
    interpreter, folder, *arguments = sys.argv[1:]
    # Where this file lies nothing is to be found.
    sys.path.pop(0)
    if arguments[0] == "-I":
        code, role = arguments[2], arguments[3]
        sys.argv = ["-c", *arguments[3:]]
        note(os.path.join(folder, role))
    else:
        code = arguments[1]
        sys.argv = ["-c", *arguments[2:]]
        # A session is started with this one as well.
        sys.executable = interpreter
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
