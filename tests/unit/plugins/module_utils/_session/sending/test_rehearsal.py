# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal goes as far as to the suspend, which nobody is ever asked for, and leaves nothing on either host."""

from __future__ import annotations

import sys
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.learned import ASSUMED_MS
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import BUSY, NAME, UUID

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)

# It writes all of its memory in each round, over a way of 8 MB in a second.
WORDS = {"sender": ("daemon", "sender"), "xl": ("xl", "migrate", "-s")}
# Comes to the sender as the warden does, and never asks.
STANDS = """
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
sender = socket.socket(socket.AF_UNIX)
sender.connect("warden.sock")
if os.fork() == 0:
    os.closerange(0, 3)
    sender.recv(1)
"""
WAY = {"compression": "none", "rate_limit": 8e6}


def as_before(site: Site, clean: bool = True) -> None:
    """The guest runs on, was never asked to suspend, and there is nothing of a move on either host."""
    assert site["xen1"].passed("suspend.request") == []
    assert site.overlaps(UUID) == [] and len(site.running(UUID)) == 1
    assert [each["name"] for each in site["xen1"].domains()] == [NAME]
    guest = site["xen1"].guest(NAME)
    assert guest and (not clean or not guest["log_dirty"])
    two_hosts.until(lambda: site["xen2"].domains() == [])


@pytest.mark.parametrize("behaviour", [{}, BUSY], ids=["idle", "busy"])
def test_it_is_rehearsed(make_site: MakeSite, behaviour: dict[str, t.Any]) -> None:
    """Also with a guest that writes next to nothing, whose last live round is in the pipe as soon as it begins."""
    site = two_hosts.writing(make_site, **behaviour)
    move = two_hosts.begin(site, "live", rehearse=True, **WAY)
    result = move.result()
    assert (result["end_state"], result["owner"], result["error"]["code"]) == ("stayed", "source", "rehearsed")
    told = result["stop_prediction"]
    assert told["predicted_ms"] > ASSUMED_MS and told["predicted_total_ms"] == result["total_ms"] + told["predicted_ms"]
    assert told["off_ms"] is None and result["stop_ms"] is None
    assert len(result["rounds"]) == 5 if behaviour else result["rounds"][-1]["entries"] < 2
    assert site["xen1"].passed("save.suspend") != []
    as_before(site)
    assert [path.name for path in move.journal.iterdir() if "warden" in path.name] == []


def test_a_limit_does_not_end_it_before(make_site: MakeSite) -> None:
    """It is there to tell what the move would have come to."""
    site = two_hosts.writing(make_site, **BUSY)
    result = two_hosts.begin(site, "live", rehearse=True, max_stop_ms=ASSUMED_MS + 500, **WAY).result()
    assert result["error"]["code"] == "rehearsed" and result["stop_prediction"]["over_budget"]
    as_before(site)


def test_an_xl_that_would_suspend_the_guest_is_ended(make_site: MakeSite) -> None:
    """One that does not start what it is told to is not let come to its second record."""
    site = two_hosts.writing(make_site)
    program = site["xen1"].paths.bin / "xl"
    program.write_text(program.read_text().replace("exec", "unset LIBXL_SAVE_HELPER\nexec", 1))
    result = two_hosts.begin(site, "live", rehearse=True, **WAY).result()
    assert (result["end_state"], result["error"]["code"]) == ("stayed", "warden_missing")
    as_before(site)


def test_one_that_is_not_refused_the_suspend_comes_no_further_than_the_gate(make_site: MakeSite) -> None:
    """Whatever has let it come that far, such as a release whose messages are others: a rehearsal moves nothing."""
    site = two_hosts.writing(make_site)
    program = site["xen1"].paths.bin / "xl"
    lets = f"""[ -z "$LIBXL_SAVE_HELPER" ] || {sys.executable} -c '{STANDS}' "$LIBXL_SAVE_HELPER"\n"""
    program.write_text(program.read_text().replace("exec", f"{lets}unset LIBXL_SAVE_HELPER\nexec", 1))
    result = two_hosts.begin(site, "live", rehearse=True, **WAY).result()
    assert (result["end_state"], result["owner"]) == ("stayed", "source")
    assert result["error"]["code"] == "rehearsal_suspended" and result["error"]["remedy"]
    assert site["xen1"].passed("suspend.request") != []
    assert site.overlaps(UUID) == [] and len(site.running(UUID)) == 1 and site["xen1"].guest(NAME)
    two_hosts.until(lambda: site["xen2"].domains() == [])


def test_by_other_methods_there_is_nothing_to_rehearse(make_site: MakeSite) -> None:
    """The guest would stand still from the beginning: it is not begun."""
    site = two_hosts.writing(make_site)
    with pytest.raises(AssertionError, match="stands still until"):
        two_hosts.begin(site, "suspend", rehearse=True)
    as_before(site)


@pytest.mark.parametrize("who", ["sender", "xl"])
def test_whoever_is_killed_the_guest_is_not_suspended(make_site: MakeSite, who: str) -> None:
    """The helper is then alone, and nobody hears what it asks for."""
    site = two_hosts.writing(make_site, **BUSY)
    move = two_hosts.begin(site, "live", rehearse=True, **WAY)
    two_hosts.until(lambda: site["xen1"].passed("save.round0"))
    assert site["xen1"].kill(*WORDS[who])
    two_hosts.until(lambda: not [each for each in site["xen1"].pids if _procfs.sent_domid(_procfs.command_line(each))])
    as_before(site, clean=False)
    if who == "xl":
        assert move.result()["end_state"] == "stayed"
    else:
        assert move.settle().owner == "source"
    as_before(site, clean=False)
