# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes with a domain is read as if it came from anybody."""

from __future__ import annotations

import base64
import json
import os
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import MAX_CONTROL, Kind, encode_document
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings import belongings
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.belongings import (
    Belongings,
    Entry,
    File,
    Owner,
)

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
TEXT = f'name = "centos"\nuuid = "{UUID}"\n'.encode()


def message(**config: t.Any) -> dict[str, t.Any]:
    """A message with one good file, of which something is different."""
    file = {"name": "centos.cfg", "content": base64.b64encode(TEXT).decode(), "mode": 0o640, "group": "adm", **config}
    return {"type": "belongings", "config": file, "entries": []}


def test_what_is_sent_is_what_arrives() -> None:
    """Files, links of both kinds, modes and groups."""
    file = File("centos.cfg", TEXT + b"\xff", Owner(0o640, "adm"))
    sent = Belongings(file, (Entry("10-centos"), Entry("x", "/srv/centos.cfg"), Entry("y.cfg", file=file)))
    assert belongings.read(sent.to_message(), UUID, "centos") == sent
    assert belongings.read(Belongings().to_message(), UUID, "centos") == Belongings()


def test_the_largest_fits_into_a_frame() -> None:
    """Else the link would end in the middle of a move."""
    file = File("c" * 200, TEXT.ljust(belongings.FILE_MAX, b"\n"), Owner(0o644))
    rest = belongings.ALL_MAX // belongings.FILE_MAX - 1
    long = "/" + "l" * 999
    entries = [Entry(f"{n}" + "e" * 198, long, file if n < rest else None) for n in range(belongings.ENTRIES_MAX)]
    sent = Belongings(file, tuple(entries)).to_message()
    belongings.read(sent, UUID, "centos")
    assert len(encode_document(Kind.MESSAGE, sent)) < MAX_CONTROL


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../passwd"},
        {"name": "auto/centos.cfg"},
        {"name": ".hidden"},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "c" * 201},
        {"name": "c\ud800.cfg"},
        {"name": None},
        {"name": "centos.cfg.moved-0123456789abcdef"},
        {"name": "centos.cfg.dom0-xen-0123456789abcdef"},
        {"name": "xl.conf"},
        {"name": "oxenstored.conf"},
        {"name": "cpupool"},
        {"mode": 0o4755},
        {"mode": -1},
        {"mode": True},
        {"mode": "0644"},
        {"group": "-root"},
        {"group": "a b"},
        {"group": 0.5},
        {"content": "not base64"},
        {"content": 1},
        {"content": base64.b64encode(b"name = 'web'\n").decode()},
        {"content": base64.b64encode(b"name = 'centos'\nuuid = '99999999-3f5d-4c65-9e1a-0123456789ab'\n").decode()},
        {"content": base64.b64encode(TEXT.ljust(belongings.FILE_MAX + 1)).decode()},
    ],
)
def test_what_is_no_configuration_of_this_domain_is_refused(change: dict[str, t.Any]) -> None:
    """Whatever it is that is wrong with it."""
    belongings.read(message(), UUID, "centos")
    with pytest.raises(FrameError):
        belongings.read(message(**change), UUID, "centos")


def test_only_root_may_change_what_root_starts() -> None:
    """Whatever the source says: accounts of the same name are other people there."""
    sent = {**message(mode=0o666), "entries": [{"name": "centos", "link": "", "file": message(mode=0o777)["config"]}]}
    found = belongings.read(sent, UUID, "centos")
    assert found.config and found.config.owner == Owner(0o644, "adm")
    assert found.entries[0].file and found.entries[0].file.owner.mode == 0o755


@pytest.mark.parametrize(
    "entries",
    [
        None,
        {},
        ["x"],
        [{"name": "../x"}],
        [{"name": "x", "link": 1}],
        [{"name": "x", "link": "a\0b"}],
        [{"name": "x", "link": "a" * 1001}],
        [{"name": "x\ud800"}],
        [{"name": "x", "link": "/srv/\ud800"}],
        [{"name": "x", "file": "text"}],
        [{"name": str(number)} for number in range(belongings.ENTRIES_MAX + 1)],
    ],
)
def test_entries_that_are_none_are_refused(entries: t.Any) -> None:
    """Also too many of them."""
    with pytest.raises(FrameError):
        belongings.read({**message(), "entries": entries}, UUID, "centos")


def test_a_file_without_a_uuid_counts_by_its_name() -> None:
    """Many have none, and the source warns of them."""
    text = base64.b64encode(b"name = 'centos'\n").decode()
    assert belongings.read(message(content=text), UUID, "centos").config is not None


def test_a_name_that_is_no_text_goes_along() -> None:
    """A file system has any bytes; Python shows those that are no UTF-8 in its own way."""
    name = os.fsdecode(b"centos-\xff.cfg")
    found = belongings.read(json.loads(json.dumps(message(name=name))), UUID, "centos")
    assert found.config and os.fsencode(found.config.name) == b"centos-\xff.cfg"


@pytest.mark.parametrize("state", ["free", "same", "other", None])
def test_the_answer_has_four_words(state: str | None) -> None:
    """And no others."""
    assert belongings.read_seen(belongings.seen(state)) == state
    with pytest.raises(FrameError):
        belongings.read_seen({"type": "belongings_seen", "config": "maybe"})
