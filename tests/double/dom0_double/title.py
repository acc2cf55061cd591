# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a Python process show the command line of the program it stands in for."""

from __future__ import annotations

import os
import pathlib
import sys


def show(program: str) -> None:
    """Replace interpreter, its options and the script in /proc/self/cmdline by a program's path, and set comm.

    The arguments after the script stay. The path is filled up with slashes in front, as the length is fixed. Nothing
    happens where there is not enough room: the double works without.
    """
    pathlib.Path("/proc/self/comm").write_text(os.path.basename(program)[:15])
    line = pathlib.Path("/proc/self/cmdline").read_bytes()
    arguments = b"".join(argument.encode(errors="surrogateescape") + b"\0" for argument in sys.argv[1:])
    room = len(line) - len(arguments) - 1
    if room < len(program) or not line.endswith(arguments):
        return
    start = int(pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[45])
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(start)
        memory.write(program.rjust(room, "/").encode() + b"\0")
