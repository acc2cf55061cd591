# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of a session's domain beside its two sides: what somebody has done by hand since (pure; private)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import RUNNING


@dataclass(frozen=True)
class Copy(Record):
    """The domain on a host that has no part in the session, or on any host another one (``namesake``) of its name."""

    host: str
    domid: int
    name: str
    state: str
    namesake: bool = False

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.state == RUNNING

    def __str__(self) -> str:
        """Say it to a person."""
        what = "another domain is called" if self.namesake else "copy"
        return f"{self.host}: {what} {self.name} (domid {self.domid}), {self.state}."


@dataclass(frozen=True)
class Others(Record):
    """The copies that were found, and the hosts of which it is not known whether they have one (``unseen``)."""

    RECORDS = {"copies": Copy}

    copies: tuple[Copy, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def same(self) -> tuple[Copy, ...]:
        """The domain itself."""
        return tuple(copy for copy in self.copies if not copy.namesake)

    @property
    def told(self) -> tuple[str, ...]:
        """All of it, in sentences."""
        return (*map(str, self.copies), *(f"{host}: was not looked at, or does not tell." for host in self.unseen))


NOBODY = Others()
"""There are no other hosts."""
