# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that reads the sources without running them, except ``ansible-test sanity``."""

from __future__ import annotations

import os
import sys

from ansible_collections.dom0.xen.tests.tools import tree
from ansible_collections.dom0.xen.tests.tools.checks import Check, run_all
from ansible_collections.dom0.xen.tests.tools.places import BUILD, COLLECTIONS, ROOT, environment

TYPED = ("plugins", "tests")
# What runs there must do with the Python 3.8 of the oldest dom0.
ON_DOM0 = ("plugins/modules", "plugins/module_utils")


def checks() -> list[Check]:
    """Return the checks, the slow ones first."""
    copied = tree.copy("lint")
    collections = str(BUILD / "lint")
    settings = {"ANSIBLE_COLLECTIONS_PATH": collections, "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"}
    env = {**environment("lint"), **settings}
    in_collection = COLLECTIONS / "ansible_collections" / "dom0" / "xen"
    typed = [os.path.relpath(in_collection / folder, ROOT) for folder in TYPED]
    commands_in_copy = {
        "ansible-lint": ("ansible-lint", "--offline", "--nocolor", "--strict", "-q", "-p"),
        "antsibull-docs": (
            *("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck"),
            *("--validate-collection-refs", "self", "."),
        ),
        "reuse": ("reuse", "lint", "--lines"),
        "package": (
            *("env", f"PYTHONPATH={COLLECTIONS}"),
            *(sys.executable, "-m", "ansible_collections.dom0.xen.tests.tools.package"),
        ),
    }
    commands_in_checkout = {
        "mypy": ("mypy", *typed),
        "antsibull-changelog": ("antsibull-changelog", "lint"),
        "yamllint": ("yamllint", "--strict", "."),
        "vermin": ("vermin", "--quiet", "--no-tips", "--violations", "--target=3.8-", *ON_DOM0),
        "ruff check": ("ruff", "check", "--output-format", "concise", "."),
        "ruff format": ("ruff", "format", "--check", "--output-format", "concise", "."),
    }
    return [
        *(Check(name, command, copied, env) for name, command in commands_in_copy.items()),
        *(Check(name, command, ROOT, env) for name, command in commands_in_checkout.items()),
    ]


if __name__ == "__main__":
    sys.exit(run_all(checks()))
