# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One target under atheris, in a process of its own: ``worker.py TARGET libfuzzer-options...``. See run.py.

Its standard error ends with libFuzzer's statistics. ``baseline_kib`` is the peak of memory before the first input.
"""

from __future__ import annotations

import json
import sys

import atheris

with atheris.instrument_imports(include=["ansible_collections.dom0.xen.plugins"], enable_loader_override=False):
    from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
    from ansible_collections.dom0.xen.plugins.module_utils._procfs import peak_memory_kib
    from ansible_collections.dom0.xen.tests.fuzz.targets import TARGETS

from ansible_collections.dom0.xen.tests.fuzz.mutation import mutate

# Targets whose inputs are JSON, behind how many bytes.
JSON_BEHIND = {"config": 0, "introduction": 1, "message": 0, "journal": 0, "status": 0}


def main() -> None:
    """Run until libFuzzer's time is over, which ends the process."""
    target = TARGETS[sys.argv[1]]
    named: set[str] = set()
    begun = False

    def one(data: bytes) -> None:
        nonlocal begun
        if not begun:
            begun = True
            _tell("baseline_kib", peak_memory_kib() or 0)
        try:
            target(data)
        except Dom0XenError as exc:
            if exc.code not in named:
                named.add(exc.code)
                _tell("named", exc.code)

    def custom(data: bytes, longest: int, seed: int) -> bytes:
        made = mutate(data, skip, seed, longest) if seed % 2 else None
        return atheris.Mutate(data, longest) if made is None else made

    skip = JSON_BEHIND.get(sys.argv[1], -1)
    mutator = {"custom_mutator": custom} if skip >= 0 else {}
    atheris.Setup([sys.argv[0], *sys.argv[2:]], one, **mutator)
    atheris.Fuzz()


def _tell(what: str, value: str | int) -> None:
    sys.stderr.write(json.dumps({what: value}) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
