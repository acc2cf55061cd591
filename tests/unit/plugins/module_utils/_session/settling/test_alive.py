# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever settles looks whether a guest that stood still goes on, once, and only where it has stood still here."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.alive import Wanted, look
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Dom0, Make

SUSPENDED: dict[str, t.Any] = {"method": "live", "timeline": {"source_suspended": 812}, "phase": "ended"}
SHORT = Wanted(timeout=0.7)


class Ended:
    """A session of which both sides' folders may be here, and its guest."""

    def __init__(self, dom0: Dom0, folder: pathlib.Path) -> None:
        self.dom0, self.folder = dom0, folder
        self.memory = folder.parent / "memory"
        self.memory.mkdir()
        self.domid = 0

    def start(self, load: float) -> int:
        """Start the guest; return its domid."""
        self.domid = self.dom0.start(load=load)
        return self.domid

    def here(self, told: dict[str, t.Any], *steps: dict[str, t.Any], role: str = SENDER) -> Here:
        """Have it say this, and have these steps in its journal."""
        here = Here(str(self.memory), str(self.folder), "0123456789abcdef", role, UUID, NAME, "me")
        pathlib.Path(here.journal).mkdir(parents=True)
        documents.write(f"{here.journal}/{documents.RESULT}", told)
        began = [
            {"step": "opened", "details": {"boot_id": _procfs.boot_id()}},
            {"step": "xl_started", "details": {"domid": self.domid}},
        ]
        lines = [json.dumps(step) for step in (*began, *steps)]
        pathlib.Path(here.journal, "journal").write_text("\n".join(lines) + "\n")
        return here

    def seen(self, here: Here, owner: str = "source", wanted: Wanted = SHORT) -> t.Any:
        """Whether it was seen alive, ``nobody`` where nobody looked."""
        life = look(here, self.dom0.xl, owner, wanted)
        return "nobody" if life is None else life["alive"]


@pytest.fixture
def ended(make: Make, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Ended:
    """On a host of the double."""
    dom0 = make()
    monkeypatch.setenv("XENSTORED_PATH", dom0.socket)
    return Ended(dom0, tmp_path / "journals")


def test_one_that_goes_on_is_seen_alive_and_one_that_does_not_is_not(ended: Ended) -> None:
    """The result of the session keeps it, and is else as it was; a second look takes no time."""
    ended.start(load=1.0)
    here = ended.here(SUSPENDED)
    assert ended.seen(here, wanted=Wanted(timeout=20.0)) is True
    kept = documents.read(f"{here.journal}/{documents.RESULT}")
    assert kept is not None and kept.pop("liveness")["signs"] == ["cpu_time"] and kept == SUSPENDED
    ended.dom0.host.behave(NAME, load=0.0)
    assert ended.seen(here) is True


def test_what_was_not_seen_alive_is_looked_at_again(ended: Ended) -> None:
    """Whoever settles again may have done something about it, and is not told the old news."""
    ended.start(load=0.0)
    here = ended.here(SUSPENDED)
    assert ended.seen(here) is None
    ended.dom0.host.behave(NAME, load=1.0)
    assert ended.seen(here, wanted=Wanted(timeout=20.0)) is True


def test_a_copy_that_is_not_the_session_s_is_left_alone(ended: Ended) -> None:
    """It was started anew since, and boots; or the host was, and numbers begin anew."""
    first = ended.start(load=0.0)
    here = ended.here(SUSPENDED)
    ended.dom0.host.run("xl", "destroy", str(first))
    assert ended.start(load=0.0) != first
    assert ended.seen(here) == "nobody"
    journal = pathlib.Path(here.journal, "journal")
    text = journal.read_text().replace(f'"domid": {first}', f'"domid": {ended.domid}')
    journal.write_text(text.replace(_procfs.boot_id(), "another"))
    assert ended.seen(here) == "nobody"
    journal.write_text(text)
    assert ended.seen(here) is None


def test_one_that_has_stopped_is_seen_without_a_sign(ended: Ended) -> None:
    """However it is on record that it stood still."""
    ended.start(load=0.0)
    assert ended.seen(ended.here(SUSPENDED)) is None


@pytest.mark.parametrize(
    "step",
    [
        {"step": "resume", "details": {}},
        {"step": "late_suspend", "details": {"end": "resume", "done": {"steps": ["resume"]}}},
    ],
)
def test_what_settling_or_a_watch_has_resumed_has_stood_still(ended: Ended, step: dict[str, t.Any]) -> None:
    """A sender that was killed has seen nothing of it."""
    ended.start(load=0.0)
    assert ended.seen(ended.here({"method": "suspend"}, step)) is None


@pytest.mark.parametrize(
    ("told", "line", "looked"),
    [
        ({"method": "live"}, "Migration failed, resuming at sender.", True),
        ({"method": "live"}, "migration sender: Trying to resume at our end.", True),
        ({"method": "live"}, "migration sender: Target has acknowledged transfer.", False),
        (
            SUSPENDED,
            "libxl: error: suspend_common_wait_guest_timeout: guest did not suspend, timed out",
            False,
        ),
    ],
)
def test_what_xl_has_said_counts(ended: Ended, told: dict[str, t.Any], line: str, looked: bool) -> None:
    """A sender that was killed may have told of no suspend; and what it took for one may be another guest's end."""
    ended.start(load=0.0)
    here = ended.here(told)
    pathlib.Path(here.journal, documents.XL_STDERR).write_text(line + "\n")
    assert ended.seen(here) == (None if looked else "nobody")


@pytest.mark.parametrize(
    ("told", "steps", "more"),
    [
        ({"method": "live", "timeline": {}}, (), {}),
        ({"method": "live"}, ({"step": "late_suspend", "details": {"end": "quiet", "done": None}},), {}),
        ({**SUSPENDED, "method": "cold"}, (), {}),
        (SUSPENDED, (), {"owner": "destination"}),
        (SUSPENDED, (), {"wanted": Wanted(looked_for=False)}),
        (SUSPENDED, (), {"wanted": Wanted(timeout=0)}),
    ],
)
def test_where_there_is_nothing_to_look_for(
    ended: Ended, told: dict[str, t.Any], steps: tuple[dict[str, t.Any], ...], more: dict[str, t.Any]
) -> None:
    """Nobody waits for it."""
    ended.start(load=0.0)
    assert ended.seen(ended.here(told, *steps), **more) == "nobody"


def test_the_other_side_and_a_copy_that_is_paused_or_gone_say_nothing(ended: Ended) -> None:
    """A pause is somebody's wish."""
    domid = ended.start(load=0.0)
    assert ended.seen(ended.here(SUSPENDED, role=RECEIVER)) == "nobody"
    here = ended.here(SUSPENDED)
    ended.dom0.host.run("xl", "pause", str(domid))
    assert ended.seen(here) == "nobody"
    ended.dom0.host.run("xl", "destroy", str(domid))
    assert ended.seen(here) == "nobody"
