# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What matters of a domain beside its memory: seen before it leaves and after it has come, and compared (private).

Of its clock the stream tells a part, which counts against the rate of each host's processor.
"""

from __future__ import annotations

import contextlib
import re
import threading
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.backends import CONNECTED, devices
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.guest_clock import TscInfo, difference
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import WEIGHING, Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

Message = t.Dict[str, t.Any]
Traits = t.Dict[str, t.Any]

KIND = "portrait"

_NUMBERS = ("vcpus", "vcpus_max", "weight", "cap", "memory_target_kib", "memory_max_kib")
_RATE = "cpu_khz"  # the host's, which is no difference by itself
_TEXTS = ("scheduler", "affinity_hard", "affinity_soft")
_MOST = 2**53
_TEXT_MAX = 4096
_DEVICES_MAX = 1024
_DEVICE = re.compile(r"\A(vif|vbd)/[0-9]{1,10}\Z")


def memory(store: XenStore, domid: int) -> Traits:
    """Return what XenStore says of the domain's memory. Raises the errors of :class:`XenStore`."""
    nodes = {"memory_target_kib": "target", "memory_max_kib": "static-max"}
    seen = {key: store.read_int(f"/local/domain/{domid}/memory/{node}") for key, node in nodes.items()}
    return {key: value for key, value in seen.items() if value is not None}


class _Over(Exception):
    """Nothing more is to be asked."""


def processors(xl: Xl, domid: int, over: t.Callable[[], bool] = lambda: False) -> Traits:
    """Return what xl says of the domain's processors; what it does not say is left out, and what came ``over``."""

    def asked() -> Xl:
        if over():
            raise _Over
        return xl

    found: Traits = {}
    with contextlib.suppress(Dom0XenError, _Over):
        vcpus = asked().vcpus(domid)
        found.update(vcpus=sum(vcpu.online for vcpu in vcpus), vcpus_max=len(vcpus))
        found.update(affinity_hard=_short([vcpu.hard for vcpu in vcpus]))
        found.update(affinity_soft=_short([vcpu.soft for vcpu in vcpus]))
    with contextlib.suppress(Dom0XenError, _Over):
        fields = asked().info().fields
        scheduler = fields.get("xen_scheduler", "")
        found["scheduler"] = scheduler
        with contextlib.suppress(ValueError):
            found[_RATE] = round(float(fields.get("cpu_mhz", "")) * 1000)
        if scheduler in WEIGHING:
            share = asked().share(domid, scheduler)
            found.update(weight=share.weight, cap=share.cap)
    return found


def differences(before: Traits, after: Traits, clock: TscInfo | None = None) -> list[dict[str, t.Any]]:
    """Return what was another value before, of what was seen both times; ``clock`` came with the domain (pure)."""
    ticks = difference(clock, before.get(_RATE), after.get(_RATE))
    found = [
        {"what": key, "before": before[key], "after": after[key]}
        for key in (*_NUMBERS, *_TEXTS)
        if key in before and key in after and before[key] != after[key]
    ]
    return [*found, ticks] if ticks else found


class Portrait:
    """What the source tells of its domain while memory flows: at once what XenStore says, and what xl says when it has
    said it, for which nothing waits.
    """

    def __init__(self, xl: Xl, store: XenStore) -> None:
        self._xl = xl
        self._store = store
        self._later: Message | None = None
        self._over = threading.Event()

    def begin(self, domid: int) -> Message:
        """Ask xl in a thread of its own; return the message of what XenStore says."""
        traits: Traits = {}
        connected: list[str] = []
        with contextlib.suppress(Dom0XenError):
            traits.update(memory(self._store, domid))
            connected = [name for name, state in devices(self._store, domid).items() if state == CONNECTED]

        def ask() -> None:
            self._later = {"type": KIND, "traits": processors(self._xl, domid, self._over.is_set), "connected": []}

        threading.Thread(target=ask, daemon=True).start()
        return {"type": KIND, "traits": traits, "connected": connected[:_DEVICES_MAX]}

    def stop(self) -> None:
        """Start no xl any more: the guest is about to stand still. What was asked until now is told."""
        self._over.set()

    def take(self) -> Message | None:
        """Return the message of what xl says, once it is there and once only."""
        message, self._later = self._later, None
        return message


def read(message: t.Mapping[str, t.Any]) -> tuple[Traits, tuple[str, ...]]:
    """Return what the source has told: what matters, and the devices that were connected. Raises FrameError."""
    traits, connected = message.get("traits"), message.get("connected")
    if not isinstance(traits, dict) or not isinstance(connected, list) or len(connected) > _DEVICES_MAX:
        raise FrameError("a portrait that is none")
    found: Traits = {}
    for key, value in traits.items():
        number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
        text = isinstance(value, str) and len(value) <= _TEXT_MAX and value.isprintable()
        if not (number if key in (*_NUMBERS, _RATE) else text if key in _TEXTS else False):
            raise FrameError("a portrait with a trait that is none")
        found[key] = value
    if not all(isinstance(name, str) and _DEVICE.match(name) for name in connected):
        raise FrameError("a portrait with a device that is none")
    return found, tuple(connected)


def _short(values: t.Sequence[str]) -> str:
    """Return the one value that all have, else all of them, by number."""
    if len(set(values)) == 1:
        return values[0]
    return " ".join(f"{number}:{value}" for number, value in enumerate(values))[:_TEXT_MAX]
