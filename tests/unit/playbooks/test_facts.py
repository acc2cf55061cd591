# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a fleet of the double: asked in one run for each dom0, kept on the controller, told with their age."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User

pytestmark = pytest.mark.timeout(600)


class Keeper(User):
    """Somebody who keeps facts."""

    @property
    def place(self) -> str:
        """The folder that the playbook writes to unless told otherwise."""
        return str(self.folder / "home" / "dom0-xen" / "facts")

    @property
    def fleet(self) -> Fleet:
        """What is kept."""
        return folder.read(self.place)

    def ask(self, *arguments: str) -> tuple[int, str]:
        """Run the playbook; return its exit status, and its log without line breaks."""
        process = self.start("dom0.xen.facts", *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        return process.returncode, " ".join(log.split())

    def also(self, **inventory: t.Any) -> tuple[str, str]:
        """Return the arguments that add an inventory."""
        path = self.folder / f"also-{uuid.uuid4()}.json"
        path.write_text(json.dumps(inventory))
        return "-i", str(path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, three guests."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    for host, name, identity in (("xen1", "centos", GUEST), ("xen1", "web", ""), ("xen2", "mail", "")):
        site[host].start_guest(GuestConfig(name=name, uuid=identity or str(uuid.uuid4()), memory_mib=16, compact=True))
    yield site
    site.down()


@pytest.fixture
def keeper(site: Site, tmp_path: pathlib.Path) -> Keeper:
    """Somebody with an empty folder."""
    return Keeper(site, tmp_path)


def test_a_fleet_is_asked_once_and_kept(keeper: Keeper) -> None:
    """One module run on each host; all is there, for nobody else to read, and the second run finds nothing changed."""
    status, log = keeper.ask("-vvv")
    assert status == 0, log[-4000:]
    assert log.count("Using module file") == 2
    fleet = keeper.fleet
    assert [(dom0.name, sorted(domain.name for domain in dom0.domains)) for dom0 in fleet.dom0s] == [
        ("xen1", ["centos", "web"]),
        ("xen2", ["mail"]),
    ]
    (place,) = fleet.by_uuid[GUEST]
    assert place.domain.config and place.domain.config["c_info"]["name"] == "centos"
    assert os.stat(keeper.place).st_mode & 0o777 == 0o700
    assert {os.stat(os.path.join(keeper.place, name)).st_mode & 0o777 for name in os.listdir(keeper.place)} == {0o600}
    status, log = keeper.ask()
    assert status == 0 and "changed=1" not in log
    assert "dom0 Xen domains memory free of told" in log
    assert f"xen1 {fleet.by_name['xen1'].host.xen.version} 2 " in log  # type: ignore[union-attr]


def test_check_mode_asks_and_writes_nothing(keeper: Keeper) -> None:
    """The folder is not even made."""
    status, log = keeper.ask("--check")
    assert status == 0, log[-4000:]
    assert not os.path.exists(keeper.place)


def test_a_dead_dom0_is_a_warning_and_keeps_what_it_told(keeper: Keeper) -> None:
    """It is not taken for an empty host; where none answers the run fails and says why."""
    assert keeper.ask()[0] == 0
    gone = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
    status, log = keeper.ask(*keeper.also(dom0={"hosts": {"xen2": gone, "xen3": gone}}))
    assert status == 0, log[-4000:]
    assert "xen2 told nothing: " in log and "xen3 told nothing: " in log
    assert "ago; now unreachable: " in log and "never; now unreachable: " in log
    xen2 = keeper.fleet.by_name["xen2"]
    assert (xen2.domains, xen2.before and [domain.name for domain in xen2.before.domains]) == ((), ["mail"])
    status, log = keeper.ask(*keeper.also(dom0={"hosts": {"xen1": gone, "xen2": gone}}))
    assert status == 2 and "none of the 2 dom0s that were asked told anything: xen1: " in log


def test_a_dom0_whose_xl_fails_is_no_empty_host(keeper: Keeper) -> None:
    """A Python that does not find xl's Xen: the run says what is missing, and goes on with the other."""
    python = keeper.folder / "python"
    python.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    status, log = keeper.ask(*keeper.also(dom0={"hosts": {"xen2": {"ansible_python_interpreter": str(python)}}}))
    assert status == 0, log[-4000:]
    trouble = keeper.fleet.by_name["xen2"].trouble
    assert trouble is not None and trouble.code == "no_domains" and "xen2 told nothing: " in log


def test_a_limit_keeps_what_was_told_before_and_says_so(keeper: Keeper) -> None:
    """Hosts left out are named; their files stay as they are, byte for byte."""
    status, log = keeper.ask("--limit", "xen1")
    assert status == 0 and "Not asked, since the limit leaves them out: xen2." in log
    assert "Nothing is known of xen2: they were never asked." in log
    assert keeper.ask()[0] == 0
    path = pathlib.Path(folder.file_of(keeper.place, "xen2"))
    before = path.read_bytes()
    status, log = keeper.ask("--limit", "xen1")
    assert (status, path.read_bytes()) == (0, before)
    status, log = keeper.ask("--limit", "www", *keeper.also(web={"hosts": {"www": {}}}))
    assert status == 2 and "no dom0 in its group dom0 that the limit www lets through" in log
    status, log = keeper.ask("-e", "dom0_group=nobody")
    assert status == 2 and "no dom0 in its group nobody" in log


def test_rules_are_kept_and_wrong_ones_stop_the_run_before_a_host_is_asked(keeper: Keeper) -> None:
    """The message names variable, host and cause; what means no domain is a warning."""
    given = {"dom0_xen_domains": {"centos": {"tags": ["db"]}, "ghost": {"tags": ["x"]}}, "dom0_xen_host": {"weight": 2}}
    status, log = keeper.ask(*keeper.also(dom0={"vars": given}))
    assert status == 0 and "No dom0 has a domain that is called ghost" in log, log[-4000:]
    assert keeper.fleet.resolved.domain(GUEST).tags == ("db",)
    assert keeper.fleet.resolved.host("xen2").weight == 2
    wrong = {"dom0_xen_domains": {"centos": {"tags": ["never_move", "move_last"]}}}
    status, log = keeper.ask(*keeper.also(dom0={"vars": wrong}))
    assert status == 2 and "Ask the dom0" not in log
    assert "xen1: dom0_xen_domains['centos']: a domain that is never moved" in log
    twice = {"dom0_xen_domains": {"centos": {"tags": ["a"]}, GUEST: {"tags": ["b"]}}}
    status, log = keeper.ask(*keeper.also(dom0={"vars": twice}))
    assert status == 2 and f"'{GUEST}' and 'centos' are the same domain" in log


def test_files_that_are_not_in_order_are_told_and_mended(keeper: Keeper) -> None:
    """One that was edited is written anew; one of a host that is gone is named, and left to its owner."""
    assert keeper.ask()[0] == 0
    path = pathlib.Path(folder.file_of(keeper.place, "xen1"))
    path.write_text(path.read_text().replace("centos", "centus"))
    pathlib.Path(folder.file_of(keeper.place, "xen9")).write_text("{}")
    status, log = keeper.ask("--limit", "xen2")
    assert status == 0 and "xen1.dom0.json was changed after it was written" in log
    assert "xen9.dom0.json is not a file of dom0.xen.dom0" in log
    pathlib.Path(folder.file_of(keeper.place, "xen9")).unlink()
    status, log = keeper.ask("-e", f"dom0_xen_facts_path={keeper.place}")
    assert status == 0 and "was changed after" not in log
    status, log = keeper.ask("-e", "dom0_xen_facts_path=/proc/nowhere")
    assert status == 2 and "cannot be written" in log and "dom0_xen_facts_path=FOLDER" in log
