# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be mapped to what, and what becomes of a configuration."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._mapping import (
    MOST,
    PATH_MAX,
    MappingWrong,
    Names,
    collisions,
    objections,
    of_entries,
)

CONFIG: dict[str, t.Any] = {
    "c_info": {"name": "a"},
    "nics": [{"devid": 0, "bridge": "xenbr0"}, {"devid": 1}],
    "disks": [{"pdev_path": "/dev/a"}, {"pdev_path": "/dev/b"}, {"pdev_path": None}],
}


@pytest.mark.parametrize("name", ["xenbr0", "br-lan", "a" * 15, "br0.100", "br0:10:20", "br0.5:6", "\u00e9th"])
def test_bridges(name: str) -> None:
    """Those that the kernel has, and what vif-openvswitch reads behind them."""
    assert list(objections(Names({name: "xenbr0"}, {}))) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a b", "a/b", "a\n", "a" * 16, "..:5", "br0:", "br0:x", "a\x00", "\ud800", 5]
)
def test_no_bridges(name: str) -> None:
    """Nothing that the kernel refuses, and nothing that a hotplug script could take for more than a name."""
    assert len(list(objections(Names({"xenbr0": name}, {})))) == 1


@pytest.mark.parametrize("path", ["", "dev/a", "/dev/a\n", "/" + "x" * PATH_MAX, "/dev/\ud800", "iqn.2001:x", None])
def test_no_disks(path: str) -> None:
    """Absolute paths of a length that can be."""
    assert len(list(objections(Names({}, {path: "/dev/a"})))) == 1
    assert not list(objections(Names({}, {"/dev/disk/by-id/x y": "/dev/mapper/\u00e4"})))


def test_not_too_many() -> None:
    """The settings of a session are bounded."""
    assert list(objections(Names({}, {f"/dev/{number}": "/dev/x" for number in range(MOST + 1)})))


def test_entries_and_back() -> None:
    """As it travels to the hosts."""
    names = Names({"xenbr0": "br0"}, {"/dev/a": "/dev/b"})
    assert names.entries() == (
        {"what": "bridge", "from": "xenbr0", "to": "br0"},
        {"what": "disk", "from": "/dev/a", "to": "/dev/b"},
    )
    assert of_entries(names.entries()) == names and names and not Names()


@pytest.mark.parametrize(
    "entries",
    [
        [{"what": "cdrom", "from": "/a", "to": "/b"}],
        [{"what": "disk", "from": "/a", "to": "/b"}, {"what": "disk", "from": "/a", "to": "/c"}],
        [{"what": "bridge", "from": "/a", "to": "b"}],
        [{}],
    ],
)
def test_wrong_entries(entries: list[dict[str, str]]) -> None:
    """A receiver takes none of them for granted."""
    with pytest.raises(MappingWrong):
        of_entries(entries)


def test_a_configuration_is_renamed_at_once() -> None:
    """Two names that change places do, and what was given stays as it was."""
    names = Names({"xenbr0": "br0", "other": "x"}, {"/dev/a": "/dev/b", "/dev/b": "/dev/a"})
    there = names.applied(CONFIG)
    assert there["nics"] == [{"devid": 0, "bridge": "br0"}, {"devid": 1}]
    assert [disk["pdev_path"] for disk in there["disks"]] == ["/dev/b", "/dev/a", None]
    assert CONFIG["nics"][0] == {"devid": 0, "bridge": "xenbr0"}
    assert names.used_by(CONFIG).bridges == {"xenbr0": "br0"}
    assert list(collisions(names, CONFIG)) == []


def test_disks_that_would_be_one() -> None:
    """By the mapping, not by what the domain has been configured with."""
    assert list(collisions(Names({}, {"/dev/a": "/dev/b"}), CONFIG)) == [("/dev/b", ("/dev/a", "/dev/b"))]
    names = Names({}, {"/dev/a": "/dev/c", "/dev/b": "/dev/by-id/c"})

    def one(path: str) -> str:
        return "8:0" if path in ("/dev/c", "/dev/by-id/c") else path

    assert list(collisions(names, CONFIG)) == []
    assert list(collisions(names, CONFIG, there=one)) == [("/dev/c", ("/dev/a", "/dev/b"))]
    assert list(collisions(names, CONFIG, here=lambda path: "8:0", there=one)) == []
    twice = {"disks": [{"pdev_path": "/dev/a"}, {"pdev_path": "/dev/a"}]}
    assert list(collisions(Names({}, {"/dev/a": "/dev/c"}), twice)) == []
