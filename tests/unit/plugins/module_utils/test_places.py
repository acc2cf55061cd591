# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys stay in memory, and folders that others could have laid as a trap are refused."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _places

SESSION = "0123456789abcdef"


def _mounts(path: pathlib.Path, folder: pathlib.Path, kind: str) -> str:
    device = os.stat(folder).st_dev
    line = f"24 30 {os.major(device)}:{os.minor(device)} / {folder} rw,nosuid shared:5 - {kind} none rw\n"
    path.write_text("22 30 250:99 / /x rw - tmpfs none rw\n" + line)
    return str(path)


def test_folder_in_memory_is_recognised(tmp_path: pathlib.Path) -> None:
    """By the file system that the path, or what exists of it, lies on."""
    mounts = tmp_path / "mountinfo"
    assert _places.in_memory(str(tmp_path / "not" / "there"), _mounts(mounts, tmp_path, "tmpfs"))
    assert not _places.in_memory(str(tmp_path), _mounts(mounts, tmp_path, "ext4"))
    assert not _places.in_memory(str(tmp_path), str(tmp_path / "no-mountinfo"))
    assert _places.in_memory("/dev/shm")


def test_keys_never_go_to_a_disk(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tmpfs for the runtime folder there is none at all."""
    monkeypatch.setattr(_places, "RUNTIME_FALLBACK", str(tmp_path / "fallback"))
    mounts = _mounts(tmp_path / "mountinfo", tmp_path, "ext4")
    with pytest.raises(_places.NoRuntimePlace) as caught:
        _places.resolve_runtime_root(str(tmp_path / "run"), mounts)
    assert "tmpfs" in caught.value.remedy
    assert list(tmp_path.iterdir()) == [tmp_path / "mountinfo"]


def test_second_choice(tmp_path: pathlib.Path) -> None:
    """Where /run is no tmpfs, /dev/shm is."""
    assert _places.resolve_runtime_root("/dev/shm/own") == "/dev/shm/own"
    assert _places.resolve_runtime_root("relative") == _places.RUNTIME_FALLBACK
    if not _places.in_memory(str(tmp_path)):
        assert _places.resolve_runtime_root(str(tmp_path)) == _places.RUNTIME_FALLBACK


def test_folder_is_made_for_us_alone(tmp_path: pathlib.Path) -> None:
    """Also its parents are made, and making it again changes nothing."""
    path = str(tmp_path / "a" / "b")
    for time in ("first", "second"):
        assert _places.make_private_folder(path) == path, time
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700


def test_folder_that_others_can_read_is_closed(tmp_path: pathlib.Path) -> None:
    """A package may have made the journal's folder with the usual mode."""
    tmp_path.chmod(0o755)
    _places.journal_root(str(tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_folder_that_others_can_write_to_is_refused(tmp_path: pathlib.Path) -> None:
    """What is in it may be somebody else's."""
    tmp_path.chmod(0o777)
    with pytest.raises(_places.PlaceError, match="others can write"):
        _places.make_private_folder(str(tmp_path))


def test_symbolic_link_is_refused(tmp_path: pathlib.Path) -> None:
    """It would send keys wherever the one who laid it wanted."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(_places.PlaceError, match="symbolic"):
        _places.make_private_folder(str(tmp_path / "link"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_folder_of_another_user_is_refused(tmp_path: pathlib.Path) -> None:
    """Whoever owns it can read what is put into it."""
    os.chown(tmp_path, 65534, 65534)
    tmp_path.chmod(0o700)
    with pytest.raises(_places.PlaceError, match="uid 65534"):
        _places.make_private_folder(str(tmp_path))


def test_folder_that_cannot_be_made_is_named(tmp_path: pathlib.Path) -> None:
    """A file in the way gives a message, not a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(_places.PlaceError, match="file"):
        _places.make_private_folder(str(tmp_path / "file" / "x"))


@pytest.mark.parametrize("session", ["", "0123456789abcde", "0123456789ABCDEF", "../../../../etc/x", SESSION + "\n"])
def test_session_is_sixteen_digits(session: str) -> None:
    """It becomes part of a path."""
    with pytest.raises(_places.SessionNameInvalid):
        _places.session_folder("/run/dom0-xen", session, _places.SENDER)


def test_role_is_one_of_two() -> None:
    """It becomes part of a path as well."""
    assert _places.session_folder("/run/x", SESSION, _places.RECEIVER) == f"/run/x/{SESSION}.receiver"
    with pytest.raises(_places.SessionNameInvalid):
        _places.session_folder("/run/x", SESSION, "../sender")


def test_sessions_are_listed_newest_first(tmp_path: pathlib.Path) -> None:
    """Only folders that are named like a session's; a link is none."""
    for age, name in enumerate(
        [f"{SESSION}.sender", f"{SESSION}.receiver", f"{'f' * 16}.sender", "lost+found", "x.sender"]
    ):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / f"{'e' * 16}.sender").symlink_to(tmp_path / "x.sender")
    found = _places.session_folders(str(tmp_path))
    assert [entry[:2] for entry in found] == [(SESSION, "sender"), (SESSION, "receiver"), ("f" * 16, "sender")]
    assert _places.session_folders(str(tmp_path / "none")) == ()


def test_a_session_that_ends_meanwhile_hides_no_other(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder goes after it was listed and before it is looked at."""
    going, stays = tmp_path / f"{SESSION}.sender", tmp_path / f"{'f' * 16}.sender"
    for folder in (going, stays):
        folder.mkdir()
    listed = os.scandir

    def scandir(path: str) -> contextlib.nullcontext[list[os.DirEntry[str]]]:
        with listed(path) as entries:
            found = list(entries)
        going.rmdir()
        return contextlib.nullcontext(found)

    monkeypatch.setattr(os, "scandir", scandir)
    assert _places.session_folders(str(tmp_path)) == (("f" * 16, "sender", str(stays)),)
