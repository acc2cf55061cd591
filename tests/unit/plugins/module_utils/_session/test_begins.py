# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that cannot begin says why, what to do about it, and says each once."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session import daemon
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import DestinationState
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.process.driver import Driver
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings


@pytest.fixture(name="folder")
def make_folder(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """The runtime folder of a session; what the process does to its umask is undone."""
    before = os.umask(0o022)
    folder = tmp_path / "run" / "0123456789abcdef.receiver"
    folder.mkdir(parents=True)
    yield folder
    os.umask(before)


def told(folder: pathlib.Path) -> dict[str, t.Any]:
    """What the launcher is told by the process of this session; its folder is gone then."""
    reads, writes = os.pipe()
    daemon.main("receiver", str(folder), writes)
    with os.fdopen(reads) as stream:
        error: dict[str, t.Any] = json.loads(stream.readline())["error"]
    assert not folder.exists()
    return error


def settings(folder: pathlib.Path, journal: pathlib.Path) -> ReceiverSettings:
    """What it is told by its launcher."""
    return ReceiverSettings(
        session="0123456789abcdef", uuid="u", name="centos", runtime_folder=str(folder), journal_folder=str(journal),
        peer_certificate="", xl="xl", link_timeout=1.0, peer_host="xen1", memory_max_kib=1, listen_address="127.0.0.1",
        port_first=0, port_last=0, admission_timeout=1.0, banner_timeout=1.0,
    )  # fmt: skip


def test_a_file_that_cannot_be_made(folder: pathlib.Path) -> None:
    """The message names it; the remedy stands beside it, where the launcher looks for it, and not in it too."""
    journal = folder.parent.parent / "none"
    documents.write(str(folder / documents.SETTINGS), settings(folder, journal).to_document())
    error = told(folder)
    assert (error["code"], error["details"]) == ("session_start", {"errno": 2})
    assert str(journal) in error["msg"] and "No such file or directory" in error["msg"]
    assert "/var/lib/dom0-xen" in error["remedy"] and error["remedy"] not in error["msg"]


def test_no_settings(folder: pathlib.Path) -> None:
    """Somebody has removed them between the launch and the start."""
    error = told(folder)
    assert (error["code"], error["remedy"]) == ("settings_wrong", "Start the migration again.")
    assert str(folder) in error["msg"] and error["remedy"] not in error["msg"]


class Broken(Driver[DestinationState]):
    """A session that ends of what nobody has foreseen, before it has told its launcher anything."""

    role = "receiver"

    def _open(self) -> None:
        raise OSError(23, "Too many open files in system")

    def _close(self) -> None:
        pass


def test_a_session_that_ends_at_once_says_of_what(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """It is not its own word, so that nothing else tells; the lines of its log are on its host."""
    journal, said = tmp_path / "journal", list[t.Mapping[str, t.Any]]()
    journal.mkdir()
    session = Broken(settings(folder, journal), DestinationState("centos"), advance, said.append)
    with pytest.raises(OSError, match="Too many open files in system"):
        session.run()
    (error,) = (each["error"] for each in said)
    assert (error["code"], error["side"]) == ("ended", "receiver")
    assert error["msg"].startswith("the session ended at once: OSError: ")
    assert "Too many open files in system" in error["msg"] and f"log in {journal}" in error["remedy"]
