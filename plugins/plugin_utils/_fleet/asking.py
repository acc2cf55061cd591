# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the dom0s from where no tasks can be run: the playbook in a process of its own (private to the collection)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import NothingToAsk

# An inventory that the playbook reads may have the file that had it started.
_CHILD = "DOM0_XEN_ASKING"
_TOLD_CHARACTERS = 600


def is_child() -> bool:
    """Say whether this process reads its inventory in order to ask the dom0s."""
    return _CHILD in os.environ


def ask(inventories: t.Sequence[str], path: str, group: str, timeout_s: float) -> list[str]:
    """Run ``dom0.xen.facts`` over inventories, which writes to ``path``; return warnings.

    Raises NothingToAsk where no inventory is given, or one is not there.
    """
    if not inventories:
        raise NothingToAsk("ask is set, and inventories names no inventory with the dom0s.")
    for inventory in inventories:
        # A list of hosts has a comma, and is no path.
        if "," not in inventory and not os.path.exists(inventory):
            raise NothingToAsk(f"ask is set, and the inventory {inventory} is not there.")
    extra = json.dumps({"dom0_xen_facts_path": path, "dom0_group": group})
    sources = [word for inventory in inventories for word in ("-i", inventory)]
    command = [sys.executable, "-m", "ansible.cli.playbook", *sources, "dom0.xen.facts", "-e", extra]
    try:
        status, log = _run(command, timeout_s)
    except OSError as exc:
        return [f"The dom0s were not asked: {exc.strerror}."]
    if status is None:
        return [f"The dom0s were not asked to the end: dom0.xen.facts took longer than {timeout_s:g} s."]
    if status:
        end = " ".join(log.split())[-_TOLD_CHARACTERS:]
        return [f"The dom0s were not asked: dom0.xen.facts ended with the exit status {status}: {end}"]
    return []


def _run(command: list[str], timeout_s: float) -> tuple[int | None, str]:
    """Return exit status and output, None as the status when it took too long; then all that it started is ended."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, _CHILD: "1", "ANSIBLE_NOCOLOR": "1"},
        start_new_session=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            return_log = process.communicate(timeout=timeout_s)[0]
        except BaseException as exc:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(exc, subprocess.TimeoutExpired):
                raise
            return None, ""
        return process.returncode, return_log
