# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as faults use it: the guest may begin on either host, and both do what they are asked without Ansible."""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor

from cases.world import ON_HOST, Left, World
from dom0lab import Host, Lab

from .hands import Hand, packed


class Field(World):
    """The lab; :meth:`begin_at` says where."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        code = packed()
        self.hands = {name: Hand(host, code) for name, host in lab.hosts.items()}
        self._from = "xen1"

    @property
    def source(self) -> Host:
        """Where the guest is at the beginning of the next move."""
        return self.lab.hosts[self._from]

    @property
    def destination(self) -> Host:
        """The other host."""
        return next(host for name, host in self.lab.hosts.items() if name != self._from)

    def look(self) -> dict[str, Left]:
        """What lies on the hosts now, by name."""
        answers = self.everywhere(lambda dummy, hand: hand.py(ON_HOST / "look.py"))
        return {name: Left(**json.loads(answer)) for name, answer in answers.items()}

    def everywhere(self, do: t.Callable[[str, Hand], str]) -> dict[str, str]:
        """Do something on both hosts at once; returns the answers by name."""
        with ThreadPoolExecutor(len(self.hands)) as pool:
            return dict(zip(self.hands, pool.map(do, self.hands, self.hands.values()), strict=True))

    def begin_at(self, name: str) -> None:
        """Make this host, where the guest is, the source of the next move."""
        self._from = name

    def reset(self) -> None:
        """Bring both hosts back to the snapshot."""
        self.close()
        self.lab.reset()
        self._from = "xen1"

    def close(self) -> None:
        """Let go of both hosts."""
        for hand in self.hands.values():
            hand.close()
