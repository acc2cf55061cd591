# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to say of a guest that is to go on where it stood still, and shows no life (pure; private to the collection).

``life`` is what :mod:`_session.observing.comeback` has seen.
"""

from __future__ import annotations

import typing as t

Life = t.Mapping[str, t.Any]


def is_lifeless(life: Life | None) -> bool:
    """Whether somebody has looked, and has not seen it alive."""
    return bool(life) and not (life or {}).get("alive")


def message(life: Life) -> str:
    """Return what was seen, for people."""
    words = "; ".join([*life["missing"], *life["unseen"]])
    seconds = round(life["waited_ms"] / 1000)
    if life["signs"]:
        return f"its guest goes on there ({', '.join(life['signs'])} grew), but after {seconds} s {words}."
    return f"since it goes on there its guest has shown no sign of life in {seconds} s: {words}."


def remedy(name: str, life: Life) -> str:
    """Return what to do about it."""
    look = f"Look at its console (xl console {name})."
    if life["signs"]:
        return look
    return (
        f"{look} If its kernel has stopped, nothing brings it back: xl destroy {name}, and xl create with its"
        " configuration file."
    )
