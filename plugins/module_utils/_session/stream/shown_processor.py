# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last check, in the stream: was the guest shown what the destination does not give it? (no I/O)

The records X86_CPUID_POLICY and X86_MSR_POLICY stand before all memory (tools/libs/guest/xg_sr_save.c
write_static_data), so that a domain that must not go is stopped while it runs and has never been asked to suspend.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_features import (
    beyond,
    limits_listed,
    missing,
    rejected,
    words,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy, policy
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import ProcessorLacks, ProcessorRefused
from ansible_collections.dom0.xen.plugins.module_utils._wire import events, policies, records

# Xen writes some 120 leaves of 24 bytes at most, and 2 registers of 16 (xen/include/xen/lib/x86/cpu-policy.h
# CPUID_MAX_SERIALISED_LEAVES, MSR_MAX_SERIALISED_ENTRIES).
_LENGTH_MAX = 64 * 1024
_WANTED = (records.LIBXC_X86_CPUID_POLICY, records.LIBXC_X86_MSR_POLICY)


class ShownProcessor:
    """Picks the records out of the stream as it goes by, and compares them once, when no more of them can come."""

    def __init__(self, there: str, most: Policy | None = None) -> None:
        """``there`` is hw_caps of ``xl info`` at the destination, empty where nothing is to be compared with it.

        ``most`` is what Xen there shows such a guest at most; None: nothing is compared with that.
        """
        self._there = words(there.split(":"))
        self._most = most
        self._bodies: dict[int, _Body] = {}
        self._over = not self._there and most is None

    def take(self, data: bytes, position: int, found: t.Iterable[events.Event]) -> None:
        """Read ``data``, which begins at ``position`` of the stream and in which that was found.

        Raises :class:`ProcessorLacks`, :class:`ProcessorRefused`, or a ``StreamError`` for a policy that is none.
        """
        if self._over:
            return
        ends = False
        for event in found:
            if isinstance(event, events.PageData):
                ends = True
            elif isinstance(event, events.Record) and event.layer == records.LIBXC:
                ends = ends or event.type == records.LIBXC_STATIC_DATA_END
                if event.type in _WANTED and not ends and 0 < event.length <= _LENGTH_MAX:
                    # As for Xen, the last one of a type counts (xg_sr_common_x86.c, update_blob).
                    self._bodies[event.type] = _Body(event.position + records.RECORD.size, event.length)
        for body in self._bodies.values():
            body.take(data, position)
        if ends:
            self._over = True
            self._compare()

    def _compare(self) -> None:
        cpuid, msr = (self._bodies.get(kind) for kind in _WANTED)
        if cpuid is None:
            return
        leaves = policies.decode_cpuid(bytes(cpuid.data), cpuid.begin)
        registers = policies.decode_msr(bytes(msr.data), msr.begin) if msr is not None else ()
        shown = policy(policies.answers(leaves), dict(registers))
        limits = rejected(shown, self._most) if self._most is not None else ()
        if limits:
            raise ProcessorRefused(
                f"the guest was shown what Xen on the destination refuses: {limits_listed(limits)}",
                limits=[limit._asdict() for limit in limits],
            )
        lacking = beyond(shown, self._most) if self._most is not None else ()
        lacking = lacking or missing(words(shown.features), self._there)
        if lacking:
            there = self._most.features if self._most is not None else tuple(f"{word:08x}" for word in self._there)
            raise ProcessorLacks(
                f"the guest was shown a processor with {', '.join(lacking)}, which the destination does not give it;"
                " Xen there would take it away without a word",
                missing=list(lacking),
                source=":".join(shown.features),
                destination=":".join(there),
            )


class _Body:
    """A record's body, of ``length`` bytes from the position ``begin`` of the stream, which comes in pieces."""

    def __init__(self, begin: int, length: int) -> None:
        self.begin = begin
        self.data = bytearray()
        self._end = begin + length

    def take(self, data: bytes, position: int) -> None:
        """Keep what of ``data``, which begins at ``position``, is the body's."""
        self.data += data[max(0, self.begin - position) : max(0, self._end - position)]
