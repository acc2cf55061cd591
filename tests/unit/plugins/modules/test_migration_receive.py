# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was looked at when the move was checked is looked at once more where nothing has been begun yet."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils._marks import arrivals
from ansible_collections.dom0.xen.plugins.modules import migration_receive

MOVE = {
    **{"session": "0123456789abcdef", "uuid": "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab", "name": "centos"},
    **{"memory_max_kib": 16384, "listen_address": "127.0.0.1", "peer_certificate": "none"},
}


def receive(root: pathlib.Path, capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    """Run the module; return its result."""
    paths = {"runtime_path": str(root / "run"), "journal_path": str(root / "lib")}
    with patch_module_args({**MOVE, **paths, **options}), pytest.raises(SystemExit):
        migration_receive.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


def test_a_host_that_was_closed_takes_no_domain(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the check would say it; whoever waives that gets further, here to the credentials that nobody has made."""
    arrivals.close(str(tmp_path / "lib"), "a fan is broken", "alice", "")
    refused = receive(tmp_path, capsys)
    assert refused["failed"] and refused["code"] == "closed_to_arrivals" and refused["remedy"]
    assert "alice" in refused["msg"] and "a fan is broken" in refused["msg"]
    assert not (tmp_path / "run").exists(), "something was begun"
    waived = receive(tmp_path, capsys, allow_closed=True)
    assert waived["failed"] and waived["code"] != "closed_to_arrivals"
    arrivals.open_again(str(tmp_path / "lib"))
    assert receive(tmp_path, capsys)["code"] == waived["code"]
