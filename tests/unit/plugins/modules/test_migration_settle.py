# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that settles, on hosts of the double."""

from __future__ import annotations

import json
import pathlib
import resource
import tempfile
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.modules import migration_settle

UUID = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
XL = "#!/bin/sh\necho 'Name ID Mem VCPUs State Time(s) UUID Reason-Code Security-Label'\n"


def look(journals: pathlib.Path, capsys: pytest.CaptureFixture[str], **more: t.Any) -> dict[str, t.Any]:
    """Run the module for the source's side of a session; return its result."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        arguments = {"session": "0123456789abcdef", "role": "sender", "uuid": UUID, "name": "centos"}
        places = {"runtime_path": f"{memory}/dom0-xen", "journal_path": str(journals)}
        with patch_module_args({**arguments, **places, "settler": "me", **more}), pytest.raises(SystemExit):
            migration_settle.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.fixture
def journal(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """What a session has left on a host that was restarted since, and an xl that knows of no domain."""
    (tmp_path / "xl").write_text(XL)
    (tmp_path / "xl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    file = tmp_path / "journals" / "0123456789abcdef.sender" / "journal"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"step": "opened", "details": {"boot_id": "another"}}) + "\n")
    return file


def test_a_host_that_was_restarted_is_looked_at(journal: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a power loss the folder in memory is gone, and with it the place of the locks: it is made anew."""
    result = look(journal.parents[1], capsys)
    assert not result.get("failed"), result
    assert result["side"]["known"] and not result["side"]["alive"]


def test_a_journal_that_cannot_be_written_is_an_error(
    journal: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a mark nothing may be done, so that the look tells nothing either, but what is to be mended."""
    with journal.open("a") as file:
        file.write(json.dumps({"step": "filler", "details": {"text": "x" * 65536}}) + "\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, before[1]))
    try:
        result = look(journal.parents[1], capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result["failed"] and result["code"] == "journal_failed"
    assert result["msg"].startswith("the journal cannot be written: ") and "side" not in result
    assert "/var/lib/dom0-xen" in result["remedy"] and result["remedy"] in result["msg"]
    assert "side" in look(journal.parents[1], capsys)


def test_what_was_run_after_the_move_is_put_on_record_once(
    journal: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not where nobody had such tasks, nor in a folder that is not there: nobody would look for it."""

    def done(**more: t.Any) -> t.Any:
        return look(journal.parents[1], capsys, state="after_done", **more)["changed"]

    before = journal.read_text()
    assert (done(), journal.read_text()) == (False, before)
    opened = {"boot_id": "another", "after_tasks": True}
    journal.write_text(json.dumps({"step": "opened", "details": opened}) + "\n")
    assert look(journal.parents[1], capsys)["side"]["after_tasks"] == "owed"
    assert done(role="receiver") is False and len(list(journal.parents[1].iterdir())) == 1
    assert (done(), done()) == (True, False)
    assert journal.read_text().count('"step":"after_tasks_done"') == 1
    assert look(journal.parents[1], capsys)["side"]["after_tasks"] == "done"
