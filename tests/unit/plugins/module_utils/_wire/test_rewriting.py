# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other names in the configuration of a stream: they, and nothing else, change, and the lengths are right."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import header
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import BadConfig, ConfigTooLong
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rewriting import numbered, replaced, rewrite
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

NICS, DISKS = ("nics", "bridge"), ("disks", "pdev_path")
TEXTS = {NICS: {"xenbr0": "br7", "xenbr1": "xenbr0"}, DISKS: {"/dev/a": '/dev/mapper/\u00e4 "quoted"'}}
WHOLE = (
    b'{ "c_info": {"name": "xenbr0", "bridge": "xenbr0", "big": 123456789012345678901234567890, "small": 1.50e-3},\n'
    b'  "nics":[{"devid":0,"bridge":"xenbr0","ip":"\\u0041"} , {"bridge" : "xenbr1"},{"bridge":"other"},\n'
    b'          {"inner":{"bridge":"xenbr0"},"list":["xenbr0"]}],\n'
    b'  "disks":[{"pdev_path":"\\/dev\\/a","vdev":"/dev/a"},{"pdev_path":"/dev/b"}],\n'
    b'  "bridge": "xenbr0", "deep": {"nics": [{"bridge": "xenbr0"}]}, "nics": [{"bridge": "xenbr0"}] }\n'
)


def test_nothing_else_changes() -> None:
    """Not a byte: numbers that Python would write in another way, blanks, names in other places."""
    first = WHOLE[: WHOLE.index(b"\n") + 1]
    assert replaced(WHOLE, TEXTS) == first + (
        b'  "nics":[{"devid":0,"bridge":"br7","ip":"\\u0041"} , {"bridge" : "xenbr0"},{"bridge":"other"},\n'
        b'          {"inner":{"bridge":"xenbr0"},"list":["xenbr0"]}],\n'
        b'  "disks":[{"pdev_path":"/dev/mapper/\xc3\xa4 \\"quoted\\"","vdev":"/dev/a"},{"pdev_path":"/dev/b"}],\n'
        b'  "bridge": "xenbr0", "deep": {"nics": [{"bridge": "xenbr0"}]}, "nics": [{"bridge": "br7"}] }\n'
    )


VALUES: st.SearchStrategy[t.Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["xenbr0", "/dev/a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "bridge", "nics", ""]), inner),
    max_leaves=20,
)


def _expected(config: t.Any) -> t.Any:
    """The same the other way round: read, changed, and compared as values."""
    for (group, key), names in TEXTS.items():
        items = config.get(group)
        for item in items if isinstance(items, list) else ():
            name = item.get(key) if isinstance(item, dict) else None
            if isinstance(name, str):
                item[key] = names.get(name, name)
    return config


@given(
    config=st.dictionaries(st.sampled_from(["nics", "disks", "c_info"]), VALUES),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 0, 4]),
)
def test_any_configuration(config: dict[str, t.Any], ascii_only: bool, indent: int | None) -> None:
    """However it is written."""
    config["nics"] = [config.get("nics"), {"bridge": "xenbr1", "more": dict(config)}]
    text = json.dumps(config, ensure_ascii=ascii_only, indent=indent).encode()
    assert json.loads(replaced(text, TEXTS)) == _expected(json.loads(text))


@pytest.mark.parametrize("behind", [b"", b"more", streams.SMALL["pvh"][-200:]])
def test_header_fits_the_configuration(behind: bytes) -> None:
    """What follows the configuration in the optional data stays, and so does the stream."""
    optional = 17
    config = WHOLE + b"\x00"
    data = header.XlHeader(3, 5, 4 + len(config) + optional).encode() + header.LENGTH.pack(len(config)) + config
    made = rewrite(data + b"x" * optional + behind, TEXTS)
    follow = StreamParser()
    follow.feed(made[: len(made) - len(behind)])
    assert follow.config == replaced(WHOLE, TEXTS)
    assert follow.phase == "libxl" and follow.passing == 0
    assert made.endswith(b"x" * optional + behind)
    assert header.XlHeader.decode(made[:48]).optional_flags == 5


def test_it_may_not_grow_beyond_what_a_receiver_takes() -> None:
    """A configuration at the limit, and a longer name."""
    config = json.dumps({"nics": [{"bridge": "xenbr0"}], "x": ""}).encode()
    config = config[:-2] + b"y" * (header.CONFIG_MAX - 1 - len(config)) + config[-2:]
    assert rewrite(header.encode(config), {NICS: {"xenbr0": "br"}})
    with pytest.raises(ConfigTooLong):
        rewrite(header.encode(config), {NICS: {"xenbr0": "xenbr12"}})


@pytest.mark.parametrize("config", [b'{"nics": [{"bridge": "xenbr0]', b'}{"', b'"\xff"'])
def test_what_is_no_json(config: bytes) -> None:
    """It is said so; nothing else comes up."""
    with pytest.raises(BadConfig):
        replaced(config, TEXTS)
    with pytest.raises(BadConfig):
        numbered(config, 7)


NUMBERED = {
    b'{"c_info": {"type": "pvh", "name": "a", "uuid": "b"}}': (
        b'{"c_info": {"type": "pvh", "name": "a", "domid": 7, "uuid": "b"}}'
    ),
    b'{"c_info": {"name": "a"}, "domid": 1}': b'{"c_info": {"name": "a", "domid": 7}, "domid": 1}',
    b'{"c_info": {"name": "a", "domid": 4294967295}}': b'{"c_info": {"name": "a", "domid": 7}}',
    b'{"c_info": {"domid" : 12 ,"name": "a", "domid": 3}}': b'{"c_info": {"domid" : 7 ,"name": "a", "domid": 3}}',
    b'{"c_info": {"domid": "x", "name": "a"}}': b'{"c_info": {"domid": 7, "name": "a"}}',
    b'{"x": {"c_info": {"domid": 1}}, "c_info": {"x": {"name": "n"}, "name": "\xc3\xa4"}}': (
        b'{"x": {"c_info": {"domid": 1}}, "c_info": {"x": {"name": "n"}, "name": "\xc3\xa4", "domid": 7}}'
    ),
}


@pytest.mark.parametrize("config", NUMBERED)
def test_the_number_of_the_domain(config: bytes) -> None:
    """In its place, and not a byte of anything else: libxl takes the first of two keys."""
    assert numbered(config, 7) == NUMBERED[config]


def test_a_number_and_names_together() -> None:
    """The header fits both; without a number what is said of it stays."""
    first = WHOLE.replace(b'"name": "xenbr0"', b'"name": "a", "domid": 0')
    made = rewrite(header.encode(first), TEXTS, 7)
    assert made[52:-1] == replaced(first.replace(b'"domid": 0', b'"domid": 7'), TEXTS)
    assert header.decode_config_length(made[48:52], header.XlHeader.decode(made[:48])) == len(made) - 52
    assert b'"domid": 0' in rewrite(header.encode(first), TEXTS)
