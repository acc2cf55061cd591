# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XenStore is read and written, and nobody is left waiting when it goes away."""

from __future__ import annotations

import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._xenstore import connection, errors
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.connection import find_socket, pyxs_version
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"


@pytest.fixture
def store(xenstored: t.Any) -> t.Iterator[XenStore]:
    """A connection to the daemon."""
    with XenStore(xenstored.socket, timeout_s=1.0) as opened:
        yield opened


def test_reads_what_is_there(store: XenStore) -> None:
    """Values as text, numbers as numbers, nothing where there is nothing."""
    assert store.read("/local/domain/3/name") == "centos"
    assert store.read("/local/domain/3/control/shutdown") == ""
    assert store.read("/local/domain/77/name") is None
    assert store.read_int("/local/domain/3/memory/target") == 131072
    assert store.read_int("/local/domain/3/name") is None
    assert set(store.list("/local/domain/3")) == {"name", "vm", "control", "memory"}
    assert store.list("/local/domain/77") == ()


def test_empty_value_can_be_written(store: XenStore) -> None:
    """Acknowledging a suspend request is writing an empty value, which pyxs 0.4.1 by itself refuses to send."""
    store.write("/local/domain/3/control/shutdown", "suspend")
    assert store.read("/local/domain/3/control/shutdown") == "suspend"
    store.write("/local/domain/3/control/shutdown", "")
    assert store.read("/local/domain/3/control/shutdown") == ""


def test_deleting_is_idempotent(store: XenStore) -> None:
    """A node that is gone already is no failure."""
    store.delete("/local/domain/3/control")
    assert store.read("/local/domain/3/control/shutdown") is None
    store.delete("/local/domain/3/control")


def test_uuid_comes_from_the_domain_not_from_vm(store: XenStore) -> None:
    """/vm/UUID is rewritten by a second copy on the same host; here it lies, and must not be believed."""
    assert store.domids() == (0, 3, 12)
    assert store.uuid(3) == UUID
    assert store.uuid(77) is None
    assert store.domids_of(UUID.upper()) == (3,)
    assert store.domids_of(UUID, apart_from=(0, 3)) == ()
    assert store.name(12) == "other"


@pytest.mark.parametrize("path", ["no/../blanks here", "/double//slash", "/trailing/"])
def test_refused_path_is_named(store: XenStore, path: str) -> None:
    """The message names the node, not an exception of pyxs."""
    with pytest.raises(errors.XenStoreError, match=r"blanks|double|trailing"):
        store.read(path)


def test_silent_daemon_ends_in_a_timeout(xenstored: t.Any, store: XenStore) -> None:
    """A stuck xenstored must not hang the session: pyxs alone would wait for ever."""
    xenstored.freeze()
    begun = time.monotonic()
    with pytest.raises(errors.XenStoreTimeout):
        store.read("/local/domain/3/name")
    assert time.monotonic() - begun < 10
    with pytest.raises(errors.XenStoreUnreachable):
        store.read("/local/domain/3/name")


def test_caller_is_freed_when_the_daemon_dies(xenstored: t.Any) -> None:
    """The wait ends with the connection, long before its limit."""
    with XenStore(xenstored.socket, timeout_s=60.0) as store:
        xenstored.freeze()
        killer = threading.Timer(0.3, xenstored.kill)
        killer.start()
        begun = time.monotonic()
        with pytest.raises(errors.XenStoreUnreachable):
            store.read("/local/domain/3/name")
        assert time.monotonic() - begun < 10
        killer.join()


def test_end_of_the_connection_is_not_printed(xenstored: t.Any, capfd: pytest.CaptureFixture[str]) -> None:
    """The thread of pyxs would end with a traceback on stderr, in the middle of a session's log."""
    with XenStore(xenstored.socket) as store:
        xenstored.kill()
        with pytest.raises(errors.XenStoreUnreachable):
            store.read("/local/domain/3/name")
    assert capfd.readouterr().err == ""


def test_no_daemon(tmp_path: pathlib.Path) -> None:
    """The message names the socket."""
    with pytest.raises(errors.XenStoreUnreachable, match="none"):
        XenStore(str(tmp_path / "none"))


def test_no_pyxs_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing this room works without pyxs; using it names what to install."""
    monkeypatch.setattr(connection, "pyxs", None)
    assert pyxs_version() is None
    with pytest.raises(errors.PyxsMissing) as caught:
        XenStore("/nowhere")
    assert "python3-pyxs" in caught.value.remedy


def test_version_of_pyxs() -> None:
    """As its package says it, found without the slow importlib.metadata."""
    version = pyxs_version()
    assert version is not None and version.startswith("0.4")


def test_socket_is_found_as_libxenstore_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """XENSTORED_PATH, then XENSTORED_RUNDIR, then the usual places."""
    monkeypatch.delenv("XENSTORED_PATH", raising=False)
    monkeypatch.delenv("XENSTORED_RUNDIR", raising=False)
    assert find_socket() in connection.SOCKETS
    monkeypatch.setenv("XENSTORED_RUNDIR", "/somewhere")
    assert find_socket() == "/somewhere/socket"
    monkeypatch.setenv("XENSTORED_PATH", "/elsewhere/s")
    assert find_socket() == "/elsewhere/s"
