# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a fleet are what the dom0s said, or a clear error: on the way through files, and from modules."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.document import dump
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import (
    DocumentInvalid,
    DocumentNotRead,
    DocumentNotWritten,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.gathering import dom0_of, fleet_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import DomainRule, HostRule, Rules
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

RULES = Rules((DomainRule("centos", ("db",)),), (), (HostRule("xen1"), HostRule("xen2", 512, closed=True)))


def keep(path: pathlib.Path, fleet: Fleet) -> str:
    """Write a fleet into a folder; return its path."""
    folder.write(str(path), [*fleet.dom0s, fleet.rules])
    return str(path)


def test_a_fleet_comes_back_as_it_was(tmp_path: pathlib.Path) -> None:
    """Files hold everything, also of a host that is dead, whatever its name, and only their owner reads them."""
    before = examples.told("xen3", [])
    hosts = (
        examples.dom0("../a/b", "db"),
        *examples.fleet(xen1=["centos"], xen2=[]).dom0s,
        examples.dead("xen3", before),
    )
    fleet = Fleet(hosts, RULES)
    place = keep(tmp_path / "new" / "facts", fleet)
    assert folder.read(place) == fleet
    assert folder.read_dom0(place, "xen3") == examples.dead("xen3", before)
    assert folder.read_dom0(place, "xen4") is None
    assert {oct(os.stat(os.path.join(place, name)).st_mode & 0o777) for name in os.listdir(place)} == {"0o600"}
    assert (os.stat(place).st_mode & 0o777, len(os.listdir(place))) == (0o700, 5)
    assert not (tmp_path / "new" / "a").exists()


def test_no_folder_is_no_fleet(tmp_path: pathlib.Path) -> None:
    """Before the first run nothing is known, and that is no error."""
    assert folder.read(str(tmp_path / "none")) == Fleet(())


def edit(text: str, **changes: t.Any) -> str:
    """Return the text of a file after an edit of its content that forgets the sum."""
    document = json.loads(text)
    document["content"].update(changes)
    return json.dumps(document)


BROKEN: dict[str, tuple[t.Callable[[str], bytes], str]] = {
    "empty": (lambda text: b"", "is no JSON"),
    "cut off": (lambda text: text[: len(text) // 2].encode(), "is no JSON"),
    "edited": (lambda text: edit(text, asked_s=1.0).encode(), "was changed after it was written"),
    "one letter": (lambda text: text.replace("centos", "centus", 1).encode(), "was changed after it was written"),
    "another file": (lambda text: b'{"content": {}}', "is not a file of dom0.xen.dom0"),
    "a list": (lambda text: b"[]", "is not a file of dom0.xen.dom0"),
    "deep": (lambda text: b"[" * 100_000, "is no JSON"),
    "newer": (lambda text: text.replace('"format": 1', '"format": 2').encode(), "has the format 2"),
    "no text": (lambda text: b"\xff\xfe", "is no text"),
    "under another name": (lambda text: dump(examples.dom0("xen9")).encode(), "is the file of xen9"),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_a_file_that_is_not_as_written_is_refused_by_name(tmp_path: pathlib.Path, case: str) -> None:
    """Whatever happened to it; the others are still read by who can do without it."""
    place = keep(tmp_path / "facts", examples.fleet(xen1=["centos"], xen2=[]))
    path = pathlib.Path(folder.file_of(place, "xen1"))
    change, said = BROKEN[case]
    path.write_bytes(change(path.read_text()))
    with pytest.raises(DocumentInvalid, match=said) as caught:
        folder.read(place)
    assert str(path) in caught.value.message and caught.value.remedy
    told: list[Dom0XenError] = []
    assert [dom0.name for dom0 in folder.read(place, told.append).dom0s] == ["xen2"]
    assert [error.message for error in told] == [caught.value.message]


def test_what_is_no_file_is_not_waited_for_nor_followed(tmp_path: pathlib.Path) -> None:
    """A pipe would block every inventory, and a link could lead to what is nobody's business."""
    place = keep(tmp_path / "facts", examples.fleet(xen1=[]))
    os.mkfifo(folder.file_of(place, "xen2"))
    os.symlink(folder.file_of(place, "xen1"), folder.file_of(place, "xen3"))
    told: list[Dom0XenError] = []
    folder.read(place, told.append)
    assert [error.message.rpartition(" is ")[2] for error in told] == ["no file.", "a symbolic link."]


def test_a_value_of_the_wrong_type_is_told_by_its_place() -> None:
    """A number that became a text would come up far from its cause."""
    content = examples.dom0("xen1", "centos").to_result()
    content["told"]["domains"][0]["memory_mib"] = "much"
    info = {"host": content["told"]["host"], "domains": content["told"]["domains"]}
    dom0 = dom0_of("xen1", info, 5.0)
    assert dom0.told is None and dom0.trouble is not None
    assert "domains[0].memory_mib is 'much', which is no int" in dom0.trouble.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write and read everything")
def test_a_folder_that_may_not_be_used(tmp_path: pathlib.Path) -> None:
    """The error names the folder and the way out."""
    tmp_path.chmod(0o500)
    with pytest.raises(DocumentNotWritten, match=str(tmp_path)):
        keep(tmp_path / "facts", examples.fleet(xen1=[]))
    tmp_path.chmod(0)
    with pytest.raises(DocumentNotRead):
        folder.read(str(tmp_path))
    tmp_path.chmod(0o700)


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: pathlib.Path) -> None:
    """Who can put a file there could have a domain moved to where it must not run."""
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts").chmod(0o777)
    with pytest.raises(DocumentNotWritten, match="others may write to it") as caught:
        keep(tmp_path / "facts", examples.fleet(xen1=[]))
    assert "chmod 700" in caught.value.remedy


def test_a_host_that_died_keeps_what_it_told_before() -> None:
    """What was known is marked as such, and is not taken for what is now."""
    alive = examples.fleet(xen1=["centos"], xen2=["web"], xen3=[])
    answers = {"xen1": {"unreachable": True, "msg": "No route\n to host"}, "xen2": {"failed": True, "msg": "boom"}}
    fleet = fleet_of(answers, RULES, 9e9, alive)
    xen1, xen2 = fleet.by_name["xen1"], fleet.by_name["xen2"]
    assert xen1.trouble and xen2.trouble
    assert (xen1.trouble.code, xen1.trouble.message, xen1.told, xen1.domains) == (
        "unreachable",
        "No route to host",
        None,
        (),
    )
    assert (xen2.trouble.code, xen2.trouble.message, xen2.asked_s) == ("no_facts", "boom", 9e9)
    assert (xen1.before, xen1.age_s(examples.ASKED_S + 60)) == (alive.by_name["xen1"].told, 60)
    assert fleet.by_name["xen3"] == alive.by_name["xen3"]
    assert fleet.places == () and len(fleet.troubled) == 2
    again = fleet_of(answers, RULES, 9.1e9, fleet)
    assert again.by_name["xen1"].before == xen1.before


def test_a_host_that_could_not_list_its_domains_is_in_trouble() -> None:
    """It is not an empty host: that would be taken for one that can be switched off."""
    host = examples.told("xen1", []).host.to_result()
    host.update(domains=[], problems=[{"code": "xl_failed", "message": "xl list failed.", "remedy": "Look."}])
    dom0 = dom0_of("xen1", {"host": host, "domains": []}, 5.0)
    assert dom0.trouble is not None
    assert (dom0.trouble.code, dom0.trouble.message, dom0.told) == ("no_domains", "xl list failed.", None)
    partly = examples.told("xen1", [examples.domain("a", 3)]).host.to_result()
    missing = dom0_of("xen1", {"host": partly, "domains": []}, 5.0).trouble
    assert missing is not None and missing.code == "no_domains"


def test_domain_0_is_not_among_the_domains() -> None:
    """It is the host's own and moves nowhere."""
    told = examples.told("xen1", [examples.domain("a", 3)])
    own = {**examples.domain("Domain-0", 0).to_result(), "domid": 0}
    info = {"host": told.host.to_result(), "domains": [own, told.domains[0].to_result()]}
    assert dom0_of("xen1", json.loads(json.dumps(info)), 5.0) == Dom0("xen1", examples.ASKED_S, told)
