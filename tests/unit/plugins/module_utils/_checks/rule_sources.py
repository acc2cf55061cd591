# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every code that a finding can have, read from the source of the rules."""

from __future__ import annotations

import ast
import pathlib
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import devices, records
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import NoRuntimePlace
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import ProcessorLacks
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import errors as toolstack
from ansible_collections.dom0.xen.plugins.module_utils._xenstore import errors as xenstore
from ansible_collections.dom0.xen.plugins.plugin_utils import _looking, _planning

CHECKS = pathlib.Path(__file__).resolve().parents[5] / "plugins" / "module_utils" / "_checks"


def _of(module: t.Any) -> set[str]:
    """Return the codes of the errors that a module defines."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Dom0XenError)]
    return {kind.code for kind in kinds if kind.__module__ == module.__name__}


# What a host can lack: all that asking xl and XenStore can end in (_facts.host, _facts.domain).
PROBLEMS = _of(toolstack) | _of(xenstore) | {NoRuntimePlace.code}
# Raised before the rules are asked, while the domain is looked for.
BEFORE = _of(_planning) | _of(_looking)
# Found by the sender, in the first bytes of the stream.
LATE = {ProcessorLacks.code}
# Codes that a rule does not write out, by what it writes in their place.
COMPUTED = {
    "NOT_IN_INVENTORY": {records.NOT_IN_INVENTORY},
    "UNREACHABLE": {records.UNREACHABLE},
    "trouble.code if trouble else 'host_without_facts'": {records.NO_FACTS},
    "problem.code": PROBLEMS,
    "code": {code for dummy, code, dummy in devices._PASSED_THROUGH},
}


def collected() -> dict[str, str]:
    """Return all codes with their severities; KeyError for a rule that makes its code in a way not known here."""
    found = dict.fromkeys(BEFORE | LATE, records.ERROR)
    for path in sorted(CHECKS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in (records.ERROR, records.WARNING) or ast.unparse(node.func.value) != "case":
                continue
            code = node.args[0]
            written = isinstance(code, ast.Constant)
            codes = {ast.literal_eval(code)} if written else COMPUTED[ast.unparse(code)]
            found.update(dict.fromkeys(codes, node.func.attr))
    return found


def made_otherwise() -> list[str]:
    """Return the files that make findings in another way than by ``case.error`` and ``case.warning``."""
    return [
        path.name
        for path in sorted(CHECKS.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]
