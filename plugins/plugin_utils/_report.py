# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine-readable result of a move, and what a person is told (private to the collection)."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._ownership import MOVED, Verdict
from ansible_collections.dom0.xen.plugins.plugin_utils import _carried as carried
from ansible_collections.dom0.xen.plugins.plugin_utils import _stop_told as stop_told
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import mib, seconds

Result = dict[str, t.Any]

FORMAT = 1

_TEMPORARY = ".dom0-xen-"

# What is taken over from the last status of the sender, whose fields are described at migration_info.
_FIGURES = (
    *("session", "method", "transport", "bytes", "rounds"),
    *("began_s", "total_ms", "stop_ms", "stop_measured", "timeline"),
)
# What it was asked for, which both sides tell.
CHOICES = ("mapped", "leave_paused", "keep_domid", "config_path")


class ResultNotWritten(Dom0XenError):
    """The file for the result cannot be written on the controller."""

    code = "result_not_written"
    remedy = "Give a path in a folder that the controller may write to."


def build(
    verdict: Verdict, status: t.Mapping[str, t.Any] | None, domain: Result, source: str, destination: str
) -> Result:
    """Return the result: the verdict, the figures of the session if there was one, the last words of both ``xl``."""
    last = status or {}
    peer = last.get("peer") or {}
    result: Result = {
        "format": FORMAT,
        "domain": domain,
        "source": source or None,
        "destination": destination,
        **verdict.to_result(),
        **{key: last.get(key) for key in (*_FIGURES, *CHOICES)},
        "link_losses": (last.get("link") or {}).get("losses"),
        "error": last.get("error"),
        "xl_stderr": {
            "source": list(last.get("stderr") or ()),
            "destination": list(peer.get("stderr") or ()),
        },
        "peak_memory_kib": {
            "source": last.get("peak_memory_kib"),
            "destination": peer.get("peak_memory_kib"),
        },
    }
    for key in ("rounds", "mapped"):
        result[key] = list(result[key] or ())
    result["leave_paused"] = bool(result["leave_paused"])
    result["keep_domid"] = result["keep_domid"] or 0
    if result["leave_paused"]:
        # It stands still until somebody starts it.
        result.update(stop_ms=None, stop_measured=None)
    return result


def sentence(result: t.Mapping[str, t.Any], name: str) -> str:
    """Return one sentence about a move that succeeded."""
    parts = []
    if result.get("bytes"):
        parts.append(" ".join((mib(result["bytes"]), carried.over(result.get("path") or {}))).strip())
    if result.get("total_ms") is not None:
        parts.append(f"{seconds(result['total_ms'] / 1000)} in all")
    parts += filter(None, [stop_told.words(result)])
    figures = f" ({', '.join(parts)})" if parts else ""
    return f"{name} is on {result['destination']}{figures}. {result['reason']}"


def complaint(result: t.Mapping[str, t.Any], name: str, error: t.Mapping[str, t.Any] | None) -> str:
    """Return the message about a move that did not succeed: the first error, then where the domain is now."""
    moved = result["end_state"] == MOVED
    origin = f" from {result['source']}" if result.get("source") else ""
    head = f"{name} was {'' if moved else 'not '}moved{origin} to {result['destination']}"
    cause = str((error or {}).get("msg") or "").strip()
    remedy = str((error or {}).get("remedy") or "").strip()
    if cause and cause[-1] not in ".!?":
        cause += "."
    if remedy and remedy not in cause:
        cause = f"{cause} Remedy: {remedy}"
    return " ".join(part for part in (f"{head}{', but:' if moved else ':'}", cause, f"Now: {result['reason']}") if part)


def clear(path: str) -> None:
    """Remove the result of an earlier run, and see that one can be written. Raises ResultNotWritten."""
    with _result_file(path) as (folder, target):
        # The folder is tried before the move: afterwards it is too late to choose another one.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=_TEMPORARY):
            pass
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)


def write(path: str, result: t.Mapping[str, t.Any]) -> None:
    """Write the result to a file of the controller, in one step. Raises ResultNotWritten."""
    write_text(path, f"{json.dumps(result, indent=2, sort_keys=False)}\n")


def write_text(path: str, text: str) -> None:
    """Write a text to a file of the controller, in one step; nothing is left of one that cannot be written whole.

    Raises ResultNotWritten.
    """
    with _result_file(path) as (folder, target):
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def see_writable(path: str) -> None:
    """See that a file could be written there, and leave what is there as it is. Raises ResultNotWritten."""
    with _result_file(path) as (folder, target):
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.NamedTemporaryFile(dir=folder, prefix=_TEMPORARY):
            pass


@contextlib.contextmanager
def _result_file(path: str) -> t.Iterator[tuple[str, str]]:
    """Give the folder of the result, which is made, and the file's whole path; an OSError is a ResultNotWritten."""
    target = os.path.abspath(os.path.expanduser(path))
    folder = os.path.dirname(target)
    try:
        os.makedirs(folder, exist_ok=True)
        yield folder, target
    except OSError as exc:
        raise ResultNotWritten(f"{target} cannot be written: {exc.strerror}.", path=target) from exc
