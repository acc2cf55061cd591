# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is to describe the domain at the destination is made ready for xl, or the session does not begin."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import digest
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.described import ConfigChanged, described
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlFailed
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Dom0, Make

TEXT = 'name = "old"\ntype = "pvh"\nmemory = 8\nvcpus = 1\nvif = ["bridge=br-lan"]'


@pytest.fixture
def dom0(make: Make) -> Dom0:
    """A source."""
    return make()


def settings(folder: pathlib.Path, text: str = TEXT, **changes: t.Any) -> SenderSettings:
    """A session of the guest, which a file describes."""
    file = folder / "there.cfg"
    file.write_text(text)
    values: dict[str, t.Any] = {
        "session": "0123456789abcdef",
        "uuid": UUID,
        "name": NAME,
        "runtime_folder": str(folder),
        "journal_folder": str(folder),
        "peer_certificate": "",
        "xl": "xl",
        "link_timeout": 30.0,
        "peer_host": "xen2",
        "destination_address": "192.0.2.2",
        "port": 1,
        "connect_timeout": 1.0,
        "stop_link_timeout": 10.0,
        "memory_kib": 8192,
        "gate_held": False,
        "gate_timeout": 1.0,
        "progress_interval": 1.0,
        "config_path": str(file),
        "config_digest": digest(text),
    }
    return SenderSettings(**{**values, **changes})


def test_what_makes_it_the_same_domain_is_put_in(dom0: Dom0, tmp_path: pathlib.Path) -> None:
    """And nothing else is another one; nobody but root can read it."""
    domid = dom0.start()
    path = pathlib.Path(described(dom0.xl, settings(tmp_path), domid))
    assert path.read_text().startswith(TEXT)
    assert path.stat().st_mode & 0o077 == 0
    found = dom0.xl.understood(str(path))
    assert (found["c_info"]["uuid"], found["c_info"]["name"]) == (UUID, NAME)
    assert [(card["bridge"], card["mac"]) for card in found["nics"]] == [("br-lan", "00:16:3e:00:00:64")]
    assert "on_poweroff" not in found


def test_nothing_is_made_where_none_is_wanted(dom0: Dom0, tmp_path: pathlib.Path) -> None:
    """The domain goes as it is, or is made from the file at the destination."""
    for changes in ({"config_path": ""}, {"method": "cold"}):
        assert described(dom0.xl, settings(tmp_path, **changes), 1) == ""
    assert [path.name for path in tmp_path.iterdir() if path.name == "arrival.cfg"] == []


@pytest.mark.parametrize(
    ("text", "changes", "words"),
    [
        (TEXT, {"config_digest": "0" * 64}, "was changed since it was checked"),
        (TEXT, {"config_path": "/nonexistent"}, "was changed since it was checked"),
        (TEXT, {"config_path": "/nonexistent", "config_digest": ""}, "cannot be read any more"),
        (TEXT, {"config_digest": "0" * 64, "method": "cold"}, "was changed since it was checked"),
        (TEXT.replace("vcpus = 1", "vcpus = 2"), {}, "maxvcpus is 2, not 1"),
        (TEXT.replace("br-lan", "br-lan,mac=00:16:3e:00:00:65"), {}, "vif 00:16:3e:00:00:65 is there, not none"),
    ],
    ids=["another content", "no file", "none at all", "another to start from", "another machine", "another device"],
)
def test_it_must_be_what_was_checked(
    dom0: Dom0, tmp_path: pathlib.Path, text: str, changes: dict[str, t.Any], words: str
) -> None:
    """The file, and the domain: a device may have been plugged in since."""
    domid = dom0.start()
    with pytest.raises(ConfigChanged, match=words):
        described(dom0.xl, settings(tmp_path, text, **changes), domid)


def test_what_xl_does_not_take(dom0: Dom0, tmp_path: pathlib.Path) -> None:
    """It has its own words."""
    domid = dom0.start()
    with pytest.raises(XlFailed):
        described(dom0.xl, settings(tmp_path, "memory = ["), domid)
