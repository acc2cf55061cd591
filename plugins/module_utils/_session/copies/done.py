# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an act on a copy of a domain (private to the collection)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Copy


@dataclass(frozen=True)
class Done:
    """What an act has done and seen.

    ``steps`` are the commands of xl in order (``rename``, ``resume``, ``unpause``, ``destroy``), ``copy`` is what the
    last look showed. ``monitor`` says, after a resume, what became of xl's process that looks after the domain: kept
    or lost. A ``zombie`` is destroyed, and somebody holds its memory still: it cannot run any more. ``xl_error``: what
    xl complained of although the copy is as wanted.
    """

    copy: Copy
    steps: tuple[str, ...] = ()
    monitor: str | None = None
    zombie: bool = False
    xl_error: str | None = None

    def to_result(self) -> dict[str, t.Any]:
        """Return it as plain values."""
        copy = {"state": self.copy.state.value, "name": self.copy.name, "domid": self.copy.domid}
        return {
            "copy": copy,
            "steps": list(self.steps),
            "monitor": self.monitor,
            "zombie": self.zombie,
            "xl_error": self.xl_error,
        }


@dataclass
class Course:
    """An act on the way: what was done, and what xl complained of."""

    steps: list[str] = field(default_factory=list)
    error: Dom0XenError | None = None

    def attempt(self, step: str, command: t.Callable[[], None]) -> None:
        """Run a command of xl; keep its error, for the look that comes after it says what is true."""
        self.steps.append(step)
        try:
            command()
        except Dom0XenError as exc:
            self.error = exc
