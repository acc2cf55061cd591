# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a plan's file, and of the artifact by which it travels (pure; private to the collection).

The file is YAML, with a table for people in comments above it, which count for nothing. ``sha256`` is over the content,
in one canonical form, so that another indentation is no change, and another destination is one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import typing as t
import zlib

import yaml

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.typed import wrong
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import (
    Plan,
    PlanEdited,
    PlanInvalid,
    PlanTooLarge,
    PlanVersionUnknown,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.table import table

FORMAT = 1
KIND = "dom0.xen.plan"

# A plan for 1,000 domains on 100 hosts takes some 700 KiB; what is much larger was not written by this collection.
LARGEST_BYTES = 16 * 1024 * 1024
# AWX keeps artifacts with the job and hands them to the next one as variables; a plan as above takes some 60 KiB.
LARGEST_ARTIFACT_BYTES = 256 * 1024
_ARTIFACT = "dom0.xen.plan:1:"


# The ones in C, where PyYAML has them, are ten times as fast; both are the safe ones.
_LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BASE: t.Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):
    """Without anchors."""

    def ignore_aliases(self, data: t.Any) -> bool:
        return True


def dump(plan: Plan) -> str:
    """Return the text of a plan's file."""
    content = _plain(plan)
    document = {"format": FORMAT, "kind": KIND, "sha256": _sum(content), "content": content}
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    comments = "".join(f"# {' '.join(line.splitlines())}".rstrip() + "\n" for line in table(plan))
    return f"{comments}---\n{text}"


def parse(text: str, path: str) -> Plan:
    """Return the plan in the text of a file.

    Raises:
        PlanInvalid: it is none, or not as this version of the collection writes it
        PlanVersionUnknown: another version wrote it
        PlanEdited: its content was changed after it was written
        PlanTooLarge: no plan is as large as that
    """
    if len(text) > LARGEST_BYTES:
        larger = f"{path} has more than {LARGEST_BYTES // 1024**2} MiB"
        raise PlanTooLarge(f"{larger}, which no plan has.", path=path, remedy=PlanInvalid.remedy)
    try:
        # A few hundred bytes of YAML with aliases can mean gigabytes; a plan has none.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_LOADER)):
            raise PlanInvalid(f"{path} is no plan: it has aliases.", path=path)
        document = yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise PlanInvalid(f"{path} is no YAML: {' '.join(str(exc).split())}.", path=path) from None
    return _plan(document, path)


def artifact(plan: Plan) -> str:
    """Return the plan as a text for ``set_stats``, of at most LARGEST_ARTIFACT_BYTES. Raises PlanTooLarge."""
    content = _plain(plan)
    document = {"format": FORMAT, "kind": KIND, "sha256": _sum(content), "content": content}
    packed = base64.b64encode(zlib.compress(_canonical(document), 9)).decode()
    if len(packed) > LARGEST_ARTIFACT_BYTES:
        raise PlanTooLarge(
            f"the plan takes {len(packed) // 1024} KiB as an artifact, and at most {LARGEST_ARTIFACT_BYTES // 1024}"
            " are handed on."
        )
    return _ARTIFACT + packed


def from_artifact(text: str, origin: str = "the artifact") -> Plan:
    """Return the plan that an artifact holds. Raises as :func:`parse`."""
    if len(text) > LARGEST_ARTIFACT_BYTES + len(_ARTIFACT):
        raise PlanTooLarge(f"{origin} has more than {LARGEST_ARTIFACT_BYTES // 1024} KiB.", remedy=PlanInvalid.remedy)
    if not text.startswith(_ARTIFACT):
        raise PlanInvalid(f"{origin} is no plan.")
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(text[len(_ARTIFACT) :], validate=True), LARGEST_BYTES)
        if not unpacker.eof:
            raise PlanInvalid(f"{origin} is not whole, or holds more than any plan.")
        document = json.loads(data)
    except (ValueError, binascii.Error, zlib.error, RecursionError) as exc:
        raise PlanInvalid(f"{origin} is no plan: {exc}.") from None
    return _plan(document, origin)


def is_artifact(text: str) -> bool:
    """Say whether a text is meant to be an artifact."""
    return text.startswith(_ARTIFACT.rpartition(":")[0].rpartition(":")[0] + ":")


def _plan(document: t.Any, origin: str) -> Plan:
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise PlanInvalid(f"{origin} is no plan of this collection.", path=origin)
    if document.get("format") != FORMAT:
        raise PlanVersionUnknown(
            f"{origin} has the format {document.get('format')!r}; this version of the collection has {FORMAT}.",
            path=origin,
        )
    content = document.get("content")
    if not isinstance(content, dict) or document.get("sha256") != _sum(content):
        raise PlanEdited(f"{origin} was changed after it was written, or is not whole.", path=origin)
    try:
        plan = Plan.from_result(content)
        problem = wrong(plan)
    except (TypeError, AttributeError, ValueError, RecursionError) as exc:
        raise PlanInvalid(f"{origin} holds no plan as this version of the collection writes it: {exc}.") from exc
    if problem is not None:
        raise PlanInvalid(f"{origin} holds no plan as this version of the collection writes it: {problem}.")
    if plan.facts.digest != plan.digest:
        raise PlanEdited(f"{origin} holds other facts than it was made from.", path=origin)
    return plan


def _plain(plan: Plan) -> t.Any:
    """Return the content as nothing but what JSON has: Ansible's texts are of a class of its own."""
    return json.loads(json.dumps(plan.to_result()))


def _canonical(content: t.Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode()


def _sum(content: t.Any) -> str:
    return hashlib.sha256(_canonical(content)).hexdigest()
