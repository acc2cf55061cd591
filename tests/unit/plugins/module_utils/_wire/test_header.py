# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The xl header and the configuration in it: what is written, what is refused, whom it describes."""

from __future__ import annotations

import json
import struct
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import errors, header
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

FIELDS: dict[str, int] = {"order": 32, "mandatory": 36, "length": 44, "config_length": 48}


def changed(field: str, value: int) -> bytes:
    """A sound header with one field changed."""
    data = bytearray(streams.xl_header(streams.config()))
    struct.pack_into("<I", data, FIELDS[field], value)
    return bytes(data)


def test_encoded_header_is_what_xl_writes() -> None:
    """Method suspend writes this header itself, for a real xl."""
    assert header.encode(streams.config()) == streams.xl_header(streams.config())


@given(text=st.binary(min_size=1, max_size=300).filter(lambda text: b"\0" not in text))
def test_what_is_encoded_is_read_back(text: bytes) -> None:
    """The configuration must pass unchanged, whatever is in it."""
    parser = StreamParser()
    parser.feed(header.encode(text))
    assert parser.config == text


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"#!/bin/sh\n".ljust(48), errors.BadMagic),
        (changed("order", 0x04030201), errors.UnsupportedHeader),
        (changed("mandatory", 7), errors.UnsupportedHeader),
        (changed("mandatory", 1), errors.LegacyStream),
        (changed("mandatory", 0), errors.LegacyStream),
        (changed("mandatory", 2), errors.UnsupportedHeader),
        (changed("length", 0), errors.BadConfig),
        (changed("length", 3), errors.BadConfig),
        (changed("length", 0xFFFFFFFF), errors.ConfigTooLong),
        (changed("config_length", 0), errors.BadConfig),
        (changed("config_length", 5000), errors.BadConfig),
        (changed("config_length", len(streams.config()) + 2), errors.BadConfig),
        (changed("config_length", (1 << 20) + 1), errors.ConfigTooLong),
        (streams.xl_header(b"{}\0{}"), errors.BadConfig),
        (streams.xl_header(streams.config())[:-1] + b"!", errors.BadConfig),
    ],
)
def test_unsound_headers_are_refused_by_name(data: bytes, error: type[errors.StreamError]) -> None:
    """A receiver must know why before a byte of it reaches xl."""
    with pytest.raises(error):
        StreamParser().feed(data)


def test_configurations_that_cannot_be_sent_are_refused() -> None:
    """What xl would refuse must not leave here."""
    with pytest.raises(errors.BadConfig):
        header.encode(b"{\0}")
    with pytest.raises(errors.ConfigTooLong):
        header.encode(b" " * (1 << 20))


def test_identity() -> None:
    """The receiver admits one domain: UUID, name and memory must be read as libxl means them."""
    assert header.config_identity(streams.config()) == header.ConfigIdentity(
        uuid=streams.UUID,
        name="centos",
        type="pvh",
        memory_max_kib=114688,
        memory_target_kib=114688,
        video_memory_kib=0,
    )


def edited(section: str, **values: t.Any) -> bytes:
    """A configuration with changed fields; None removes one."""
    content = json.loads(streams.config())
    content[section].update(values)
    content[section] = {key: value for key, value in content[section].items() if value is not None}
    return json.dumps(content).encode()


def test_omitted_fields_have_libxl_defaults() -> None:
    """libxl leaves out what equals its default."""
    found = header.config_identity(edited("b_info", target_memkb=None))
    assert found.memory_target_kib == found.memory_max_kib == 114688
    assert header.config_identity(edited("b_info", video_memkb=8192)).video_memory_kib == 8192
    assert header.config_identity(edited("c_info", uuid=streams.UUID.upper())).uuid == streams.UUID


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"name = 'centos'",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100000,
        b'{"c_info": 1, "b_info": {}}',
        edited("c_info", uuid="nonsense"),
        edited("c_info", uuid=None),
        edited("c_info", name=None),
        edited("c_info", name=""),
        edited("c_info", name="centos\0other"),
        edited("c_info", type=3),
        edited("b_info", max_memkb=None),
        edited("b_info", max_memkb="114688"),
        edited("b_info", max_memkb=-1),
        edited("b_info", max_memkb=True),
    ],
)
def test_configurations_without_identity_are_refused(text: bytes) -> None:
    """Nothing unnamed is let in, and no other error comes out."""
    with pytest.raises(errors.BadConfig):
        header.config_identity(text)


def test_two_identities_in_one_configuration_are_refused() -> None:
    """libxl takes the first of two equal keys and Python the last: xl would create another domain than was checked."""
    twice = streams.config().replace(b'"name": "centos"', b'"name": "victim", "name": "centos"')
    assert json.loads(twice)["c_info"]["name"] == "centos"
    with pytest.raises(errors.BadConfig, match="twice"):
        header.config_identity(twice)
