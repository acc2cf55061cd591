# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream of a domain that is shut down is a sound one, and carries the configuration file."""

from __future__ import annotations

import io

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.stream import bare_stream
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import NoConfiguration
from ansible_collections.dom0.xen.plugins.module_utils._wire import parser
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import BadConfig
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import PERMISSION

CONFIG, TEXT = b'{"c_info":{}}', b'name = "centos"\n'


def test_it_is_read_like_any_other() -> None:
    """By both sides, byte for byte, to the permission."""
    stream = parser.StreamParser()
    for byte in bare_stream.head(CONFIG, TEXT) + bare_stream.BODY + PERMISSION:
        stream.feed(bytes([byte]))
    assert (stream.config, stream.phase) == (CONFIG, parser.PERMITTED)


def test_what_goes_in_comes_out() -> None:
    """And what follows is left."""
    written = io.BytesIO(bare_stream.head(CONFIG, TEXT) + bare_stream.BODY)
    assert bare_stream.read_head(written.read) == (CONFIG, TEXT)
    assert written.read() == bare_stream.BODY


def test_its_size_is_bounded() -> None:
    """A file of any size would be read into memory."""
    for text in (b"", b"#" * (256 * 1024 + 1)):
        with pytest.raises(NoConfiguration):
            bare_stream.read_head(io.BytesIO(bare_stream.head(CONFIG, text)).read)
    with pytest.raises(BadConfig):
        bare_stream.head(b"\0", TEXT)
