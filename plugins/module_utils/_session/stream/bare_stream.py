# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream of a domain that is shut down: it has a header and a configuration, and no memory (private).

Behind the configuration, in the header's optional data, where xl skips what it does not know (tools/xl/xl_vmcontrol.c
create_domain), stands the configuration file. What follows is a sound stream of libxl with nothing in it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import NoConfiguration
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import CONFIG_MAX
from ansible_collections.dom0.xen.plugins.module_utils._wire import header, records

BODY = b"".join(
    (
        records.LIBXL_HEADER.pack(records.LIBXL_IDENT, records.LIBXL_VERSION, 0),
        records.RECORD.pack(records.LIBXL_LIBXC_CONTEXT, 0),
        records.IMAGE_HEADER.pack(records.IMAGE_MARKER, records.IMAGE_ID, records.IMAGE_VERSIONS[-1], 0, 0, 0),
        records.DOMAIN_HEADER.pack(2, records.PAGE_SHIFT, 0, 0, 0),
        records.RECORD.pack(records.LIBXC_END, 0),
        records.RECORD.pack(records.LIBXL_END, 0),
    )
)
"""All that follows the header: its last record says that the domain is down."""

Read = t.Callable[[int], bytes]


def head(config: bytes, text: bytes) -> bytes:
    """Return the header with the domain's configuration in JSON, and the ``text`` of its file."""
    written = header.encode(config)
    data = written[header.HEADER.size :]
    first = header.XlHeader(header.FLAGS_KNOWN, 0, len(data) + len(text))
    return first.encode() + data + text


def read_head(read: Read) -> tuple[bytes, bytes]:
    """Return both; ``read`` returns so many bytes. Raises a StreamError, or NoConfiguration."""
    first = header.XlHeader.decode(read(header.HEADER.size))
    length = header.decode_config_length(read(header.LENGTH.size), first)
    config = header.decode_config(read(length))
    rest = first.optional_data_length - header.LENGTH.size - length
    if not 0 < rest <= CONFIG_MAX:
        raise NoConfiguration(f"a configuration file of {rest} bytes came with the domain")
    return config, read(rest)
