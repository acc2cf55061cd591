# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes long on a host that a run has claimed keeps the claim, and is not done for a run that has lost it."""

from __future__ import annotations

import json
import os
import time
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.modules import domain_save, domain_shutdown, migration_settle
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, UUID, Saving

OURS, OTHERS = "a" * 16, "b" * 16
# Named otherwise than the modules: a name of a test is part of the path of its guest, and a process whose command line
# has that of the module which saves is waited for as one.
MAINS = {"saved": domain_save.main, "shut_down": domain_shutdown.main}
SESSION = {"session": "0123456789abcdef", "role": "sender", "uuid": UUID, "name": NAME, "settler": "me"}


def run(main: t.Callable[[], None], given: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> dict[str, t.Any]:
    """Run a module; return its result."""
    capsys.readouterr()
    with patch_module_args(given), pytest.raises(SystemExit):
        main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


def options(saving: Saving, module: str) -> dict[str, t.Any]:
    """Return the options of a module for a run that has claimed the host."""
    without = ("path", "reserve_mib") if module == "shut_down" else ()
    given = {key: value for key, value in saving.arguments(token=OURS).items() if key not in without}
    return given


def claim(root: str, token: str) -> None:
    """Claim the host."""
    claims.claim(root, claims.Claim(token=token, run="evacuate xen1", by="alice", controller="ctl1"), 300.0)


def silent(root: str) -> bool:
    """Whether our run was not heard of lately; makes it so, when it was."""
    beat, past = claims.beat_path(root, OURS), time.time() - 400.0
    found = os.stat(beat).st_mtime < past + 300.0
    os.utime(beat, (past, past))
    return found


@pytest.mark.parametrize("module", MAINS)
def test_the_claim_is_kept(module: str, saving: Saving, capsys: pytest.CaptureFixture[str]) -> None:
    """As by a move: a second operator on another controller must not believe that the first one is dead."""
    saving.start()
    given = options(saving, module)
    claim(given["journal_path"], OURS)
    silent(given["journal_path"])
    assert run(MAINS[module], {**given, "_ansible_check_mode": True}, capsys)["changed"]
    assert silent(given["journal_path"]), "check mode changes nothing"
    assert run(MAINS[module], given, capsys)["changed"]
    assert not silent(given["journal_path"])


@pytest.mark.parametrize("module", MAINS)
def test_a_lost_claim(module: str, saving: Saving, capsys: pytest.CaptureFixture[str]) -> None:
    """The domain is the matter of the other run by then."""
    saving.start()
    given = options(saving, module)
    claim(given["journal_path"], OTHERS)
    assert run(MAINS[module], given, capsys)["code"] == "claim_lost"
    assert saving.state() == "running" and saving.files() == []


def test_settling_keeps_the_claim(saving: Saving, capsys: pytest.CaptureFixture[str]) -> None:
    """A look for a session waits for its process, and a step for the guest."""
    places = {key: value for key, value in saving.arguments().items() if key.endswith(("runtime_path", "journal_path"))}
    claim(places["journal_path"], OURS)
    silent(places["journal_path"])
    found = run(migration_settle.main, {**SESSION, **places, "token": OURS}, capsys)
    assert not found.get("failed"), found
    assert not silent(places["journal_path"])
