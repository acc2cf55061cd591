# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain that asks for its number (tools/libs/light/libxl_create.c libxl__domain_make), and what its reboot needs."""

from __future__ import annotations

import json
import time

import pytest

from .bench import Bench
from .sites import GUEST

RECENT = "domain id recently used"


def saved(bench: Bench) -> tuple[str, int]:
    """Save the guest with its number in the file; return the path and the number. It is gone then."""
    path = f"{bench.source.folder}/number.save"
    domid = bench.domains(bench.source)[GUEST].domid
    assert bench.source.run("xl", "save", "-D", GUEST, path).status == 0
    assert bench.domains(bench.source) == {}
    return path, domid


def restored(bench: Bench, recent_s: int) -> int:
    """Bring it back under a monitor for which a number is recent for so long; return the number."""
    path, domid = saved(bench)
    time.sleep(recent_s + 1.1)
    # The monitor has the environment of the xl that makes the domain.
    done = bench.source.run("env", f"LIBXL_DOMID_REUSE_TIMEOUT={recent_s}", "xl", "restore", path)
    assert done.status == 0, done.stderr
    bench.source.run("rm", path)
    assert bench.domains(bench.source)[GUEST].domid == domid
    return domid


def test_a_number_that_was_just_in_use_is_refused(bench: Bench) -> None:
    """Nothing is left of the copy then, and the history of destroyed domains says why."""
    path, domid = saved(bench)
    done = bench.source.run("xl", "restore", path)
    assert done.status != 0 and RECENT in done.stderr
    assert bench.domains(bench.source) == {}
    place = '"${XENSTORED_RUNDIR:-/nonexistent}"/xen /run/xen /var/run/xen'
    history = bench.source.run("sh", "-c", f"for d in {place}; do cat $d/domid-history && break; done").stdout
    assert str(domid) in [line.split()[1] for line in history.splitlines()]
    bench.source.run("rm", path)


def test_it_has_the_number_that_it_asks_for(bench: Bench) -> None:
    """And xl has it in its configuration; a migration without -D takes it out again."""
    domid = restored(bench, 1)
    (found,) = json.loads(bench.source.run("xl", "list", "-l", GUEST).stdout)
    assert found["config"]["c_info"]["domid"] == domid
    assert bench.runs(bench.source)
    bench.clear(bench.source)


# An emulated host needs some seconds to come to asking again, where it is to be refused.
@pytest.mark.parametrize(("recent_s", "left"), [(1, {GUEST}), (15, set())], ids=["made anew", "lost"])
def test_its_reboot(bench: Bench, recent_s: int, left: set[str]) -> None:
    """xl destroys it, sleeps for two seconds, and asks for the same number: it must not count as recent then."""
    domid = restored(bench, recent_s)
    assert bench.runs(bench.source)
    assert bench.source.run("xl", "reboot", GUEST).status == 0
    deadline = time.monotonic() + 120
    while bench.domains(bench.source) and time.monotonic() < deadline:
        time.sleep(0.1)
    deadline = time.monotonic() + (90 if left else 15)
    while set(bench.domains(bench.source)) != {GUEST} and time.monotonic() < deadline:
        time.sleep(0.1)
    found = bench.domains(bench.source)
    assert set(found) == left
    assert all(row.domid == domid for row in found.values())
    bench.clear(bench.source)
