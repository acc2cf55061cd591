# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The toolstack's own scripts with fewer processes, while a guest stands still for them (private to the collection).

libxl attaches a copy's devices by scripts of tools/hotplug/Linux, which are bash's. Every second process that they
start answers what the shell knows itself (``dirname``, ``which``, ``expr``), or logs for debugging. Bash reads the file
that BASH_ENV names before a script: here it gives the shell functions with these names. The scripts are those of the
host, whoever has changed them, and run as they are written.
"""

from __future__ import annotations

import contextlib
import os
import syslog
import typing as t

VARIABLE = "BASH_ENV"
# What a script has to say for debugging is no more than this, in bytes.
LOG_MAX = 64 * 1024

# What is not one of the calls in tools/hotplug/Linux (xen-script-common.sh, logging.sh, ...) is left to the program.
FUNCTIONS = r"""
case ${0%/*} in */xen/scripts) ;; *) return 0 ;; esac

# A command that fails in a function would end the script without its trap for errors: it fails where it is called.
dirname() {
    case $#:$1 in
        1:?*/|*//*) command dirname "$@" || return ;;
        1:?*/*) printf '%s\n' "${1%/*}" ;;
        *) command dirname "$@" || return ;;
    esac
}

which() {
    case $#:$1 in
        1:[!-]*) type -P -- "$1" || return ;;
        *) command which "$@" || return ;;
    esac
}

expr() {
    local at=0
    case $#:$1:$2:$3:$4:$5 in
        *:index:*[!A-Za-z0-9_=.-]*:=:*|*:index::*|*:index:index:*|*:index:length:*|*:index:match:*|*:index:substr:*)
            command expr "$@" || return; return ;;
        3:index:*:=::|5:index:*:=:\>:1) ;;
        *) command expr "$@" || return; return ;;
    esac
    case $2 in *=*) at=${2%%=*}; at=$((${#at} + 1)) ;; esac
    [ $# = 3 ] || at=$((at > 1))
    printf '%s\n' "$at"
    [ "$at" != 0 ] || return
}

logger() {
    case $1:$2:$3 in
        -p:daemon.debug:--) shift 3; printf '%s\n' "$*" >>"$BASH_ENV.log" || return ;;
        *) command logger "$@" || return ;;
    esac
}
"""


class LightScripts:
    """For one ``xl`` and the scripts that it runs, until :meth:`end`. Where it cannot be done, they run as ever.

    ``folder`` is a session's folder in memory, that only root can read. ``environment`` is to be that of ``xl``.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "scripts.bash")
        self.environment: t.Mapping[str, str] = {}
        # Somebody else's, which does something that nobody here knows.
        if VARIABLE in os.environ:
            return
        with contextlib.suppress(OSError):
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(fd, "w", encoding="ascii") as file:
                file.write(FUNCTIONS)
            self.environment = {VARIABLE: self._path}

    def end(self) -> None:
        """Let the scripts that this ``xl`` runs later, when the guest ends, run as ever; what they logged is passed on.

        Bash takes no notice of a file that is not there.
        """
        if not self.environment:
            return
        self.environment = {}
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        with contextlib.suppress(OSError):
            with open(f"{self._path}.log", encoding="utf-8", errors="replace") as log:
                lines = log.read(LOG_MAX).splitlines()
            os.unlink(f"{self._path}.log")
            for line in lines:
                syslog.syslog(syslog.LOG_DAEMON | syslog.LOG_DEBUG, line)
