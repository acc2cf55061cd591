# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain is moved while it runs, and a file of the user's says how it arrives. Over two dom0s of the double."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

CONFIG = GuestConfig(memory_mib=16, compact=True)
# As somebody writes it by hand: no UUID, no address, and the network that xen2 has.
TEXT = """name = "centos"
type = "pvh"
memory = 16
vcpus = 1
kernel = "/srv/guest/vmlinuz"
vif = [ "bridge=br-lan" ]
on_crash = "preserve"
"""


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts that call their network differently, the guest on xen1."""
    site = make_site("xen1", "xen2")
    site["xen2"].configure(bridges=["br-lan"])
    site["xen1"].start_guest(CONFIG)
    return site


@pytest.fixture
def file(user: User) -> pathlib.Path:
    """The file on xen1."""
    path = user.site["xen1"].paths.root / "for-xen2.cfg"
    path.write_text(TEXT)
    return path


def wanted(file: pathlib.Path, **more: t.Any) -> tuple[str, str]:
    """Return the arguments that set these variables."""
    return "-e", json.dumps({"migrate_config": str(file), **more})


def config(site: Site, host: str) -> dict[str, t.Any]:
    """Return the domain's configuration as xl has it there."""
    (found,) = (
        each["config"]
        for each in json.loads(site[host].run("xl", "list", "-l").stdout)
        if each["config"]["c_info"].get("uuid") == GUEST
    )
    assert isinstance(found, dict)
    return found


def refused(user: User, *arguments: str, destination: str = "xen2") -> str:
    """Try to move it, which must not succeed; return the log. The guest runs on, the same boot of it."""
    before = user.site["xen1"].guest()
    process = user.start("dom0.xen.migrate", *user.asking(destination), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0
    after = user.site["xen1"].guest()
    assert before is not None and after is not None and after["boot_id"] == before["boot_id"]
    assert where(user.site) == "xen1" and user.site["xen2"].domains() == []
    return log


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_it_arrives_as_the_file_says(user: User, file: pathlib.Path, method: str) -> None:
    """Under its own name, UUID and address, with its memory; plan, warnings and result tell what is another one."""
    log = user.move("xen2", *wanted(file, migrate_method=method))
    assert f"It arrives as {file} on xen1 describes it." in log
    assert where(user.site) == "xen2"
    there = config(user.site, "xen2")
    assert there["nics"] == [{"devid": 0, "mac": "00:16:3e:00:00:64", "bridge": "br-lan", "nictype": "vif"}]
    assert there["on_crash"] == "preserve"
    told = user.result
    assert told["config_path"] == str(file)
    (finding,) = (each for each in told["findings"] if each["code"] == "config_arrives")
    assert {"what": "on_crash", "source": None, "destination": "preserve"} in finding["details"]["differs"]
    assert {change["what"] for change in finding["details"]["differs"]} == {
        "nics[00:16:3e:00:00:64].bridge",
        "on_crash",
    }
    guest = user.site["xen2"].guest()
    assert guest is not None and guest["verified"]


def test_within_one_host_twice(user: User, file: pathlib.Path) -> None:
    """Each time it is described anew."""
    file.write_text(TEXT.replace("br-lan", "xenbr0"))
    for action in ("preserve", "restart"):
        file.write_text(file.read_text().replace('"preserve"', f'"{action}"'))
        user.move("xen1", *wanted(file), "-e", "source=xen1", "-e", "allow_same_host=true")
        assert where(user.site) == "xen1"
        assert config(user.site, "xen1")["on_crash"] == action


def test_it_keeps_its_number_and_is_left_paused_as_well(user: User, file: pathlib.Path) -> None:
    """xl migrate -C would forget the number that -D asks for."""
    (before,) = (info["domid"] for info in user.site["xen1"].domains())
    user.move("xen2", *wanted(file, migrate_preserve_domid=True, migrate_leave_paused=True))
    (copy,) = user.site["xen2"].domains()
    assert (copy["domid"], copy["paused"]) == (before, True)
    assert config(user.site, "xen2")["nics"][0]["bridge"] == "br-lan"


def test_what_cannot_be_used_is_refused_in_one_message(user: User, file: pathlib.Path) -> None:
    """The guest is not touched: no file, none that xl takes, of another domain or machine, and two ways at once."""
    other = file.with_name("none.cfg")
    assert f"{other}, which is to describe centos on xen2, cannot be read on xen1." in refused(user, *wanted(other))
    other.write_text("memory = [\n")
    assert f"xl on xen1 makes no domain of {other}" in refused(user, *wanted(other))
    other.write_text(TEXT.replace("centos", "web"))
    assert f"{other} is the configuration file of web (no UUID), not of centos" in refused(user, *wanted(other))
    for old, new, words in (
        ("vcpus = 1", "vcpus = 2", "maxvcpus is 2, not 1"),
        ("memory = 16", "memory = 32", "maxmem in KiB is 32768, not 16384"),
        ('type = "pvh"', 'type = "pv"', "type is pv, not pvh"),
    ):
        other.write_text(TEXT.replace(old, new))
        log = refused(user, *wanted(other))
        assert f"{other} makes another machine than the one that centos runs on: {words}" in log
    other.write_text(TEXT.replace("bridge=br-lan", "bridge=br-lan,mac=00:16:3e:11:22:33"))
    assert "other devices than those that its guest has open" in refused(user, *wanted(other))
    other.write_text(TEXT.replace("br-lan", "nowhere"))
    assert "on the bridge 'nowhere', which xen2 does not have" in refused(user, *wanted(other))
    log = refused(user, *wanted(file, migrate_map_bridges={"xenbr0": "br-lan"}))
    assert "has the destination's names already" in log


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_a_file_that_changes_after_the_check_is_not_used(user: User, file: pathlib.Path, method: str) -> None:
    """What was checked is what arrives, or nothing does."""
    tasks = user.folder / "before.yml"
    tasks.write_text(
        "- name: Change it\n  delegate_to: xen1\n"
        f"  ansible.builtin.copy: {{dest: {file}, content: 'name=\"centos\"', mode: '0644'}}\n"
    )
    log = refused(user, *wanted(file, migrate_method=method, migrate_before_tasks=str(tasks)))
    assert f"{file} was changed since it was checked" in log


def test_the_question_knows_of_it(user: User, file: pathlib.Path) -> None:
    """dom0.xen.check says the same without a move."""
    asking = ("-e", "domain=centos", "-e", "destination=xen2")
    process = user.start("dom0.xen.check", *asking)
    assert "xen2 does not have" in process.communicate(timeout=LIMIT_S)[0] and process.returncode != 0
    path = user.folder / "check.json"
    user.run("dom0.xen.check", *asking, *wanted(file), "-e", f"check_result_path={path}")
    (place,) = json.loads(path.read_text())["domains"][0]["places"]
    assert place["possible"] and "config_arrives" in {finding["code"] for finding in place["findings"]}
    assert where(user.site) == "xen1"


@pytest.mark.skipif(not namespaces(), reason="a host's own folders need a mount namespace")
def test_the_file_goes_along(user: User, file: pathlib.Path) -> None:
    """In the place of the domain's own, which is set aside on the source; the one that was named stays there."""
    first, second = user.site["xen1"], user.site["xen2"]
    own = first.keep_config(CONFIG)
    user.move("xen2", *wanted(file))
    assert (second.paths.auto.parent / "centos.cfg").read_text() == TEXT
    kept = pathlib.Path(user.result["belongings"]["source"]["kept_as"])
    assert not own.exists() and (own.parent / kept.name).read_text() == CONFIG.text()
    assert file.read_text() == TEXT
