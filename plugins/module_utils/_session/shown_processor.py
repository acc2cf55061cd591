# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last check, in the stream: was the guest shown what the destination's processor lacks? (no I/O)

The record X86_CPUID_POLICY stands before all memory (tools/libs/guest/xg_sr_save.c write_static_data), so that a
domain that must not go is stopped while it runs and has never been asked to suspend.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._cpu_features import PLACES, missing, words
from ansible_collections.dom0.xen.plugins.module_utils._session.errors import ProcessorLacks
from ansible_collections.dom0.xen.plugins.module_utils._wire import events, policies, records

# Xen writes fewer than 200 leaves of 24 bytes (xen/include/xen/lib/x86/cpu-policy.h CPUID_MAX_SERIALISED_LEAVES).
_LENGTH_MAX = 64 * 1024


class ShownProcessor:
    """Picks the record out of the stream as it goes by, and compares it once."""

    def __init__(self, there: str) -> None:
        """``there`` is hw_caps of ``xl info`` at the destination, empty where nothing is to be compared."""
        self._there = words(there.split(":"))
        self._begin = self._length = 0
        self._body = bytearray()
        self._over = not self._there

    def take(self, data: bytes, position: int, found: t.Iterable[events.Event]) -> None:
        """Read ``data``, which begins at ``position`` of the stream and in which that was found.

        Raises :class:`ProcessorLacks`, or a ``StreamError`` for a policy that cannot be read.
        """
        if self._over:
            return
        for event in found:
            if isinstance(event, events.PageData):
                self._over = not self._length
            elif isinstance(event, events.Record) and self._is_policy(event):
                self._begin, self._length = event.position + records.RECORD.size, event.length
        if self._length:
            begin = self._begin - position
            self._body += data[max(0, begin) : max(0, begin + self._length)]
            if len(self._body) == self._length:
                self._over = True
                self._compare(policies.decode_cpuid(bytes(self._body), self._begin))

    def _is_policy(self, event: events.Record) -> bool:
        kind = event.layer == records.LIBXC and event.type == records.LIBXC_X86_CPUID_POLICY
        return kind and not self._length and 0 < event.length <= _LENGTH_MAX

    def _compare(self, leaves: tuple[policies.CpuidLeaf, ...]) -> None:
        shown = tuple(policies.register(leaves, *place) for place in PLACES)
        lacking = missing(shown, self._there)
        if lacking:
            raise ProcessorLacks(
                f"the guest was shown a processor with {', '.join(lacking)}, which that of the destination does not"
                " have; Xen there would take it away without a word",
                missing=list(lacking),
                source=":".join(f"{word:08x}" for word in shown),
                destination=":".join(f"{word:08x}" for word in self._there),
            )
