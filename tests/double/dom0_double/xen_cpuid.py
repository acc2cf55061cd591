# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``xen-cpuid -p`` and ``xen-cpuid -p DOMID`` (tools/misc/xen-cpuid.c main, print_policy)."""

from __future__ import annotations

import sys

from . import processor
from .machine.client import Machine, NoMachine
from .paths import HostPaths
from .processor import MOST_LEAVES, MOST_REGISTERS, Shown
from .settings import Settings


def text(name: str, shown: Shown) -> str:
    """Return what print_policy prints."""
    leaves, registers = shown.leaves(), shown.registers()
    lines = [f"{name} policy: {len(leaves)} leaves, {len(registers)} MSRs", " CPUID:"]
    lines += [f"  {'leaf':<8} {'subleaf':<8} -> {'eax':<8} {'ebx':<8} {'ecx':<8} {'edx':<8}"]
    for leaf, subleaf, *answer in leaves:
        if any(answer):
            lines.append(f"  {leaf:08x}:{subleaf:08x} -> " + ":".join(f"{register:08x}" for register in answer))
    lines += [" MSRs:", f"  {'index':<8} -> {'value':<16}"]
    lines += [f"  {index:08x} -> {value:016x}" for index, value in registers]
    return "\n".join(lines) + "\n"


def _domain(machine: Machine, domid: int, settings: Settings) -> str:
    for info in machine.call("list"):
        if info["domid"] == domid:
            return text(f"Domain {domid}", processor.of_guest(info["kind"]))
    asked = f"xc_cpu_policy_get_domain(, {domid}, )"
    if settings.xen < (4, 16):
        asked = f"xc_get_domain_cpu_policy(, {domid}, {MOST_LEAVES},, {MOST_REGISTERS},)"
    sys.exit(f"xen-cpuid: {asked}: No such process")


def main() -> None:
    """Answer one command; what the double does not know ends with status 99."""
    paths = HostPaths.from_environment()
    settings, machine = Settings.load(paths.settings), Machine(paths.hypercall_socket)
    option, *arguments = sys.argv[1:] or [""]
    if option != "-p" or len(arguments) > 1:
        sys.stderr.write(f"the double of xen-cpuid does not know this command: {' '.join(sys.argv[1:])}\n")
        sys.exit(99)
    try:
        machine.call("ping")
        if arguments:
            print(_domain(machine, int(arguments[0]), settings), end="")
            return
    except NoMachine:
        told = "xencall: error: Could not obtain handle on privileged command interface: No such file or directory\n"
        sys.exit(f"{told}xen-cpuid: xc_interface_open: No such file or directory")
    print(f"Xen reports there are maximum {MOST_LEAVES} leaves and {MOST_REGISTERS} MSRs")
    for name, shown in processor.of_system(settings).items():
        print(text(name, shown), end="")
