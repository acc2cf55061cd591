# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that a person is told to type (pure; private to the collection).

All of them need the inventory, and only here is it put in: who copies one at night must not reach other hosts with it.
"""

from __future__ import annotations

INVENTORY = "INVENTORY"
"""What stands for the inventory where it is not known; a person puts his own in its place."""


def playbook(name: str, *words: str, inventory: str = INVENTORY) -> str:
    """Return the command that runs a playbook of the collection, such as ``settle``, with ``words`` behind it.

    These, and an ``inventory`` (several with ``-i`` between them), are quoted for the shell already.
    """
    return " ".join((f"ansible-playbook -i {inventory} dom0.xen.{name}", *words))


def module(host: str, name: str, arguments: str = "") -> str:
    """Return the command that runs one module on a host of the inventory, with ``arguments`` as ``-a`` takes them."""
    return f"ansible -i {INVENTORY} {host} -m {name}" + (f" -a '{arguments}'" if arguments else "")
