# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of the files that the facts of a fleet are kept in (pure; private to the collection).

One file for each dom0, and one with the rules. Each is JSON with ``format``, ``kind``, the record under ``content``,
and ``sha256`` of that, by which a file that was cut off or edited is found: what is read is what the hosts said.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import DocumentInvalid
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.typed import wrong

FORMAT = 1
# A domain takes some 10 KiB, and no dom0 has a thousand of them; what is larger was not written by this collection.
LARGEST_BYTES = 32 * 1024 * 1024

R = t.TypeVar("R", bound=Record)
KINDS: dict[type[Record], str] = {Dom0: "dom0.xen.dom0", Rules: "dom0.xen.rules"}


def dump(record: Record) -> str:
    """Return the text of a file for a Dom0 or for Rules."""
    content = record.to_result()
    document = {"format": FORMAT, "kind": KINDS[type(record)], "sha256": _sum(content), "content": content}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def parse(text: str, kind: type[R], path: str) -> R:
    """Return the record in the text of a file. Raises DocumentInvalid, which names the file and what is wrong."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise DocumentInvalid(f"{path} is no JSON: {exc}.", path=path) from None
    if not isinstance(document, dict) or document.get("kind") != KINDS[kind]:
        raise DocumentInvalid(f"{path} is not a file of {KINDS[kind]}.", path=path)
    if document.get("format") != FORMAT:
        raise DocumentInvalid(
            f"{path} has the format {document.get('format')!r}; this version of the collection has {FORMAT}.", path=path
        )
    content = document.get("content")
    if not isinstance(content, dict) or document.get("sha256") != _sum(content):
        raise DocumentInvalid(f"{path} was changed after it was written, or is not whole.", path=path)
    return record_of(content, kind, path)


def record_of(content: t.Mapping[str, t.Any], kind: type[R], origin: str) -> R:
    """Return the record that plain data is; raises DocumentInvalid, which names the origin and what is wrong."""
    try:
        record = kind.from_result(content)
        problem = wrong(record)
    except (TypeError, AttributeError, ValueError, RecursionError) as exc:
        raise DocumentInvalid(f"{origin} holds no facts as this version of the collection writes them: {exc}.") from exc
    if problem is not None:
        raise DocumentInvalid(f"{origin} holds no facts as this version of the collection writes them: {problem}.")
    return record


def _sum(content: t.Mapping[str, t.Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
