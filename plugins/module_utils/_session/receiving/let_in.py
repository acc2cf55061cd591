# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver lets in: the domain of its session, as this host is to have it (pure; private).

That is with its own names of bridges and disks, and with the number that the domain is to keep.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame
from ansible_collections.dom0.xen.plugins.module_utils._mapping import FIELDS, of_entries
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Incoming
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._wire.rewriting import rewrite


def incoming(settings: ReceiverSettings) -> Incoming[Frame]:
    """Return the stream as the session may get it. Raises :class:`MappingWrong`."""
    domain = Authorised(settings.uuid, settings.name, settings.memory_max_kib)
    return Incoming(domain, rewriter(settings.mapped, settings.keep_domid))


def rewriter(entries: t.Sequence[t.Mapping[str, str]], domid: int = 0) -> t.Callable[[bytes], bytes] | None:
    """Return what rewrites the beginning of a stream, None where nothing is another one here.

    Raises :class:`MappingWrong`.
    """
    names = of_entries(entries)
    if not names and not domid:
        return None
    return functools.partial(rewrite, texts={place: names.of(what) for what, place in FIELDS.items()}, domid=domid)
