# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record that an image was restored: on the disk before anything is made of it, and never two restores at once."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._saving import marker
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORED, RESTORING, Mark, Marker, read
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._saving.test_pair import NEW, OLD, PowerLoss

MARK = Mark(
    format=1,
    sha256=OLD.sha256,
    saved_at=OLD.saved_at,
    state=RESTORING,
    host="xen1",
    boot_id=OLD.boot_id,
    begun_at="2026-11-24T04:05:06Z",
)
DONE = dataclasses.replace(MARK, state=RESTORED, domid=7)


@pytest.fixture
def image(tmp_path: pathlib.Path) -> str:
    """Where an image is, or would be."""
    return str(tmp_path / "centos.xen")


def test_there_and_back(image: str) -> None:
    """What is taken back leaves nothing, or what was there."""
    one = Marker(image, None)
    assert one.claim(OLD, MARK) and read(image, OLD) == MARK
    one.update(DONE)
    assert read(image, OLD) == DONE and read(image, NEW) is None
    again = Marker(image, DONE)
    assert again.claim(OLD, MARK) and read(image, OLD) == MARK
    again.take_back()
    assert read(image, OLD) == DONE
    one.take_back()
    assert os.listdir(os.path.dirname(image)) == []
    one.take_back()


def test_first_one_wins(image: str) -> None:
    """Whoever begins a restore of an image that another one restores, or has restored, on a folder that hosts share."""
    assert Marker(image, None).claim(OLD, MARK)
    assert not Marker(image, None).claim(OLD, dataclasses.replace(MARK, host="xen2"))
    assert not Marker(image, DONE).claim(OLD, dataclasses.replace(MARK, host="xen2"))
    assert read(image, OLD) == MARK
    assert Marker(image, None).claim(NEW, dataclasses.replace(MARK, sha256=NEW.sha256))


@pytest.mark.parametrize("step", ["link", "replace"])
def test_first_one_wins_of_those_who_know(image: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hosts may pass over the same record, and the second one begins at any moment."""
    assert Marker(image, None).claim(OLD, DONE)
    one, theirs = Marker(image, DONE), dataclasses.replace(MARK, host="xen2")
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: 1)
        other = Marker(image, DONE)
    real, won = getattr(os, step), []

    def meanwhile(*paths: str) -> None:
        monkeypatch.setattr(os, step, real)
        won.append(other.claim(OLD, theirs))
        real(*paths)

    monkeypatch.setattr(os, step, meanwhile)
    won.append(one.claim(OLD, MARK))
    assert sorted(won) == [False, True]
    assert read(image, OLD) == (theirs if won[0] else MARK)
    assert os.listdir(os.path.dirname(image)) == [os.path.basename(marker.path_of(image))]


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"\xff", b'{"format": 1}'])
def test_what_is_no_record(image: str, content: bytes) -> None:
    """It does not say that there was no restore."""
    pathlib.Path(marker.path_of(image)).write_bytes(content)
    with pytest.raises(OSError, match="no record"):
        read(image, OLD)


@pytest.mark.parametrize("known", [None, DONE])
def test_power_loss(image: str, known: Mark | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each system call: the old record or the new one is there, whole."""
    ended = False
    for step in range(40):
        for name in os.listdir(os.path.dirname(image)):
            os.unlink(os.path.join(os.path.dirname(image), name))
        if known is not None:
            assert Marker(image, None).claim(OLD, known)
        left = [step]

        def counted(function: t.Callable[..., t.Any], left: list[int]) -> t.Callable[..., t.Any]:
            def call(*arguments: t.Any, **options: t.Any) -> t.Any:
                if not left[0]:
                    raise PowerLoss
                left[0] -= 1
                return function(*arguments, **options)

            return call

        with monkeypatch.context() as patched:
            for name in ("fsync", "replace", "link", "unlink", "open"):
                patched.setattr(os, name, counted(getattr(os, name), left))
            try:
                ended = Marker(image, known).claim(OLD, MARK)
            except PowerLoss:
                ended = False
        assert read(image, OLD) in (known, MARK)
        if ended:
            break
    assert ended and read(image, OLD) == MARK
