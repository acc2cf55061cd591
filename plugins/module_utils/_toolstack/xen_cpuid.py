# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``xen-cpuid -p`` tells: the processor that Xen shows a domain, or would show one at most (private).

The hypercalls beneath it are made by no command of ``xl``. What it prints is the same from Xen 4.12 to 4.22
(tools/misc/xen-cpuid.c print_policy and main). Where it is not there, or fails, nothing is known, and nothing is wrong.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Answer, Policy, policy
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import SYSTEM_PATH, Runner

NAME = "xen-cpuid"
# Six policies of some 120 leaves at most (CPUID_MAX_SERIALISED_LEAVES) and 2 registers, with 60 characters for each.
_LENGTH_MAX = 256 * 1024
_NO_SUBLEAF = 0xFFFFFFFF
# The first release whose Xen compares the highest subleaf of leaf 7 (xen/lib/x86/policy.c).
_SUBLEAF_SINCE = (4, 15)
_MOST = {"PV Max": "pv_max", "HVM Max": "hvm_max"}
_DEFAULT = {"PV Default": "pv_default", "HVM Default": "hvm_default"}

_BEGIN = re.compile(r"\A([A-Z][A-Za-z0-9 ]{1,24}) policy: ([0-9]{1,4}) leaves, ([0-9]{1,4}) MSRs\Z")
_LEAF = re.compile(r"\A  ([0-9a-f]{8}):([0-9a-f]{8}) -> ([0-9a-f]{8}):([0-9a-f]{8}):([0-9a-f]{8}):([0-9a-f]{8})\Z")
_REGISTER = re.compile(r"\A  ([0-9a-f]{8}) -> ([0-9a-f]{16})\Z")
_HEADINGS = frozenset({"CPUID:", "leaf subleaf -> eax ebx ecx edx", "MSRs:", "index -> value"})


class XenCpuid:
    """Runs ``xen-cpuid`` where it is found. ``root`` is the folder that stands for ``/``."""

    def __init__(self, run: Runner, root: str = "/") -> None:
        self._run = run
        self._binary = find(root)

    def system(self, release: tuple[int, int]) -> dict[str, Policy]:
        """Return what a Xen of this release gives domains, by field of ``Processor``; what is not told is left out."""
        found = self._ask()
        most = {field: found[name] for name, field in _MOST.items() if name in found}
        if release < _SUBLEAF_SINCE:
            most = {field: dataclasses.replace(each, max_subleaf=None) for field, each in most.items()}
        return {**most, **{field: found[name] for name, field in _DEFAULT.items() if name in found}}

    def domain(self, domid: int) -> Policy | None:
        """Return what a domain was shown."""
        return self._ask(str(domid)).get(f"Domain {domid}")

    def _ask(self, *arguments: str) -> dict[str, Policy]:
        if self._binary is None:
            return {}
        try:
            result = self._run([self._binary, "-p", *arguments])
        except (OSError, Dom0XenError):
            return {}
        return parse_policies(result.stdout) if result.rc == 0 else {}


def find(root: str = "/") -> str | None:
    """Return the path of the program, None where there is none.

    Debian has it where no PATH leads, once for each release of Xen that is installed; the kernel tells which one runs,
    as it tells Debian's own wrapper of ``xl``.
    """
    found = shutil.which(NAME) or shutil.which(NAME, path=SYSTEM_PATH)
    if found is not None:
        return found
    version = ".".join(_line(os.path.join(root, "sys/hypervisor/version", part)) for part in ("major", "minor"))
    folders = [f"usr/lib/xen-{version}/bin", "usr/lib/xen/bin", "usr/libexec/xen/bin", "usr/local/lib/xen/bin"]
    return shutil.which(NAME, path=os.pathsep.join(os.path.join(root, folder) for folder in folders))


def parse_policies(text: str) -> dict[str, Policy]:
    """Return the policies in what the program has printed, by name (pure). One that is not whole is left out."""
    if len(text) > _LENGTH_MAX:
        return {}
    found: dict[str, Policy] = {}
    block: _Block | None = None
    for line in (*text.split("\n"), ""):
        if block is not None and block.takes(line):
            continue
        if block is not None and block.whole:
            found[block.name] = policy(block.answers, block.registers)
        begin = _BEGIN.match(line)
        block = _Block(begin[1], int(begin[2]), int(begin[3])) if begin else None
    return found


class _Block:
    """One policy, read line by line; leaves without an answer are not printed, but counted in its first line."""

    def __init__(self, name: str, leaves: int, registers: int) -> None:
        self.name = name
        self.answers: dict[tuple[int, int], Answer] = {}
        self.registers: dict[int, int] = {}
        self._counts = leaves, registers

    def takes(self, line: str) -> bool:
        """Read a line; say whether it is one of the policy."""
        leaf, register = _LEAF.match(line), _REGISTER.match(line)
        if leaf is not None:
            number, subleaf, eax, ebx, ecx, edx = (int(digits, 16) for digits in leaf.groups())
            self.answers[number, 0 if subleaf == _NO_SUBLEAF else subleaf] = eax, ebx, ecx, edx
        elif register is not None:
            index, value = (int(digits, 16) for digits in register.groups())
            self.registers[index] = value
        return leaf is not None or register is not None or " ".join(line.split()) in _HEADINGS

    @property
    def whole(self) -> bool:
        """Whether it begins as every policy does, and has what its first line says."""
        leaves, registers = self._counts
        return (0, 0) in self.answers and len(self.answers) <= leaves and len(self.registers) == registers


def _line(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(16).strip()
    except OSError:
        return ""
