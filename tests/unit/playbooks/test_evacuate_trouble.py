# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of domains that cannot leave a host, and of a host that dies while it is emptied."""

from __future__ import annotations

import json
import pathlib
import time
import typing as t

import pytest
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.emptying import (
    IDS,
    NAMES,
    Operator,
    hold,
    marks,
    occupy,
    places,
    runs,
    three_hosts,
)
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def operator(tmp_path: pathlib.Path) -> t.Iterator[Operator]:
    """Somebody with three hosts, and an empty folder."""
    (tmp_path / "user").mkdir()
    site = three_hosts(tmp_path / "double")
    yield Operator(site, tmp_path / "user")
    assert site.down() == []


def copies(site: Site) -> dict[str, str]:
    """Return where each domain is, by the name that it has there."""
    return {info["name"]: host.name for host in site.hosts.values() if host.is_on for info in host.domains()}


@pytest.mark.long
def test_what_cannot_leave_is_suspended(operator: Operator) -> None:
    """To a file with its manifest, when all others have left; nothing is lost, and nothing runs twice."""
    site = operator.site
    images = operator.folder / "images"
    images.mkdir()
    rules = operator.ruled(dom0_xen_domains={"b": {"tags": ["never_move"]}})
    log = operator.empty(*rules, "-e", "evacuate_unmovable=suspend", "-e", f"evacuate_save_path={images}")
    assert "xen1 is empty." in log and operator.result["complete"]
    found = copies(site)
    assert set(found) == {"a", "c", "stays"} and "xen1" not in found.values()
    assert runs(site) == {"a": 2, "b": 1, "c": 2, "stays": 1}
    manifest = json.loads((images / "b.json").read_text())
    assert (manifest["uuid"], manifest["after"]) == (IDS["b"], "shut_down")
    assert sorted(path.name for path in images.iterdir()) == ["b", "b.json"]
    assert marks(site, "xen1") == {"closed.json"}, "the claim is given up"


@pytest.mark.long
def test_what_cannot_be_suspended_stays(operator: Operator) -> None:
    """It runs on, the run says that the host is not empty, and what could leave has left."""
    site = operator.site
    rules = operator.ruled(dom0_xen_domains={"b": {"tags": ["never_move"]}})
    nowhere = operator.folder / "missing"
    log = operator.empty(*rules, "-e", "evacuate_unmovable=suspend", "-e", f"evacuate_save_path={nowhere}", status=2)
    assert "xen1 is not empty, it still has: b." in log, log[-6000:]
    found = copies(site)
    assert found["b"] == "xen1" and {found["a"], found["c"]} <= {"xen2", "xen3"}
    assert runs(site) == {"a": 2, "b": 1, "c": 2, "stays": 1}
    assert marks(site, "xen1") == {"closed.json"}


@pytest.mark.long
def test_no_move_begins_when_the_time_is_over(operator: Operator) -> None:
    """A move that waits for a slot waits no longer than the run has time, and then it has not begun."""
    path = occupy(operator.site)
    log = operator.empty("-e", "migrate_departures=1", "-e", "evacuate_timeout=60", status=2)
    assert "when the time was over: at most 1 may leave at one time, and there are other." in log, log[-6000:]
    assert path.exists(), "the one that has the slot was left alone"
    assert runs(operator.site) == dict.fromkeys(IDS, 1) and set(places(operator.site).values()) == {"xen1", "xen2"}


SILENT_ONCE = """
- ansible.builtin.file:
    path: {flag}
    state: touch
    modification_time: preserve
    access_time: preserve
    mode: "0600"
  delegate_to: localhost
  register: first
  when: migrate_domain == "{uuid}"
- ansible.builtin.ping:
  delegate_to: silent
  vars: {{ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}}
  when: first is changed
"""


@pytest.mark.long
def test_a_move_is_tried_again_when_a_host_did_not_answer_one_of_its_tasks(operator: Operator) -> None:
    """Ansible leaves whoever met that out of all later plays, and would end with 4 though all is done."""
    tasks, flag = operator.folder / "before.yml", operator.folder / "flag"
    tasks.write_text(SILENT_ONCE.format(flag=flag, uuid=IDS["a"]))
    log = operator.empty("-e", f"migrate_before_tasks={tasks}")
    assert "UNREACHABLE!" in log and "xen1 is empty." in log and operator.result["complete"]
    assert runs(operator.site) == {"a": 2, "b": 2, "c": 2, "stays": 1}


@pytest.mark.long
def test_a_host_that_dies_while_it_is_emptied(operator: Operator) -> None:
    """Its domains are down with it, and start nowhere; what had left stays where it went, and the run says it all."""
    site = operator.site
    process = hold(operator, "-e", "migrate_link_timeout=3", "-e", "migrate_silence_timeout=20")
    before = {name: host for name, host in copies(site).items() if host != "xen1" and not name.endswith("--incoming")}
    site["xen1"].power_off()
    log = process.communicate(timeout=2 * LIMIT_S)[0]
    assert process.returncode == 2, log[-6000:]
    assert "xen1 does not answer: what it has is not known." in log and "closed to arrivals; to open it: " in log
    assert not operator.result["empty"] and not operator.result["complete"]
    deadline = time.monotonic() + LIMIT_S
    while copies(site) != before:
        assert time.monotonic() < deadline, copies(site)
        time.sleep(0.5)
    assert before["stays"] == "xen2" and all(site.overlaps(IDS[name]) == [] for name in NAMES)
    assert marks(site, "xen2") == marks(site, "xen3") == set()
    site["xen1"].power_on()
