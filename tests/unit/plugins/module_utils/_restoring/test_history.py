# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host remembers which images it has restored, the last ones, and only what was restored indeed."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import RESTORED_MOST, restored_images
from ansible_collections.dom0.xen.plugins.module_utils._places import PlaceError
from ansible_collections.dom0.xen.plugins.module_utils._restoring.history import History
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORING, Mark

PATH = "/srv/centos.xen"


def _mark(number: int = 0, minute: int = 0) -> Mark:
    at = f"2026-11-24T{minute // 60:02}:{minute % 60:02}:00Z"
    return Mark(1, f"{number:064x}", "2026-11-23T04:05:06Z", RESTORING, "xen1", "boot", at)


def test_the_last_restore_of_an_image_counts(tmp_path: pathlib.Path) -> None:
    """And what another one has put on record is not taken back."""
    history = History(str(tmp_path / "journal"))
    history.put(_mark(minute=1), "centos", PATH)
    history.put(_mark(minute=2), "centos", PATH)
    history.take_back(_mark(minute=1))
    assert [each["at"] for each in restored_images(str(tmp_path / "journal"))] == [_mark(minute=2).begun_at]
    history.take_back(_mark(minute=2))
    history.take_back(_mark(minute=1))
    assert restored_images(str(tmp_path / "journal")) == ()
    assert list((tmp_path / "journal" / "restored").iterdir()) == []


def test_a_restore_that_is_taken_back_leaves_the_one_before(tmp_path: pathlib.Path) -> None:
    """What was let run once is not forgotten for a second restore that failed, or was cut off, at its last step."""
    history = History(str(tmp_path))
    for minute in (1, 2, 3):
        history.put(_mark(minute=minute), "centos", PATH)
    history.take_back(_mark(minute=3))
    (kept,) = restored_images(str(tmp_path))
    assert (kept["at"], kept["name"], kept["path"]) == (_mark(minute=2).begun_at, "centos", PATH)


def test_the_clock_decides_nothing_of_the_restore_at_hand(tmp_path: pathlib.Path) -> None:
    """Where it was set back, what has just been restored looks older than all that is kept."""
    history = History(str(tmp_path))
    for number in range(1, RESTORED_MOST + 1):
        history.put(_mark(number, minute=number), "centos", PATH)
    history.put(_mark(), "centos", PATH)
    kept = restored_images(str(tmp_path), limit=None)
    assert len(kept) == RESTORED_MOST and kept[-1]["sha256"] == _mark().sha256
    assert _mark(1).sha256 not in {each["sha256"] for each in kept}
    history.take_back(_mark())
    assert len(restored_images(str(tmp_path), limit=None)) == RESTORED_MOST - 1


def test_the_oldest_are_forgotten(tmp_path: pathlib.Path) -> None:
    """A host that restores an image a day does not fill its disk."""
    history = History(str(tmp_path))
    for number in range(RESTORED_MOST + 3):
        history.put(_mark(number, minute=number), "centos", PATH)
    kept = restored_images(str(tmp_path), limit=None)
    assert len(kept) == RESTORED_MOST and kept[0]["sha256"] == _mark(RESTORED_MOST + 2).sha256
    assert kept[-1]["sha256"] == _mark(3).sha256


@pytest.mark.parametrize("text", ["", "?", "[]", '{"sha256": 1}', '{"sha256": "x"}', "\udcff"])
def test_what_is_no_record_is_left_out(tmp_path: pathlib.Path, text: str) -> None:
    """Facts are told whatever lies there."""
    History(str(tmp_path)).put(_mark(), "centos", PATH)
    (tmp_path / "restored" / f"{'f' * 64}.json").write_text(text, errors="surrogateescape")
    assert [each["path"] for each in restored_images(str(tmp_path))] == [PATH]


def test_a_folder_that_is_a_link_is_not_written_to(tmp_path: pathlib.Path) -> None:
    """As with the folders of sessions."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "restored").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlaceError):
        History(str(tmp_path)).put(_mark(), "centos", PATH)
    assert list((tmp_path / "elsewhere").iterdir()) == []
