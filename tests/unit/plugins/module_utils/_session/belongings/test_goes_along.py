# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's configuration and autostart leave one host and come to the other, whatever lies there."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._facts.test_autostart import image
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.belongings.two_dom0s import (
    OTHERS,
    TEXT,
    UUID,
    Dom0,
    move,
    session,
)


def test_there_and_back_again_leaves_nothing(hosts: tuple[Dom0, Dom0]) -> None:
    """However often; and the host that the domain is on starts it at boot, and no other."""
    one, two = hosts
    one.write(starts=True)
    before = one.files()
    for number in range(0, 6, 2):
        assert move(one, two, number) == []
        assert two.files() == before
        assert [name for name in one.files() if "/." not in name] == [f"centos.cfg.moved-{session(number)}"]
        assert move(two, one, number + 1) == []
        assert one.files() == before
    assert len(two.files()) == 2


@pytest.mark.parametrize("linked", [True, False])
def test_the_folder_for_autostart_is_made_where_it_is_missing(hosts: tuple[Dom0, Dom0], linked: bool) -> None:
    """Debian's settings name it, and no package brings it; a domain that is not started at boot needs none."""
    one, two = hosts
    two.auto.rmdir()
    one.write()
    assert move(one, two, 1) == [] and move(two, one, 2) == []
    assert not two.auto.exists()
    if linked:
        (one.auto / "centos.cfg").symlink_to("../centos.cfg")
    else:
        (one.auto / "centos.cfg").write_text(TEXT)
    before = one.files()
    assert move(one, two, 3) == []
    assert {name: text for name, text in two.files().items() if "moved" not in name} == before
    assert two.auto.stat().st_mode & 0o777 == 0o755


def test_what_was_changed_on_the_way_comes_back_changed(hosts: tuple[Dom0, Dom0]) -> None:
    """What the host had before is kept, and told."""
    one, two = hosts
    one.write()
    move(one, two, 1)
    two.write(TEXT + "vcpus = 2\n")
    assert move(two, one, 2) == ["config_differs"]
    assert one.files() == {"centos.cfg": TEXT + "vcpus = 2\n", f"centos.cfg.moved-{session(1)}": TEXT}


def test_a_file_that_both_have_stays_on_both(hosts: tuple[Dom0, Dom0]) -> None:
    """It may be one file, on storage that both share."""
    one, two = hosts
    one.write(starts=True)
    two.write()
    assert move(one, two, 1) == []
    assert one.files()["centos.cfg"] == TEXT
    assert two.files() == {"centos.cfg": TEXT, "auto/centos.cfg": "../centos.cfg"}


@pytest.mark.parametrize("there", [OTHERS, "not a configuration\n"])
def test_another_domains_file_is_not_written_over(hosts: tuple[Dom0, Dom0], there: str) -> None:
    """The one that came lies beside it, is what starts the domain, and goes back under its own name."""
    one, two = hosts
    one.write(starts=True)
    before = one.files()
    two.write(there)
    beside = f"centos.cfg.dom0-xen-{session(1)}"
    assert move(one, two, 1) == ["config_name_taken"]
    assert two.files() == {"centos.cfg": there, beside: TEXT, "auto/centos.cfg": f"../{beside}"}
    assert move(two, one, 2) == []
    assert one.files() == before
    assert move(one, two, 3) == ["config_name_taken"]
    assert sorted(name for name in two.files() if "/" not in name) == [
        "centos.cfg",
        f"centos.cfg.dom0-xen-{session(3)}",
    ]


def test_a_version_of_the_domains_own_counts_where_it_is(hosts: tuple[Dom0, Dom0]) -> None:
    """Bridges may have other names there."""
    one, two = hosts
    one.write(starts=True)
    two.write(TEXT + "# here\n")
    assert move(one, two, 1) == ["config_name_taken"]
    assert two.files()["centos.cfg"] == TEXT + "# here\n"
    assert two.files()["auto/centos.cfg"] == "../centos.cfg"


def test_autostart_of_the_same_name_is_not_written_over(hosts: tuple[Dom0, Dom0]) -> None:
    """It starts another domain."""
    one, two = hosts
    one.write(starts=True)
    two.write(OTHERS, "web.cfg")
    (two.auto / "centos.cfg").symlink_to("../web.cfg")
    assert move(one, two, 1) == ["autostart_name_taken"]
    assert os.readlink(two.auto / "centos.cfg") == "../web.cfg"


def test_a_file_in_the_folder_for_autostart_goes_too(hosts: tuple[Dom0, Dom0]) -> None:
    """Some put the file itself there."""
    one, two = hosts
    (one.auto / "centos.cfg").write_text(TEXT)
    assert move(one, two, 1) == []
    assert two.files() == {"auto/centos.cfg": TEXT}
    assert move(two, one, 2) == []
    assert one.files() == {"auto/centos.cfg": TEXT}


def test_a_link_to_shared_storage_is_made_where_the_file_is(hosts: tuple[Dom0, Dom0], tmp_path: pathlib.Path) -> None:
    """And only where it configures this domain."""
    one, two = hosts
    shared = tmp_path / "centos.cfg"
    shared.write_text(TEXT)
    (one.auto / "centos.cfg").symlink_to(shared)
    assert move(one, two, 1) == []
    assert os.readlink(two.auto / "centos.cfg") == str(shared)
    assert move(two, one, 2) == []
    shared.write_text(OTHERS)
    leaving = one.leaving(session(3))
    message = leaving.gather().to_message()
    assert message["entries"] == []


def test_a_link_that_leads_nowhere_there_is_not_made(hosts: tuple[Dom0, Dom0], tmp_path: pathlib.Path) -> None:
    """The destination cannot start what it does not have."""
    one, two = hosts
    local = tmp_path / "centos.cfg"
    local.write_text(TEXT)
    (one.auto / "centos.cfg").symlink_to(local)
    leaving, unpacking = one.leaving(session(1)), two.unpacking(session(1))
    unpacking.keep(leaving.gather().to_message())
    local.unlink()
    unpacking.unpack()
    assert [remark["code"] for remark in unpacking.told["remarks"]] == ["autostart_leads_nowhere"]
    assert two.files() == {}


def test_a_file_with_another_uuid_stays(hosts: tuple[Dom0, Dom0]) -> None:
    """Its name alone makes it no file of this domain."""
    one, two = hosts
    one.write(TEXT.replace("2c1a", "1111"))
    assert move(one, two, 1) == ["config_other_uuid"]
    assert two.files() == {}


def test_a_file_without_a_uuid_goes_and_is_warned_of(hosts: tuple[Dom0, Dom0]) -> None:
    """Each start from it makes another domain of it."""
    one, two = hosts
    one.write('name = "centos"\n')
    assert move(one, two, 1) == ["config_without_uuid"]
    assert two.files() == {"centos.cfg": 'name = "centos"\n'}


def test_of_several_files_the_one_that_counts_goes(hosts: tuple[Dom0, Dom0]) -> None:
    """The one that is started at boot; else the one with the UUID, or called like the domain; else none."""
    one, two = hosts
    one.write(name="a.cfg")
    one.write(name="b.cfg", starts=True)
    one.write(name="c.cfg~")
    assert move(one, two, 1) == []
    assert two.files() == {"b.cfg": TEXT, "auto/b.cfg": "../b.cfg"}
    (one.configs / "a.cfg").unlink()
    one.write(name="d")
    one.write('name = "centos"\n', name="e")
    assert one.leaving(session(2)).gather().config.name == "d"  # type: ignore[union-attr]
    one.write(name="f")
    leaving = one.leaving(session(3))
    assert leaving.gather().config is None
    assert [remark["code"] for remark in leaving.told["remarks"]] == ["config_ambiguous"]
    one.write(name="centos")
    assert one.leaving(session(4)).gather().config.name == "centos"  # type: ignore[union-attr]


def test_what_is_changed_during_the_move_stays(hosts: tuple[Dom0, Dom0]) -> None:
    """Nobody's work is put away unseen."""
    one, two = hosts
    one.write()
    leaving = one.leaving(session(1))
    leaving.answered(two.unpacking(session(1)).keep(leaving.gather().to_message()))
    one.write(TEXT + "# new\n")
    leaving.finish()
    assert [remark["code"] for remark in leaving.told["remarks"]] == ["config_changed"]
    assert one.files() == {"centos.cfg": TEXT + "# new\n"}


def test_without_the_destinations_word_nothing_is_put_away(hosts: tuple[Dom0, Dom0]) -> None:
    """It may not want it, or could not keep it."""
    one, dummy = hosts
    one.write()
    leaving = one.leaving(session(1))
    leaving.gather()
    leaving.finish()
    leaving.answered(None)
    leaving.finish()
    assert one.files() == {"centos.cfg": TEXT}


def test_after_an_abort_nothing_is_left(hosts: tuple[Dom0, Dom0]) -> None:
    """The configuration may hold a password: no copy of it stays in the journals."""
    one, two = hosts
    one.write()
    leaving, unpacking = one.leaving(session(1)), two.unpacking(session(1))
    unpacking.keep(leaving.gather().to_message())
    unpacking.drop()
    leaving.drop()
    assert os.listdir(two.journal(session(1))) == os.listdir(one.journal(session(1))) == []
    assert (one.files(), two.files()) == ({"centos.cfg": TEXT}, {})


def test_names_that_cannot_go_do_not_fail_the_move(hosts: tuple[Dom0, Dom0]) -> None:
    """They are told."""
    one, dummy = hosts
    one.write(name="cen\ntos.cfg")
    leaving = one.leaving(session(1))
    assert leaving.gather().config is None
    assert [remark["code"] for remark in leaving.told["remarks"]] == ["config_odd"]


def test_mode_goes_along(hosts: tuple[Dom0, Dom0]) -> None:
    """But only root, who runs this, may change what root starts."""
    one, two = hosts
    one.write().chmod(0o626)
    move(one, two, 1)
    there = (two.configs / "centos.cfg").stat()
    assert (there.st_mode & 0o777, there.st_uid) == (0o604, os.geteuid())


def test_an_old_image_stays_aside_and_is_told(hosts: tuple[Dom0, Dom0]) -> None:
    """The domain's disks have changed since it was saved. One of a namesake is nobody's concern here."""
    one, two = hosts
    (one.save / "centos").write_bytes(image())
    assert move(one, two, 1) == []
    (one.save / ".other.dom0-xen-0123456789abcdef").write_bytes(image(uuid=UUID.replace("2", "3")))
    assert move(two, one, 2) == ["image_set_aside"]
    assert not (one.save / "centos").exists()
