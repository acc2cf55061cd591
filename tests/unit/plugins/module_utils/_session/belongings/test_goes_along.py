# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's configuration and autostart leave one host and come to the other, whatever lies there."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import Autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.leaving import Leaving
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.unpacking import Unpacking
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import conclusion, fence
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._facts.test_autostart import image
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.belongings.test_autostart import (
    Disk,
    PowerLoss,
)

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
TEXT = f'name = "centos"\nuuid = "{UUID}"\nmemory = 512\n'
OTHERS = 'name = "web"\nuuid = "99999999-3f5d-4c65-9e1a-0123456789ab"\n'


class Dom0:
    """One host's folders."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.configs, self.auto, self.save = root / "etc/xen", root / "etc/xen/auto", root / "save"
        for folder in (self.auto, self.save):
            folder.mkdir(parents=True)

    @property
    def roots(self) -> autostart.Roots:
        """The folders that xendomains looks at."""
        return autostart.Roots(str(self.auto), str(self.save))

    def journal(self, session: str) -> str:
        """The folder of a session's journal."""
        path = self.root / "journals" / session
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def leaving(self, session: str) -> Leaving:
        """The source's part, as a process that has just started has it."""
        return Leaving(self.journal(session), session, UUID, "centos", self.roots)

    def unpacking(self, session: str, names: Names | None = None) -> Unpacking:
        """The destination's part, the same way; ``names`` are its own."""
        return Unpacking(self.journal(session), session, UUID, "centos", self.roots, names)

    def write(self, text: str = TEXT, name: str = "centos.cfg", starts: bool = False) -> pathlib.Path:
        """Put a configuration there, with a link that starts it at boot."""
        path = self.configs / name
        path.write_text(text)
        if starts:
            (self.auto / name).symlink_to(f"../{name}")
        return path

    def files(self) -> dict[str, str]:
        """All of it: path, and what it holds or where it leads."""
        return {
            str(path.relative_to(self.configs)): os.readlink(path) if path.is_symlink() else path.read_text()
            for folder in (self.configs, self.auto)
            for path in folder.iterdir()
            if not path.is_dir()
        }


def session(number: int) -> str:
    """The identity of a session."""
    return f"{number:016x}"


def move(source: Dom0, destination: Dom0, number: int, described_by: str = "") -> list[str]:
    """Move the domain; return the codes of what both sides have to say."""
    leaving, unpacking = source.leaving(session(number)), destination.unpacking(session(number))
    message = leaving.gather(described_by).to_message()
    Autostart(source.journal(session(number)), session(number), source.roots).set_aside(UUID, "centos")
    leaving.answered(unpacking.keep(message))
    assert not [
        entry for entry in autostart.entries(destination.roots) if entry.makes(UUID, "centos") and not entry.set_aside
    ]
    unpacking.unpack()
    # Whoever settles goes on from the records.
    later = source.leaving(session(number))
    later.finish()
    later.finish()
    destination.unpacking(session(number)).unpack()
    assert not os.path.exists(os.path.join(destination.journal(session(number)), "belongings.json"))
    remarks = [*leaving.told["remarks"], *later.told["remarks"], *unpacking.told["remarks"]]
    return [remark["code"] for remark in remarks]


@pytest.fixture
def hosts(tmp_path: pathlib.Path) -> tuple[Dom0, Dom0]:
    """Two of them."""
    return Dom0(tmp_path / "xen1"), Dom0(tmp_path / "xen2")


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


@pytest.mark.parametrize("lose", [True, False])
def test_power_lost_while_unpacking(tmp_path: pathlib.Path, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a cut at every step a second call ends it, with whole files and nothing beside them."""
    last, done = 0, False
    while not done:
        one, two = Dom0(tmp_path / f"{last}-1"), Dom0(tmp_path / f"{last}-2")
        one.write(starts=True)
        two.unpacking(session(1)).keep(one.leaving(session(1)).gather().to_message())
        disk = Disk(last, monkeypatch)
        try:
            two.unpacking(session(1)).unpack()
            done = True
        except PowerLoss:
            pass
        disk.power_on(lose, monkeypatch)
        two.unpacking(session(1)).unpack()
        assert two.files() == one.files(), last
        last += 1
    assert last >= 3


@pytest.mark.parametrize("lose", [True, False])
def test_power_lost_while_leaving(tmp_path: pathlib.Path, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has one name or the other, and a second call gives it the other."""
    last, done = 0, False
    while not done:
        one, two = Dom0(tmp_path / f"{last}-1"), Dom0(tmp_path / f"{last}-2")
        one.write()
        leaving = one.leaving(session(1))
        leaving.answered(two.unpacking(session(1)).keep(leaving.gather().to_message()))
        disk = Disk(last, monkeypatch)
        try:
            one.leaving(session(1)).finish()
            done = True
        except PowerLoss:
            pass
        disk.power_on(lose, monkeypatch)
        one.leaving(session(1)).finish()
        assert one.files() == {f"centos.cfg.moved-{session(1)}": TEXT}, last
        last += 1
    assert last >= 2


def test_whoever_settles_completes_it(
    hosts: tuple[Dom0, Dom0], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both processes died when the domain ran at the destination; each side is told in its result."""
    one, two = hosts
    one.write(starts=True)
    before, told = one.files(), {}
    for dom0, role in ((one, "sender"), (two, "receiver")):
        (dom0.root / "journals" / f"{session(1)}.{role}").mkdir(parents=True)
    who = (session(1), UUID, "centos")
    leaving = Leaving(str(one.root / "journals" / f"{session(1)}.sender"), *who, one.roots)
    unpacking = Unpacking(str(two.root / "journals" / f"{session(1)}.receiver"), *who, two.roots)
    leaving.answered(unpacking.keep(leaving.gather().to_message()))
    for dom0, role in ((one, "sender"), (two, "receiver")):
        settings = tmp_path / f"{role}.settings"
        settings.write_text(f"XENDOMAINS_AUTO={dom0.auto}\nXENDOMAINS_SAVE={dom0.save}\n")
        monkeypatch.setattr(autostart, "SETTINGS", (str(settings),))
        journals, runtime = dom0.root / "journals", dom0.root / "run"
        runtime.mkdir(mode=0o700)
        here = Here(str(runtime), str(journals), session(1), role, UUID, "centos", "f" * 16)
        fence.mark(here)
        assert conclusion.conclude(here, Xl(subprocess_runner(), "/nowhere/xl"), "destination", "moved", 5.0)
        told[role] = json.loads((journals / f"{session(1)}.{role}" / "result.json").read_text())["belongings"]
    assert two.files() == before
    assert f"centos.cfg.moved-{session(1)}" in one.files() and "centos.cfg" not in one.files()
    assert told["sender"]["kept_as"] == str(one.configs / f"centos.cfg.moved-{session(1)}")
    assert told["receiver"]["config"] == str(two.configs / "centos.cfg")
