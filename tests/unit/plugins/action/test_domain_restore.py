# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody takes upon himself in a restore is looked at on the controller, before anything goes to the host."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook


def restore(playbook: Playbook, waive: t.Any) -> dict[str, t.Any]:
    """Run the task on an image that is not there, which is what the host says when it is asked."""
    asked = {
        "path": str(playbook.folder / "none.xen"),
        "hosts": {},
        "inventory": ["xen1"],
        "runtime_path": "/dev/shm/dom0-xen-test",
        "journal_path": str(playbook.folder / "journals"),
        "waive": waive,
    }
    task = {"dom0.xen.domain_restore": asked, "register": "result", "ignore_errors": True}
    return playbook.run({"name": "Restore", **task}).results


@pytest.mark.parametrize(
    ("waive", "code", "words"),
    [
        ("image_chekpoint", "waiver_unknown", "no code that can be waived in a restore; the nearest are: image_check"),
        (["disk_missing", "all"], "waiver_unknown", "'all' is no code that can be waived in a restore."),
        ("disk_missing,host_unreachable", "waiver_forbidden", "host_unreachable cannot be waived in a restore."),
    ],
)
def test_a_waiver_that_cannot_be(playbook: Playbook, waive: t.Any, code: str, words: str) -> None:
    """One message with the cause, the host and what may be written in its place; the host is not even asked."""
    result = restore(playbook, waive)
    assert (result["failed"], result["code"], result["host"]) == (True, code, "localhost")
    assert words in result["msg"] and result["msg"].startswith("localhost: ")
    assert "Remedy: Correct restore_waive" in result["msg"] and "image_checkpoint" in result["remedy"]


def test_a_waiver_that_can_be(playbook: Playbook) -> None:
    """It reaches the host, which looks for the image."""
    assert restore(playbook, "image_checkpoint, disk_missing")["code"] == "file_missing"
