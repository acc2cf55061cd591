# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that a later one has made history says nothing any more about where its domain is."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_shutdown
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import fence, settle
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.side import seen
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LATER_LEFT, LATER_LIVES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Make

FIRST, SECOND = "1" * 16, "2" * 16


def session(root: pathlib.Path, name: str, at: int, role: str = "sender", uuid: str = UUID, owner: str = "") -> None:
    """Write what a session leaves; ``at``: when; without an owner it has none."""
    folder = root / f"{name}.{role}"
    folder.mkdir(parents=True)
    domain = {"uuid": uuid, "name": NAME}
    steps = [{"step": "opened", "details": {**domain, "boot_id": "before"}}, {"step": "shutting_down"}]
    (folder / "journal").write_text("".join(json.dumps(step) + "\n" for step in steps))
    if owner:
        result = {"session": name, "role": role, "domain": domain, "phase": "ended", "owner": owner}
        (folder / "result.json").write_text(json.dumps(result))
    os.utime(folder, (at, at))


def test_what_is_torn_down_counts_as_gone(make: Make, tmp_path: pathlib.Path) -> None:
    """It stays for as long as a backend holds on to it, and never runs again."""
    dom0, journals = make(zombie_s=600.0), tmp_path / "journals"
    dom0.xl.destroy(dom0.start())
    session(journals, FIRST, 150)
    here = Here(str(tmp_path / "run"), str(journals), FIRST, "sender", UUID, NAME, "me")
    side = seen(here, dom0.xl, alive=False, xl_alive=False)
    assert side.phantom and side.copy == "suspended"


def test_a_guest_that_goes_down_while_it_is_looked_at_was_seen_to(make: Make, tmp_path: pathlib.Path) -> None:
    """Its monitor has written so before xl does not list it any more."""
    dom0, log = make(), tmp_path / "xl-guest.log"
    domid = dom0.start()
    folder = tmp_path / "journals" / f"{FIRST}.sender"
    session(tmp_path / "journals", FIRST, 150)
    steps = [
        {"step": "opened", "details": {"uuid": UUID, "name": NAME, "boot_id": _procfs.boot_id()}},
        {"step": "copy", "details": {"domid": domid}},
        {"step": "shutting_down"},
    ]
    (folder / "journal").write_text("".join(json.dumps(step) + "\n" for step in steps))
    log.write_text("Waiting for domain\n")
    status = log.stat()
    note = {"path": str(log), "device": status.st_dev, "inode": status.st_ino, "size": status.st_size}
    late_shutdown.is_asked(domid, str(folder), note)

    class GoesDown(Xl):
        """It does so just before it is looked for."""

        def domains(self) -> tuple[DomainRow, ...]:
            with log.open("a") as file:
                file.write(f"Domain {domid} has shut down, reason code 0 0x0\n")
            self.destroy(domid)
            return super().domains()

    here = Here(str(tmp_path / "run"), str(tmp_path / "journals"), FIRST, "sender", UUID, NAME, "me")
    side = seen(here, GoesDown(subprocess_runner(), dom0.xl.binary), alive=False, xl_alive=False)
    assert side.phantom and side.history.seen_down


@pytest.mark.parametrize(
    ("more", "superseded"),
    [
        ({"at": 200, "owner": "destination"}, True),
        ({"at": 200, "owner": "source", "role": "receiver"}, True),
        ({"at": 100, "owner": "destination"}, False),
        ({"at": 200}, False),
        ({"at": 200, "owner": "destination", "uuid": UUID.replace("d", "e")}, False),
    ],
    ids=["later", "later, coming here", "earlier", "later, unsettled", "another domain's"],
)
def test_superseded(make: Make, tmp_path: pathlib.Path, more: dict[str, object], superseded: bool) -> None:
    """By one that ended later and knows the owner; the record of the domain that was shut down stays as it is."""
    dom0, journals = make(), tmp_path / "journals"
    session(journals, FIRST, 150)
    session(journals, SECOND, **more)  # type: ignore[arg-type]
    here = Here(str(tmp_path / "run"), str(journals), FIRST, "sender", UUID, NAME, "me")
    side = seen(here, dom0.xl, alive=False, xl_alive=False)
    assert side.superseded is superseded
    # One without an end may be what has made the copy that is there.
    assert side.later == (LATER_LEFT if more == {"at": 200} else "")
    assert (side.session, side.after) == (FIRST, (SECOND,) if more == {"at": 200} else ())
    assert side.before == ((SECOND,) if more["at"] == 100 else ())
    assert side.phantom and side.copy == "suspended" and side.rebooted


def test_a_later_session_that_lives_has_the_lock(make: Make, tmp_path: pathlib.Path) -> None:
    """That it is under way is an answer: neither is it waited for, nor is this host called one that says nothing."""
    dom0, journals, run = make(), tmp_path / "journals", tmp_path / "run"
    session(journals, FIRST, 150)
    session(journals, SECOND, 200)
    here = Here(str(run), str(journals), FIRST, "sender", UUID, NAME, "me")
    folder = run / f"{SECOND}.sender"
    folder.mkdir(parents=True)
    lock = DomainLock(str(run), UUID, "sender")
    command = [sys.executable, "-c", "print(flush=True); input()", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        (folder / "status.json").write_text(json.dumps({"pid": process.pid, "phase": "streaming"}))
        side = settle.look(here, dom0.xl, 0)
        process.kill()
    assert side.later == LATER_LIVES
    # Nothing may be done on the strength of it.
    assert not fence.is_marked(here)
    with pytest.raises(DomainBusy):
        settle.look(here, dom0.xl, 0)
    lock.release()
    assert settle.look(here, dom0.xl, 0).later == LATER_LEFT
    assert fence.is_marked(here)


def test_nothing_is_later_than_what_has_left_nothing(make: Make, tmp_path: pathlib.Path) -> None:
    """A host that does not know the session cannot say which of its others came after it."""
    dom0, journals = make(), tmp_path / "journals"
    session(journals, SECOND, 200)
    here = Here(str(tmp_path / "run"), str(journals), FIRST, "receiver", UUID, NAME, "me")
    side = seen(here, dom0.xl, alive=False, xl_alive=False)
    assert not side.known and not side.superseded and side.later == ""
