# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that describes a domain at its destination, and its own one there."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.belongings.two_dom0s import (
    TEXT,
    Dom0,
    move,
    session,
)

THERE = TEXT + 'vif = ["bridge=br-lan"]\n'


def test_the_file_that_describes_it_there_goes_in_the_place_of_its_own(hosts: tuple[Dom0, Dom0]) -> None:
    """Under the name of its own, which is set aside here; the one that was named stays where it is."""
    one, two = hosts
    one.write(starts=True)
    given = one.root / "for-xen2.cfg"
    given.write_text(THERE)
    assert move(one, two, 1, str(given)) == []
    assert two.files() == {"centos.cfg": THERE, "auto/centos.cfg": "../centos.cfg"}
    assert one.files()[f"centos.cfg.moved-{session(1)}"] == TEXT
    assert "centos.cfg" not in one.files() and given.read_text() == THERE


def test_its_own_is_set_aside_where_the_destination_had_the_other_already(hosts: tuple[Dom0, Dom0]) -> None:
    """Whoever configures both hosts has put it there; what is here is another one."""
    one, two = hosts
    one.write()
    two.write(THERE)
    given = one.root / "for-xen2.cfg"
    given.write_text(THERE)
    assert move(one, two, 1, str(given)) == []
    assert two.files() == {"centos.cfg": THERE}
    assert one.files() == {f"centos.cfg.moved-{session(1)}": TEXT}


def test_a_file_that_describes_it_there_where_it_has_none_of_its_own(hosts: tuple[Dom0, Dom0]) -> None:
    """It goes under its own name; nothing here is touched."""
    one, two = hosts
    given = one.root / "for-xen2.cfg"
    given.write_text(THERE)
    assert move(one, two, 1, str(given)) == []
    assert two.files() == {"for-xen2.cfg": THERE} and one.files() == {}


def test_a_file_that_describes_it_there_without_a_uuid(hosts: tuple[Dom0, Dom0]) -> None:
    """It is the one that the domain is started from there, whatever its own says."""
    one, two = hosts
    one.write()
    given = one.root / "for-xen2.cfg"
    given.write_text('name = "centos"\n')
    assert move(one, two, 1, str(given)) == ["config_without_uuid"]
    assert two.files() == {"centos.cfg": 'name = "centos"\n'}


def test_what_starts_it_at_boot_goes_as_that(hosts: tuple[Dom0, Dom0], tmp_path: pathlib.Path) -> None:
    """A domain that is shut down is started from it, and it is no file of its own on the way."""
    one, dummy = hosts
    shared, other = tmp_path / "centos.cfg", tmp_path / "other.cfg"
    shared.write_text(TEXT)
    (one.auto / "centos.cfg").symlink_to(shared)
    copy = one.auto / "copy.cfg"
    copy.write_text(TEXT)
    leaving = one.leaving(session(1))
    assert [leaving.apart(str(path)) for path in (shared, copy, other, "")] == ["", "", str(other), ""]


def test_its_own_file_that_was_named_goes_as_ever(hosts: tuple[Dom0, Dom0]) -> None:
    """Also where several files are the domain's: this one it is."""
    one, two = hosts
    path = one.write(THERE, name="b.cfg")
    one.write(TEXT, name="a.cfg")
    assert move(one, two, 1, str(path)) == []
    assert two.files() == {"b.cfg": THERE}
    assert one.files() == {"a.cfg": TEXT, f"b.cfg.moved-{session(1)}": THERE}


def test_a_copy_that_starts_it_at_boot_says_the_same_there(hosts: tuple[Dom0, Dom0]) -> None:
    """A file in the folder for autostart, not a link."""
    one, two = hosts
    one.write()
    (one.auto / "centos.cfg").write_text(TEXT)
    given = one.root / "for-xen2.cfg"
    given.write_text(THERE)
    assert move(one, two, 1, str(given)) == []
    assert two.files() == {"centos.cfg": THERE, "auto/centos.cfg": THERE}


@pytest.mark.parametrize(
    ("given", "came", "told"),
    [
        ('vif = ["bridge=xenbr0"]\nroot = "/dev/a"\n', 'vif = ["bridge=br-lan"]\nroot = "/dev/a"\n', []),
        ('vif = ["bridge=br-lan"]\n', 'vif = ["bridge=br-lan"]\n', []),
        ('vif = [""]\n', 'vif = [""]\n', ["config_unnamed"]),
    ],
)
def test_the_destinations_names(hosts: tuple[Dom0, Dom0], given: str, came: str, told: list[str]) -> None:
    """The file has them, or it is told that the domain is not started from it as it runs now."""
    one, two = hosts
    one.write(TEXT + given)
    unpacking = two.unpacking(session(1), Names({"xenbr0": "br-lan"}, {}))
    assert unpacking.keep(one.leaving(session(1)).gather().to_message()) == "free"
    unpacking.unpack()
    assert two.files() == {"centos.cfg": TEXT + came}
    remarks = unpacking.told["remarks"]
    assert [remark["code"] for remark in remarks] == told
    assert all("what it has here: bridge br-lan (on the source xenbr0)." in each["msg"] for each in remarks)
