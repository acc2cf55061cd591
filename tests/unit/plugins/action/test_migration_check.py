# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check tells everything at once, and knows a move that needs no beginning."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._records import Address, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    CONFIG,
    DOM0,
    OTHER,
    UUID,
    domain,
    host,
    row,
    session,
)

pytestmark = pytest.mark.timeout(300)

RUNNING: dict[str, t.Any] = {"alive": True, "phase": "streaming", "end_state": None, "owner": "source"}


def info(facts: HostFacts) -> dict[str, t.Any]:
    """Return facts as host_info does."""
    return {"host": facts.to_result()}


def check(at_source: dict[str, t.Any], at_destination: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    """Return the task."""
    arguments = {
        "domain": UUID,
        "source": "xen1",
        "destination": "xen2",
        "source_info": at_source,
        "destination_info": at_destination,
        "domain_info": {"domains": [domain().to_result()]},
        "inventory": ["xen1", "xen2"],
        "destination_address": "192.0.2.11",
        **options,
    }
    return {"name": "Check", "dom0.xen.migration_check": arguments, "ignore_errors": True}


def results(playbook: Playbook, *arguments: str, **tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    """Run the tasks; return their results by name."""
    named = [{**task, "register": name} for name, task in tasks.items()]
    together = "{" + ", ".join(f"'{name}': {name}" for name in tasks) + "}"
    return playbook.run(*named, register=together, arguments=arguments).results


def test_it_decides_between_three_actions(playbook: Playbook) -> None:
    """Begin, adopt, nothing to do; each with the session that is to be watched or told."""
    receiver = {"role": "receiver"}
    found = results(
        playbook,
        begin=check(info(host("xen1")), info(host("xen2"))),
        adopt=check(
            info(host("xen1", sessions=(session(**RUNNING),))),
            info(host("xen2", sessions=(session(**{**RUNNING, **receiver}),))),
        ),
        there=check(
            info(host("xen1", domains=(DOM0,), sessions=(session(),))),
            info(host("xen2", domains=(DOM0, row()), sessions=(session(**receiver),))),
            domain_info={"domains": []},
        ),
    )
    assert {name: result["action"] for name, result in found.items()} == {
        "begin": "migrate",
        "adopt": "adopt",
        "there": "already_there",
    }
    assert not any(result["changed"] for result in found.values())
    assert found["begin"]["session"]["session"] != session().session
    assert found["begin"]["session"]["session"] in found["begin"]["msg"]
    assert found["adopt"]["session"]["session"] == found["there"]["session"]["session"] == session().session
    assert found["begin"]["domain"] == {
        "uuid": UUID,
        "name": "centos",
        "memory_kib": 131072,
        "memory_max_kib": 131072,
    }


def test_a_processor_that_is_none_is_refused(playbook: Playbook) -> None:
    """A text in the place of a list, as facts become that were written down and read again: with its host."""
    policy = {**Policy("GenuineIntel", ("bfebfbff",), 13, 2, 1 << 31, 0).to_result(), "features": "bfebfbff"}
    there = host("xen2").to_result()
    there["equipment"]["processor"]["hvm_max"] = policy
    shown = {"domains": [{**domain().to_result(), "cpu_policy": policy}]}
    found = results(
        playbook,
        most=check(info(host("xen1")), {"host": there}),
        shown=check(info(host("xen1")), info(host("xen2")), domain_info=shown),
    )
    assert {(result["failed"], result["code"]) for result in found.values()} == {(True, "cpu_policy_invalid")}
    words = "features of a policy of a processor is to be a list of words, and is 'bfebfbff'. Remedy: Ask anew"
    assert [f"{name}: {words}" in found[key]["msg"] for key, name in (("most", "xen2"), ("shown", "xen1"))] == [
        True
    ] * 2


def test_a_move_that_is_taken_over_goes_on_as_it_was_begun(playbook: Playbook) -> None:
    """What this run asks for otherwise comes too late, and that is told; it may be what was asked for before, too."""
    hosts = [
        info(host(name, sessions=(session(**RUNNING, role=role),)))
        for name, role in (("xen1", "sender"), ("xen2", "receiver"))
    ]
    late: dict[str, t.Any] = {
        "leave_paused": True,
        "map_bridges": {"xenbr0": "br-lan"},
        "network": "10.20.0.0/24",
        "method": "suspend",
    }
    found = results(playbook, plain=check(*hosts), late=check(*hosts, **late))
    assert {result["action"] for result in found.values()} == {"adopt"}
    assert found["plain"]["msg"].endswith("it is watched.")
    names = "migrate_method, migrate_network, migrate_map_bridges, migrate_leave_paused"
    assert f"It goes on as it was begun: what this run says of {names} does not change it." in found["late"]["msg"]


def test_a_domain_that_is_started_anew_may_get_the_memory_of_its_file(playbook: Playbook) -> None:
    """The receiver takes no more than it is told, neither of what ran before nor of what is made from the file."""

    def filed(kib: int) -> dict[str, t.Any]:
        config = {**CONFIG, "b_info": {**CONFIG["b_info"], "max_memkb": kib, "target_memkb": kib}}
        files = (ConfigFile("/etc/xen/centos.cfg", "centos", UUID, ("memory",), config),)
        return {"domains": [domain(config_files=files).to_result()]}

    found = results(
        playbook,
        cold=check(info(host("xen1")), info(host("xen2")), domain_info=filed(262144), method="cold"),
        less=check(info(host("xen1")), info(host("xen2")), domain_info=filed(65536), method="cold"),
        live=check(info(host("xen1")), info(host("xen2")), domain_info=filed(262144)),
    )
    assert {name: result["domain"]["memory_max_kib"] for name, result in found.items()} == {
        "cold": 262144,
        "less": 131072,
        "live": 131072,
    }
    assert "It is started from /etc/xen/centos.cfg on xen1." in found["cold"]["msg"]


def test_all_that_is_wrong_is_told_at_once_by_the_domains_name(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """In the message, as findings, and in the file for programs."""
    path = tmp_path / "result.json"
    small = info(host("xen2", free_memory_mib=10, bridges=(), domains=(DOM0, row(uuid=OTHER))))
    refused = results(playbook, refused=check(info(host("xen1")), small, result_path=str(path)))["refused"]
    codes = {finding["code"] for finding in refused["findings"] if finding["severity"] == "error"}
    assert codes == {"not_enough_memory", "bridge_missing", "name_taken"}
    assert refused["msg"].startswith("centos cannot be moved from xen1 to xen2, for 3 reasons:\n")
    assert refused["action"] == "refuse"
    assert {finding["code"] for finding in json.loads(path.read_text())["findings"]} == codes


def test_hosts_that_gave_no_facts_are_findings(playbook: Playbook) -> None:
    """Also a source that was lost between two looks: that is no missing domain."""
    lost = {"unreachable": True, "msg": "no route to host"}
    found = results(
        playbook,
        both=check(lost, {"failed": True, "msg": "no python"}, domain_info={}),
        between=check(info(host("xen1")), info(host("xen2")), domain_info=lost),
        unknown=check(info(host("xen1")), {}, destination="xen9"),
    )
    assert {name: [finding["code"] for finding in result["findings"]] for name, result in found.items()} == {
        "both": ["host_unreachable", "host_without_facts"],
        "between": ["host_unreachable"],
        "unknown": ["host_not_in_inventory"],
    }
    assert "no route to host" in found["between"]["msg"]


def test_a_warning_has_its_host_and_remedy(playbook: Playbook) -> None:
    """A person sees the warning, not the findings in the result."""
    seen = domain().xenstore
    assert seen is not None
    booting = domain(xenstore=dataclasses.replace(seen, feature_suspend=""))
    task = check(info(host("xen1")), info(host("xen2")), domain_info={"domains": [booting.to_result()]})
    (warning,) = results(playbook, warned=task)["warned"]["warnings"]
    assert warning.startswith("xen1: ")
    assert "Remedy: If it is still booting, wait." in warning


def test_waivers_as_they_are_given_with_e(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """A waived finding is a warning and stays among the findings; one for nothing refuses, and is in the file."""
    path = tmp_path / "result.json"
    bare = info(host("xen2", bridges=()))
    found = results(
        playbook,
        waived=check(info(host("xen1")), bare, waive="bridge_missing,not_enough_memory"),
        listed=check(info(host("xen1")), bare, waive=["bridge_missing"]),
        mistyped=check(info(host("xen1")), bare, waive="bridge_missing,name_takn", result_path=str(path)),
    )
    for name in ("waived", "listed"):
        assert found[name]["action"] == "migrate"
        (finding,) = found[name]["findings"]
        assert (finding["code"], finding["severity"]) == ("bridge_missing", "waived")
        assert found[name]["accepted"] == [finding]
        assert found[name]["warnings"][0].startswith("xen2: bridge_missing is waived: ")
    refused = found["mistyped"]
    assert (refused["code"], refused["accepted"]) == ("waiver_unknown", [])
    assert refused["msg"].startswith(
        "centos cannot be moved from xen1 to xen2. localhost: waiver_unknown: 'name_takn' cannot be waived"
    )
    assert "the nearest are: name_taken" in refused["msg"]
    assert refused["warnings"][0].startswith("xen2: bridge_missing is waived: ")
    written = {entry["code"]: entry["severity"] for entry in json.loads(path.read_text())["findings"]}
    assert written == {"waiver_unknown": "error", "bridge_missing": "waived"}


def test_check_mode_predicts_the_change_and_writes_nothing(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """The plan is told, the file stays away."""
    path = tmp_path / "result.json"
    found = results(
        playbook,
        "--check",
        begin=check(info(host("xen1")), info(host("xen2"))),
        refused=check(info(host("xen1")), info(host("xen2", bridges=())), result_path=str(path)),
    )
    assert found["begin"]["changed"] is True
    assert found["begin"]["plan"]["domain"]["name"] == "centos"
    assert found["refused"]["failed"]
    assert not path.exists()


def test_result_of_an_earlier_run_is_not_left_to_be_read_as_this_ones(
    playbook: Playbook, tmp_path: pathlib.Path
) -> None:
    """A run that only stops watching writes none; and a file that cannot be written is told before the move."""
    stale, blocked = tmp_path / "result.json", tmp_path / "file" / "result.json"
    stale.write_text('{"owner": "destination"}')
    blocked.parent.write_text("no folder")
    found = results(
        playbook,
        begin=check(info(host("xen1")), info(host("xen2")), result_path=str(stale)),
        refused=check(info(host("xen1")), info(host("xen2")), result_path=str(blocked)),
    )
    assert found["begin"]["action"] == "migrate"
    assert not stale.exists()
    assert found["refused"]["failed"] and found["refused"]["code"] == "result_not_written"
    assert str(blocked) in found["refused"]["msg"]


def test_the_network_decides_both_ends(playbook: Playbook) -> None:
    """As it is given with -e. The receiver listens there alone, the sender comes from there, and people are told."""
    here, there = (
        info(host(name, addresses=(Address("xenbr0", "192.0.2.11"), Address("eth1", f"10.20.0.{number}"))))
        for number, name in enumerate(("xen1", "xen2"), 1)
    )
    named = {"source": "10.20.0.1", "destination": "10.20.0.2"}
    found = results(
        playbook,
        asked=check(here, there, network="10.30.0.0/24, 10.20.0.0/24"),
        named=check(here, there, destination_address="10.20.0.2", host_addresses=named),
        usual=check(here, there),
        refused=check(here, there, network=["10.20.0.0/24"], asked_address="192.0.2.11"),
    )
    for name in ("asked", "named"):
        assert found[name]["source"]["address"] == "10.20.0.1"
        assert (found[name]["destination"]["address"], found[name]["destination"]["listen_address"]) == (
            "10.20.0.2",
            "10.20.0.2",
        )
        assert "over TLS from 10.20.0.1 on eth1 to 10.20.0.2 on eth1" in found[name]["msg"]
    assert found["asked"]["plan"]["path"]["network"] == "10.20.0.0/24"
    assert found["usual"]["source"]["address"] == ""
    assert found["usual"]["destination"]["address"] == "192.0.2.11"
    assert found["refused"]["code"] == "network_contradicts"


def test_a_name_is_listened_on_as_the_source_knows_it(playbook: Playbook) -> None:
    """The other addresses of the destination are nobody's business; where its name does not tell, all of them are."""
    there = info(host("xen2", addresses=(Address("xenbr0", "192.0.2.12"), Address("eth1", "10.20.0.2"))))
    known = {"domains": [domain().to_result()], "looked_up": ["10.20.0.2"]}
    found = results(
        playbook,
        told=check(info(host("xen1")), there, destination_address="xen2", domain_info=known),
        untold=check(info(host("xen1")), there, destination_address="xen2", domain_info={**known, "looked_up": []}),
    )
    listens = {name: each["destination"]["listen_address"] for name, each in found.items()}
    assert listens == {"told": "10.20.0.2", "untold": "0.0.0.0"}
    warned = {name: {finding["code"] for finding in each["findings"]} for name, each in found.items()}
    assert {name for name, codes in warned.items() if "listens_on_all" in codes} == {"untold"}
    assert found["told"]["destination"]["address"] == "xen2"
