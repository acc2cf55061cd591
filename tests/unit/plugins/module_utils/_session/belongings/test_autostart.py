# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a domain at boot is set aside before the commit and comes back after an abort, whatever is cut off."""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import Roots, entries
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings import autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import (
    Autostart,
    AutostartUnmovable,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._facts.test_autostart import image

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
SESSION = "0123456789abcdef"


class PowerLoss(Exception):
    """The host is gone."""


class Disk:
    """Counts what reaches the disk and cuts the power before operation ``last``; wraps the functions of os.

    ``lose`` takes back, after the cut, every rename whose folder was not synced; without it they stay, and a file that
    was renamed without having been synced is empty.
    """

    def __init__(self, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._last = last
        self._pending: list[tuple[str, t.Callable[[], None]]] = []
        self._synced: set[int] = set()
        self._rename, self._replace, self._fsync = os.rename, os.replace, os.fsync
        for name in ("rename", "replace", "fsync"):
            monkeypatch.setattr(os, name, getattr(self, name))

    def _step(self) -> None:
        self.count += 1
        if self.count > self._last:
            raise PowerLoss

    def rename(self, old: str, new: str) -> None:
        """One that is lost unless its folder is synced."""
        self._step()
        self._rename(old, new)
        self._pending.append((os.path.dirname(new), lambda: self._rename(new, old)))

    def replace(self, old: str, new: str) -> None:
        """The same; the file that was there comes back."""
        self._step()
        before = pathlib.Path(new).read_bytes() if os.path.exists(new) else None
        whole = os.stat(old).st_ino in self._synced
        self._replace(old, new)
        if not whole:
            pathlib.Path(new).write_bytes(b"")

        def undo() -> None:
            pathlib.Path(new).unlink() if before is None else pathlib.Path(new).write_bytes(before)

        self._pending.append((os.path.dirname(new), undo))

    def fsync(self, fd: int) -> None:
        """Make a file, or the renames in a folder, durable."""
        self._step()
        path = os.readlink(f"/proc/self/fd/{fd}")
        self._synced.add(os.fstat(fd).st_ino)
        self._pending = [entry for entry in self._pending if entry[0] != path]

    def power_on(self, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give the functions back, with what was not durable lost or kept."""
        monkeypatch.undo()
        if lose:
            for dummy, undo in reversed(self._pending):
                undo()


class World:
    """A host with a link, a file, and an image of the domain, and with others."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.journal, self.auto, self.save = root / "journal", root / "auto", root / "save"
        for folder in (self.journal, self.auto, self.save, root / "configs"):
            folder.mkdir(parents=True)
        (root / "configs" / "centos.cfg").write_text(f'name = "centos"\nuuid = "{UUID}"\n')
        (self.auto / "10-centos").symlink_to("../configs/centos.cfg")
        (self.auto / "again.cfg").write_text('name = "centos"\n')
        (self.auto / "web.cfg").write_text('name = "web"\n')
        (self.save / "centos").write_bytes(image())
        (self.save / "web").write_bytes(image("web", UUID.replace("2", "3")))
        self.before = self.files()

    @property
    def roots(self) -> Roots:
        """The folders that xendomains looks at."""
        return Roots(str(self.auto), str(self.save))

    def subject(self) -> Autostart:
        """What a process that just started works with."""
        return Autostart(str(self.journal), SESSION, self.roots)

    def files(self) -> dict[str, str]:
        """Return everything in both folders: path, and where it leads or what it holds."""
        return {
            str(path.relative_to(self.root)): os.readlink(path) if path.is_symlink() else path.read_bytes().hex()
            for folder in (self.auto, self.save)
            for path in folder.iterdir()
        }

    def in_force(self) -> list[str]:
        """Return the names of what the next boot would make the domain of."""
        found = entries(self.roots)
        return [os.path.basename(entry.path) for entry in found if entry.makes(UUID, "centos") and not entry.set_aside]


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    """One host."""
    return World(tmp_path)


def _aside(world: World) -> None:
    subject = world.subject()
    subject.prepare(UUID, "centos")
    subject.set_aside(UUID, "centos")


def test_what_makes_the_domain_is_set_aside_and_nothing_else(world: World) -> None:
    """By name or UUID; it stays in its folder under a name that a shell's * does not see, and links still work."""
    _aside(world)
    assert world.in_force() == []
    assert sorted(name for name in world.files() if "/." not in name) == ["auto/web.cfg", "save/web"]
    assert (world.auto / f".10-centos.dom0-xen-{SESSION}").read_text().startswith("name")
    assert len(world.files()) == len(world.before)


def test_put_back_is_the_way_back(world: World) -> None:
    """Names, contents, and where links lead are as before; a second call finds nothing to do."""
    _aside(world)
    assert world.subject().put_back() == ()
    assert world.files() == world.before
    assert world.subject().put_back() == ()
    assert world.files() == world.before


def test_host_without_autostart_of_the_domain_is_not_written_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is nearly every host, and the gate has no time to give away."""
    disk = Disk(0, monkeypatch)
    subject = world.subject()
    assert subject.prepare("99999999-3f5d-4c65-9e1a-0123456789ab", "other") == ()
    assert subject.set_aside("99999999-3f5d-4c65-9e1a-0123456789ab", "other") == ()
    subject.finish()
    assert subject.put_back() == () and disk.count == 0
    assert os.listdir(world.journal) == []


def test_gate_costs_one_sync_a_folder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is written while memory flows."""
    subject = world.subject()
    subject.prepare(UUID, "centos")
    disk = Disk(100, monkeypatch)
    subject.set_aside(UUID, "centos")
    assert disk.count == 3 + 2


@pytest.mark.parametrize("lose", [True, False])
def test_power_lost_while_setting_aside(tmp_path: pathlib.Path, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a cut at every step: all comes back; or is set aside for good by going on. What was done is durable."""
    last = 0
    done = False
    while not done:
        for way_on in ("back", "on"):
            world = World(tmp_path / f"{last}-{way_on}")
            disk = Disk(last, monkeypatch)
            try:
                _aside(world)
                done = True
            except PowerLoss:
                pass
            disk.power_on(lose, monkeypatch)
            assert not done or world.in_force() == []
            if way_on == "on":
                _aside(world)
                assert world.in_force() == [] and len(world.subject().renamed) == 3
            world.subject().put_back()
            assert world.files() == world.before, (last, way_on)
        last += 1
    assert last > 8


@pytest.mark.parametrize("lose", [True, False])
def test_power_lost_while_putting_back(tmp_path: pathlib.Path, lose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a cut at every step a second call ends it; what was done is durable."""
    last = 0
    done = False
    while not done:
        world = World(tmp_path / str(last))
        _aside(world)
        disk = Disk(last, monkeypatch)
        try:
            world.subject().put_back()
            done = True
        except PowerLoss:
            pass
        disk.power_on(lose, monkeypatch)
        if not done:
            world.subject().put_back()
        assert world.files() == world.before, last
        last += 1
    assert last > 7


def test_something_new_is_not_overwritten(world: World) -> None:
    """A person made it meanwhile; both are kept, and the caller learns of it each time."""
    _aside(world)
    (world.auto / "again.cfg").write_text('name = "centos"  # new\n')
    left = world.subject().put_back()
    assert [os.path.basename(item.path) for item in left] == ["again.cfg"]
    assert (world.auto / "again.cfg").read_text().endswith("# new\n")
    assert pathlib.Path(left[0].aside).read_text() == 'name = "centos"\n'
    assert world.subject().put_back() == left


def test_something_new_is_set_aside_too(world: World) -> None:
    """Whether it came after the look or after the first time: the commit must find nothing in force."""
    subject = world.subject()
    subject.prepare(UUID, "centos")
    (world.auto / "late.cfg").write_text('name = "centos"\n')
    subject.set_aside(UUID, "centos")
    assert world.in_force() == []
    (world.auto / "again.cfg").write_text('name = "centos"  # new\n')
    subject.set_aside(UUID, "centos")
    assert world.in_force() == []
    left = world.subject().put_back()
    assert (world.auto / "again.cfg").read_text().endswith("# new\n")
    assert [pathlib.Path(item.aside).read_text() for item in left] == ['name = "centos"\n']


def test_finished_is_not_put_back(world: World) -> None:
    """The domain lives elsewhere: a settling that comes later must not make a second copy of it at the next boot."""
    _aside(world)
    world.subject().finish()
    assert world.subject().put_back() == ()
    assert world.in_force() == []
    assert autostart.recorded(str(world.journal))[0] == autostart.KEPT


def test_what_was_removed_meanwhile_is_no_failure(world: World) -> None:
    """It makes nothing any more; the rest goes its way."""
    subject = world.subject()
    subject.prepare(UUID, "centos")
    (world.auto / "again.cfg").unlink()
    subject.set_aside(UUID, "centos")
    next(world.save.glob(".centos*")).unlink()
    assert world.subject().put_back() == ()
    assert sorted(world.files()) == ["auto/10-centos", "auto/web.cfg", "save/web"]


@pytest.mark.parametrize("function", ["rename", "fsync"])
def test_what_cannot_be_set_aside_forbids_the_commit(
    world: World, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that fails is an error with its path, and putting back still works afterwards."""
    subject = world.subject()
    subject.prepare(UUID, "centos")

    def failing(*dummy: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, function, failing)
    with pytest.raises(AutostartUnmovable, match="Read-only"):
        subject.set_aside(UUID, "centos")
    monkeypatch.undo()
    subject.put_back()
    assert world.files() == world.before


def test_folder_that_cannot_be_written_to_is_found_while_memory_flows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the gate, where the guest stands still. Root is refused only by a file system that is read-only."""
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(world.auto))
    subject = world.subject()
    for function in (subject.prepare, subject.set_aside):
        # Whoever goes on after the first failure must not take it for "nothing to do".
        with pytest.raises(AutostartUnmovable, match="10-centos"):
            function(UUID, "centos")
    assert autostart.recorded(str(world.journal)) == (None, ())


def test_folder_that_is_removed_meanwhile_is_no_failure(world: World) -> None:
    """Nothing in it makes anything any more."""
    subject = world.subject()
    subject.prepare(UUID, "centos")
    shutil.rmtree(world.auto)
    subject.set_aside(UUID, "centos")
    assert world.in_force() == []


def test_what_another_session_has_set_aside_is_left_to_it(world: World) -> None:
    """It is out of force already, and its own record knows its name."""
    _aside(world)
    (world.journal / "other").mkdir()
    other = Autostart(str(world.journal / "other"), SESSION[::-1], world.roots)
    assert other.set_aside(UUID, "centos") == ()


def test_full_disk_is_found_before_anything_is_renamed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its record no rename could be undone."""

    def full(*dummy: object, **dummy2: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "write", full)
    with pytest.raises(AutostartUnmovable, match="No space"):
        world.subject().prepare(UUID, "centos")
    assert world.files() == world.before


def test_comes_back_with_the_domain(world: World) -> None:
    """A domain that was moved away and back is started at boot as before, but not from memory older than its disks."""
    _aside(world)
    world.subject().finish()
    others = world.auto / f".mail.cfg.dom0-xen-{SESSION}"
    others.write_text('name = "mail"\n')
    brought = autostart.bring_back(UUID, "centos", world.roots)
    assert sorted(os.path.basename(item.path) for item in brought) == ["10-centos", "again.cfg"]
    others.unlink()
    after = world.files()
    assert after.pop(f"save/.centos.dom0-xen-{SESSION}") == world.before.pop("save/centos")
    assert after == world.before
    assert autostart.bring_back(UUID, "centos", world.roots) == ()


def test_a_namesake_that_arrives_brings_back_nothing_of_it(world: World) -> None:
    """The domain lives elsewhere, and the next boot would start it here. A file without a UUID goes by its name."""
    _aside(world)
    world.subject().finish()
    brought = autostart.bring_back("99999999-3f5d-4c65-9e1a-0123456789ab", "centos", world.roots)
    assert [os.path.basename(item.path) for item in brought] == ["again.cfg"]
