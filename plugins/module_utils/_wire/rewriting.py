# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other texts in the configuration in front of a stream, and a number, and not a byte of anything else changed.

The JSON is not read and written anew: its numbers, the order of its keys and keys that appear twice (of which libxl
takes the first and Python the last) stay as ``xl`` wrote them.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import BadConfig, ConfigTooLong
from ansible_collections.dom0.xen.plugins.module_utils._wire.header import (
    CONFIG_MAX,
    HEADER,
    LENGTH,
    XlHeader,
    decode_config,
    decode_config_length,
)

Place = t.Tuple[str, str]
"""A list of the configuration, and the field of its items that holds the text."""
Texts = t.Mapping[Place, t.Mapping[str, str]]

_TOKEN = re.compile(r'[{}\[\],:"]|[^\s{}\[\],:"]+')
_DECODER = json.JSONDecoder()


def rewrite(head: bytes, texts: Texts, domid: int = 0) -> bytes:
    """Return the beginning of a stream with other texts in its configuration, and with the lengths that they make.

    ``head`` begins with the xl header and has the whole configuration; what follows that is kept. ``domid``: the number
    that the domain is to have, 0 to leave what is said of that. Raises the errors of :class:`XlHeader`,
    :class:`BadConfig` and :class:`ConfigTooLong`.
    """
    header = XlHeader.decode(head[: HEADER.size])
    begin = HEADER.size + LENGTH.size
    length = decode_config_length(head[HEADER.size : begin], header)
    config = replaced(decode_config(head[begin : begin + length]), texts)
    config = (numbered(config, domid) if domid else config) + b"\x00"
    if len(config) > CONFIG_MAX:
        raise ConfigTooLong(f"with the destination's names the configuration has {len(config)} bytes", position=48)
    grown = dataclasses.replace(header, optional_data_length=header.optional_data_length - length + len(config))
    return b"".join((grown.encode(), LENGTH.pack(len(config)), config, head[begin + length :]))


def replaced(config: bytes, texts: Texts) -> bytes:
    """Return a configuration in JSON with the ``texts`` in their places replaced. Raises :class:`BadConfig`."""
    try:
        return "".join(_pieces(config.decode("utf-8"), texts)).encode("utf-8")
    except (ValueError, IndexError) as exc:
        raise _unsound(exc) from exc


def numbered(config: bytes, domid: int) -> bytes:
    """Return a configuration in JSON whose domain is to have this number (``c_info.domid``). Raises :class:`BadConfig`.

    Where it names one already, that is replaced: the first, which is the one that libxl takes.
    """
    behind = None
    try:
        text = config.decode("utf-8")
        for path, begin, end, dummy in _values(text):
            if path == ("c_info", "domid"):
                return f"{text[:begin]}{domid}{text[end:]}".encode()
            if behind is None and path == ("c_info", "name"):
                behind = end
    except (ValueError, IndexError) as exc:
        raise _unsound(exc) from exc
    if behind is None:
        raise BadConfig("the configuration has no name in c_info", position=52)
    return f'{text[:behind]}, "domid": {domid}{text[behind:]}'.encode()


def _unsound(exc: Exception) -> BadConfig:
    return BadConfig(f"the configuration is not sound JSON: {exc}", position=52)


def _pieces(text: str, texts: Texts) -> t.Iterator[str]:
    kept = 0
    for path, begin, end, value in _values(text):
        place = (path[0], path[2]) if len(path) == 3 and path[1] == "" else None
        new = texts.get(place, {}).get(value) if place is not None and value is not None else None
        if new is not None:
            yield text[kept:begin]
            yield json.dumps(new, ensure_ascii=False)
            kept = end
    yield text[kept:]


def _values(text: str) -> t.Iterator[tuple[tuple[str, ...], int, int, str | None]]:
    """Yield each value that holds no others: the keys that lead to it, where it begins and ends, and what a text says.

    The key of an item of a list is empty.
    """
    keys: list[str] = []
    objects: list[bool] = []
    at, names_key = 0, False
    while True:
        token = _TOKEN.search(text, at)
        if token is None:
            return
        mark, begin, at = token.group()[0], token.start(), token.end()
        if mark == '"':
            value, at = _DECODER.raw_decode(text, begin)
            if names_key:
                keys[-1] = value
            else:
                yield tuple(keys), begin, at, value
        elif mark in "{[":
            keys.append("")
            objects.append(mark == "{")
        elif mark in "}]":
            keys.pop()
            objects.pop()
        elif mark not in ",:":
            yield tuple(keys), begin, at, None
        if mark != '"':
            names_key = bool(objects) and objects[-1] and mark in "{,"
