# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that end with the one that started them, however it ends."""

from __future__ import annotations

import os
from collections.abc import Sequence

# The kernel sends nothing for a parent that died before the wish was made: the shell, started after it, looks.
_LIVES = '[ "$PPID" = "$0" ] && exec "$@"'


def with_parent(signal: str, command: Sequence[str]) -> list[str]:
    """Return the command that runs ``command`` as this process's child, and gets a signal when this process is gone.

    ``signal`` is its name without SIG. Call it in the process that will be the parent.
    """
    return ["setpriv", "--pdeathsig", signal, "sh", "-c", _LIVES, str(os.getpid()), *command]
