# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest is shut down when nobody else has a hand on it, and is never asked otherwise."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils._domain_shutdown import (
    CopyOfAMove,
    NotNow,
    findings,
    require_free,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import ClusterFacts, ClusterResource, Hand
from ansible_collections.dom0.xen.plugins.modules import domain_shutdown
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    UUID,
    domain,
    host,
    row,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, Saving
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import UUID as GUEST

CLUSTER = ClusterFacts("pacemaker", True, (ClusterResource("centos", "ocf:heartbeat:Xen", "centos", UUID, True),))


def shut_down(saving: Saving, capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    """Run the module; return its result."""
    capsys.readouterr()
    given = {key: value for key, value in saving.arguments(**options).items() if key not in ("path", "reserve_mib")}
    with patch_module_args(given), pytest.raises(SystemExit):
        domain_shutdown.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("session_running", {"sessions": (session(alive=True, phase="streaming"),)}),
        ("foreign_hand", {"hands": (Hand(7, "xl migrate", "centos"),)}),
        ("cluster_managed", {"cluster": CLUSTER}),
    ],
)
def test_others_at_work(code: str, changes: dict[str, t.Any]) -> None:
    """A session, another xl, a cluster: the error has the code of the check, the host and what to do."""
    with pytest.raises(NotNow) as caught:
        require_free(host("xen1", **changes), row(), domain())
    assert (caught.value.code, caught.value.host) == (code, "xen1") and caught.value.remedy


@pytest.mark.parametrize("behind", ["--incoming", "--migratedaway"])
def test_a_copy_is_nobodys_to_shut_down(behind: str) -> None:
    """What a plain xl migrate receives here is a domain that arrives."""
    with pytest.raises(CopyOfAMove):
        require_free(host("xen1"), row(name=f"centos{behind}"), domain(name=f"centos{behind}"))


def test_nothing_speaks_against_it() -> None:
    """A guest that runs."""
    assert findings(host("xen1"), domain()) == ()


def test_a_guest_is_shut_down(saving: Saving, capsys: pytest.CaptureFixture[str]) -> None:
    """In check mode it is only said; a second time there is nothing to do."""
    saving.start()
    assert shut_down(saving, capsys, _ansible_check_mode=True)["changed"] and saving.state() == "running"
    assert shut_down(saving, capsys)["changed"] and saving.state() is None
    assert not shut_down(saving, capsys)["changed"]


def test_a_guest_that_does_not_shut_down(saving: Saving, capsys: pytest.CaptureFixture[str]) -> None:
    """It runs on when the time is over, and is named with what to do."""
    domid = saving.start()
    saving.host.behave(NAME, shutdown="ignore")
    result = shut_down(saving, capsys, timeout=1.0)
    assert result["code"] == "not_shut_down" and f"{NAME} is still there after 1 s" in result["msg"]
    assert result["remedy"] and saving.state() == "running"
    assert [row.domid for row in saving.xl.domains() if row.name == NAME] == [domid]


def test_a_copy_on_the_host(saving: Saving, capsys: pytest.CaptureFixture[str]) -> None:
    """By its UUID, as a plan names it; it is not asked."""
    saving.xl.rename(saving.start(), f"{NAME}--incoming")
    for check in (True, False):
        assert shut_down(saving, capsys, domain=GUEST, _ansible_check_mode=check)["code"] == "leftover_copy"
    assert saving.state() == "running"
