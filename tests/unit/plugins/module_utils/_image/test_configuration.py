# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a stream is shown without its secrets, and nothing in it can harm who reads the result."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._image import configuration
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import BadConfig, ConfigTooLong
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._image.saved import code, described, stream
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

BAD = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "no object": b"[1]",
    "deep": b'{"a":' * 40 + b"1" + b"}" * 40,
    "very deep": b'{"a":' * 9000 + b"1" + b"}" * 9000,
    "not a number": b'{"a": NaN}',
    "infinite": b'{"a": Infinity}',
    "too large": b'{"a": 1e999}',
    "many digits": b'{"a": ' + b"9" * 1000 + b"}",
}


def saved(text: bytes) -> bytes:
    """A sound stream with this configuration."""
    whole = stream()
    return streams.xl_header(text) + whole[whole.index(b"LibxlFmt") :]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_configuration(text: bytes) -> None:
    """It is told, and the stream is described without it."""
    with pytest.raises(BadConfig):
        configuration.shown(text, 52)
    found = described(saved(text))
    assert code(found) == "stream_bad_config" and found.problem is not None and found.problem.position == 52
    assert found.config is None and found.identity is None and found.complete and len(found.records) == 3


def test_longer_than_any() -> None:
    """A megabyte of brackets takes a hundred as objects."""
    text = streams.config(x="y" * configuration.LENGTH_MAX)
    with pytest.raises(ConfigTooLong):
        configuration.shown(text, 52)
    found = described(saved(text))
    assert code(found) == "stream_config_too_long" and found.complete


def test_without_identity() -> None:
    """The configuration is shown even when it is nobody's."""
    found = described(saved(b'{"c_info": {"name": "centos"}, "b_info": {}}'))
    assert code(found) == "stream_bad_config" and found.identity is None
    assert found.config == {"c_info": {"name": "centos"}, "b_info": {}}


def test_secrets() -> None:
    """They are in a file of which the result is printed and logged."""
    more: dict[str, t.Any] = {"vfbs": [{"vnc": {"passwd": "hunter2"}}], "x": ["-vnc", ":0,password=hunter2"]}
    found = described(saved(streams.config(**more)))
    assert found.config is not None and "hunter2" not in json.dumps(found.to_result())
    assert found.config["vfbs"][0]["vnc"]["passwd"] == "********"


def test_half_a_character() -> None:
    """JSON can say what no text can hold; names are shown all the same."""
    text = streams.config().replace(b'"centos"', b'"cent\\ud800os"')
    found = described(saved(text))
    assert found.identity is not None and found.identity.name == "cent?os"
    json.dumps(found.to_result(), ensure_ascii=False).encode("utf-8")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(content=st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_any_json(content: dict[str, t.Any]) -> None:
    """It is shown as it is and can be read by anybody, or refused."""
    text = json.dumps(content).encode()
    try:
        found = configuration.shown(text, 0)
    except BadConfig:
        return
    assert json.loads(json.dumps(found, allow_nan=False)) == found
