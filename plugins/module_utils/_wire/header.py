# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The xl header in front of every saved or migrated domain, and the configuration that it carries.

``struct save_file_header`` in tools/xl/xl.h; written by ``save_domain_core_writeconfig`` (tools/xl/xl_saverestore.c),
read by ``create_domain`` (tools/xl/xl_vmcontrol.c). Integers are in the byte order of the host, which is
little-endian wherever xl can migrate.
"""

from __future__ import annotations

import json
import re
import struct
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import (
    BadConfig,
    BadMagic,
    ConfigTooLong,
    LegacyStream,
    UnsupportedHeader,
    printable,
)

MAGIC = b"Xen saved domain, xl format\n \x00 \r"
BYTE_ORDER = 0x01020304
FLAG_JSON = 1
FLAG_STREAM_V2 = 2
FLAGS_KNOWN = FLAG_JSON | FLAG_STREAM_V2

HEADER = struct.Struct("<32s4I")
LENGTH = struct.Struct("<I")

CONFIG_MAX = 1 << 20
"""Longest configuration accepted, in bytes with its NUL. Real ones have a few KiB."""
OPTIONAL_DATA_MAX = 16 << 20
"""Longest optional data accepted, in bytes; what follows the configuration in it is skipped, as xl does."""

_IDENTITY_KEYS = ("c_info", "b_info", "uuid", "name", "type", "max_memkb", "target_memkb", "video_memkb")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class XlHeader:
    """The 48 bytes in front of the configuration."""

    mandatory_flags: int
    optional_flags: int
    optional_data_length: int

    def encode(self) -> bytes:
        """Return the header as xl writes it."""
        return HEADER.pack(MAGIC, BYTE_ORDER, self.mandatory_flags, self.optional_flags, self.optional_data_length)

    @classmethod
    def decode(cls, data: bytes) -> XlHeader:
        """Read a header of exactly ``HEADER.size`` bytes.

        Raises :class:`BadMagic`, :class:`UnsupportedHeader` (byte order, unknown mandatory flag, text configuration),
        :class:`LegacyStream` (Xen 4.5 and older), :class:`BadConfig` (none) or :class:`ConfigTooLong`.
        """
        magic, order, mandatory, optional, length = HEADER.unpack(data)
        if magic != MAGIC:
            raise BadMagic(f"this is not an xl stream: it begins with '{printable(magic)}'", position=0)
        if order != BYTE_ORDER:
            raise UnsupportedHeader(f"the xl header has byte order 0x{order:08x}", position=32)
        if mandatory & ~FLAGS_KNOWN:
            raise UnsupportedHeader(f"the xl header has unknown mandatory flags 0x{mandatory:x}", position=36)
        if not mandatory & FLAG_STREAM_V2:
            raise LegacyStream("the stream has the format of Xen 4.5 or older", position=36)
        if not mandatory & FLAG_JSON:
            raise UnsupportedHeader("the configuration is not JSON", position=36)
        if not length:
            raise BadConfig("the stream carries no configuration", position=44)
        if length < LENGTH.size:
            raise BadConfig("the configuration has no length", position=44)
        if length > OPTIONAL_DATA_MAX:
            raise ConfigTooLong(f"the xl header announces {length} bytes of optional data", position=44)
        return cls(mandatory, optional, length)


def decode_config_length(data: bytes, header: XlHeader) -> int:
    """Read the length of the configuration, in bytes with its NUL. Raises BadConfig or ConfigTooLong."""
    length = int(LENGTH.unpack(data)[0])
    if length > CONFIG_MAX:
        raise ConfigTooLong(f"the configuration has {length} bytes, more than {CONFIG_MAX}", position=48)
    if length > header.optional_data_length - LENGTH.size:
        raise BadConfig("the configuration is longer than the data that holds it", position=48)
    if not length:
        raise BadConfig("the configuration is empty", position=48)
    return length


def decode_config(data: bytes) -> bytes:
    """Return the JSON text without its terminating NUL. Raises :class:`BadConfig` when that is missing."""
    if data.find(b"\x00") != len(data) - 1:
        raise BadConfig("the configuration is not one NUL-terminated text", position=52)
    return data[:-1]


def encode(config: bytes) -> bytes:
    """Return header, length and configuration as xl writes them in front of a stream.

    ``config`` is the JSON text without NUL. Raises :class:`BadConfig` or :class:`ConfigTooLong`.
    """
    if b"\x00" in config:
        raise BadConfig("the configuration contains a NUL", position=52)
    if len(config) >= CONFIG_MAX:
        raise ConfigTooLong(f"the configuration has {len(config)} bytes", position=48)
    header = XlHeader(FLAGS_KNOWN, 0, LENGTH.size + len(config) + 1)
    return header.encode() + LENGTH.pack(len(config) + 1) + config + b"\x00"


@dataclass(frozen=True)
class ConfigIdentity:
    """Which domain a configuration describes, and how much memory it may have; sizes in KiB."""

    uuid: str
    name: str
    type: str
    memory_max_kib: int
    memory_target_kib: int
    video_memory_kib: int


def _unique(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    # libxl takes the first of two equal keys, Python the last: with both, a check here and xl would see two domains.
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, dummy in pairs]
        for key in _IDENTITY_KEYS:
            if keys.count(key) > 1:
                raise ValueError(f"the key {key} appears twice")
    return found


def _section(config: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    found = config.get(name)
    if not isinstance(found, dict):
        raise BadConfig(f"the configuration has no {name}", position=52)
    return found


def _kib(section: dict[str, t.Any], name: str, default: int | None = None) -> int:
    found = section.get(name, default)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise BadConfig(f"{name} in the configuration is not a size", position=52, field=name)
    return found


def config_identity(config: bytes) -> ConfigIdentity:
    """Read the identity from a configuration in JSON (fields of libxl_types.idl ``domain_config``).

    Raises :class:`BadConfig` when it is not JSON, has one of these keys twice, or lacks UUID, name or memory size.
    """
    try:
        parsed = json.loads(config.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as exc:
        raise BadConfig(f"the configuration is not sound JSON: {exc}", position=52) from exc
    if not isinstance(parsed, dict):
        raise BadConfig("the configuration is not a JSON object", position=52)
    create = _section(parsed, "c_info")
    build = _section(parsed, "b_info")
    uuid, name, kind = create.get("uuid"), create.get("name"), create.get("type", "")
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid.lower()):
        raise BadConfig("the configuration has no UUID", position=52)
    if not isinstance(name, str) or not name or "\x00" in name:
        raise BadConfig("the configuration has no name", position=52)
    if not isinstance(kind, str):
        raise BadConfig("the type in the configuration is not a word", position=52)
    maximum = _kib(build, "max_memkb")
    return ConfigIdentity(
        uuid=uuid.lower(),
        name=name,
        type=kind,
        memory_max_kib=maximum,
        memory_target_kib=_kib(build, "target_memkb", maximum),
        video_memory_kib=_kib(build, "video_memkb", 0),
    )
