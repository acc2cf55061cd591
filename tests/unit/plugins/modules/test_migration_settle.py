# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that settles, on hosts of the double."""

from __future__ import annotations

import json
import pathlib
import tempfile

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.modules import migration_settle

UUID = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
XL = "#!/bin/sh\necho 'Name ID Mem VCPUs State Time(s) UUID Reason-Code Security-Label'\n"


def test_a_host_that_was_restarted_is_looked_at(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a power loss the folder in memory is gone, and with it the place of the locks: it is made anew."""
    (tmp_path / "xl").write_text(XL)
    (tmp_path / "xl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    journal = tmp_path / "journals" / "0123456789abcdef.sender"
    journal.mkdir(parents=True)
    (journal / "journal").write_text(json.dumps({"step": "opened", "details": {"boot_id": "another"}}) + "\n")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        arguments = {"session": "0123456789abcdef", "role": "sender", "uuid": UUID, "name": "centos"}
        places = {"runtime_path": f"{memory}/dom0-xen", "journal_path": str(journal.parent)}
        options = {**arguments, **places, "settler": "me"}
        with patch_module_args(options), pytest.raises(SystemExit):
            migration_settle.main()
    result = json.loads(capsys.readouterr().out)
    assert not result.get("failed"), result
    assert result["side"]["known"] and not result["side"]["alive"]
