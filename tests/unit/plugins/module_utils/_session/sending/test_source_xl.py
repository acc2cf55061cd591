# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The xl of the source, without a source."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._procfs import save_helper_of
from ansible_collections.dom0.xen.plugins.module_utils._session.process.sockets import connect_in
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.source_xl import (
    HEARS_S,
    STOP_INTERVAL,
    SourceXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import until


def _program(path: pathlib.Path, lines: str) -> str:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


def settings(folder: pathlib.Path, xl: str, journal: str = "", rehearse: bool = False) -> SenderSettings:
    """What the sender knows."""
    return SenderSettings(
        session="0123456789abcdef", uuid="u", name="centos", runtime_folder=str(folder), journal_folder=journal,
        peer_certificate="", xl=xl, link_timeout=1, peer_host="", destination_address="", port=1, connect_timeout=1,
        stop_link_timeout=1, memory_kib=1, gate_held=False, gate_timeout=1, progress_interval=1, rehearse=rehearse,
    )  # fmt: skip


def test_what_cannot_be_taken_away_stays(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has gone read-only meanwhile must not end the sender before it has told its end."""
    xl = _program(tmp_path / "xl", "exec sleep 60")
    journal = tmp_path / "journal"
    journal.mkdir()
    running = SourceXl(
        Xl(subprocess_runner(), xl), settings(tmp_path, xl, str(journal), rehearse=True), str(tmp_path / "stderr")
    )
    running.start(7)
    assert running.listener >= 0 and list(journal.iterdir())
    running.kill()

    def read_only(path: str) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr(os, "unlink", read_only)
    running.close()
    assert running.filenos == (-1, -1) and list(journal.iterdir())


def test_what_takes_the_copy_down_starts_few_processes(tmp_path: pathlib.Path) -> None:
    """The scripts that this xl runs read the shell's functions, until the session ends."""
    told = tmp_path / "told"
    xl = _program(tmp_path / "xl", f'echo "$BASH_ENV" >{told}')
    running = SourceXl(Xl(subprocess_runner(), xl), settings(tmp_path, xl), str(tmp_path / "stderr"))
    running.start(7)
    until(lambda: running.exit_code() is not None)
    path = pathlib.Path(told.read_text().strip())
    assert path.parent == tmp_path and "dirname()" in path.read_text()
    running.close()
    assert not path.exists()


@contextlib.contextmanager
def with_helper(folder: pathlib.Path, **changes: t.Any) -> t.Iterator[tuple[SourceXl, int]]:
    """One that runs, and the pid of its save helper, which does not end by itself."""
    helper = _program(folder / "libxl-save-helper", "sleep 60 & wait")
    xl = _program(folder / "xl", f"{helper} --save-domain 5 6 7 & wait")
    running = SourceXl(Xl(subprocess_runner(), xl), settings(folder, xl, **changes), str(folder / "stderr"))
    running.start(7)
    try:
        found: list[int] = []

        def has_come() -> bool:
            pid = save_helper_of(running.pid or -1)
            found.extend([] if pid is None else [pid])
            return pid is not None

        until(has_come)
        yield running, found[0]
    finally:
        running.kill()
        running.close()


def test_a_helper_that_cannot_be_seen_for_a_moment_is_stopped_later(tmp_path: pathlib.Path) -> None:
    """A source that has no descriptor left must not end the sender, which is just giving the move up."""
    with with_helper(tmp_path) as (running, pid):
        assert running.pid is not None
        running.want_stop()
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            running.stop_saving_if_wanted(1.0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert save_helper_of(running.pid) == pid
        running.stop_saving_if_wanted(1.0 + 2 * STOP_INTERVAL)
        until(lambda: running.exit_code() is not None)


def test_a_helper_that_asks_for_the_suspend_hears_that_it_may_not(tmp_path: pathlib.Path) -> None:
    """A signal while it waits for that would end it at once, and Xen would go on writing down what the guest writes."""
    with with_helper(tmp_path, journal=str(tmp_path), rehearse=True) as (running, pid):
        assert running.pid is not None
        with connect_in(str(tmp_path), "warden.sock") as warden:
            warden.sendall(b"?")

            def asks() -> bool:
                running.warden.look()
                return running.warden.asks

            until(asks)
            running.want_stop()
            running.warden.answer(permitted=False)
            for now in (1.0, 1.0 + STOP_INTERVAL, 0.9 + HEARS_S):
                running.stop_saving_if_wanted(now)
            time.sleep(0.2)
            assert save_helper_of(running.pid) == pid and running.exit_code() is None
            # One that has not ended by then is stopped as any other.
            running.stop_saving_if_wanted(1.1 + HEARS_S)
            until(lambda: running.exit_code() is not None)
