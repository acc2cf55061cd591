# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image and its manifest: a power loss at any step leaves the old pair, the new pair, or what can be told apart."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import ImageBusy, ImageUnwritable
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest, decode
from ansible_collections.dom0.xen.plugins.module_utils._saving.pair import Pair

OLD = Manifest(
    format=1,
    uuid="dbef3e02-5c99-4441-b5fd-ac266d0e1ffe",
    name="centos",
    type="pvh",
    xen_version="4.17",
    stream_bytes=10,
    file_bytes=3,
    compression="none",
    sha256="0" * 64,
    saved_at="2026-11-23T04:05:06Z",
    after="shut_down",
    boot_id="5e1e8f51-6513-48e3-a9c6-d2d0263407a2",
    domid=7,
    cpu_time_s=43.9,
)
NEW = dataclasses.replace(OLD, file_bytes=5, sha256="1" * 64)
CONTENT = {OLD.sha256: b"old", NEW.sha256: b"newer"}


class PowerLoss(BaseException):
    """Nothing more is done."""


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where the image is."""
    return tmp_path / "centos.xen"


def save(path: pathlib.Path, manifest: Manifest) -> None:
    """Save it, as the module does."""
    pair = Pair(str(path))
    try:
        os.write(pair.begin(), CONTENT[manifest.sha256])
        pair.publish(manifest)
    finally:
        pair.close()


@pytest.mark.parametrize("before", [None, OLD])
def test_power_loss(path: pathlib.Path, before: Manifest | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each system call that changes the folder, before it and after it."""
    seen = set()
    for step in range(100):
        for file in path.parent.iterdir():
            file.unlink()
        if before is not None:
            save(path, before)
        left = [step]

        def counted(function: t.Callable[..., t.Any], left: list[int]) -> t.Callable[..., t.Any]:
            def call(*arguments: t.Any, **options: t.Any) -> t.Any:
                if not left[0]:
                    raise PowerLoss
                left[0] -= 1
                return function(*arguments, **options)

            return call

        with monkeypatch.context() as patched:
            for name in ("fsync", "replace", "unlink", "ftruncate", "write"):
                patched.setattr(os, name, counted(getattr(os, name), left))
            try:
                save(path, NEW)
                over = True
            except PowerLoss:
                over = False
        found = Pair(str(path)).found()
        assert found in (before, NEW)
        Pair(str(path)).complete()
        assert Pair(str(path)).found() == found
        if found is not None:
            assert path.read_bytes() == CONTENT[found.sha256]
            assert decode((path.parent / "centos.xen.json").read_bytes()) == found
        seen.add(found)
        # The next save finds nothing in its way.
        save(path, NEW)
        assert sorted(os.listdir(path.parent)) == ["centos.xen", "centos.xen.json"]
        if over:
            break
    assert seen == {before, NEW} and step > 5


@pytest.mark.parametrize("name", ["image", "manifest"])
def test_rename_that_fails(path: pathlib.Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new image does not stay without its manifest."""
    real = os.replace

    def replace(old: str, new: str) -> None:
        if new.endswith(".json") == (name == "manifest"):
            raise OSError(5, "Input/output error")
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    pair = Pair(str(path))
    os.write(pair.begin(), b"newer")
    with pytest.raises(ImageUnwritable, match="Input/output error"):
        pair.publish(NEW)
    pair.discard()
    pair.close()
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("function", [None, "replace", "fsync"])
def test_image_whose_guest_went_on(path: pathlib.Path, function: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as a checkpoint from then on; where that cannot be written, as no image."""

    def fail(*dummy: t.Any) -> None:
        raise OSError(5, "Input/output error")

    save(path, OLD)
    pair = Pair(str(path))
    with monkeypatch.context() as patched:
        if function is not None:
            patched.setattr(os, function, fail)
        pair.outdate(OLD)
    assert pair.found() == (dataclasses.replace(OLD, after="checkpoint") if function is None else None)
    assert not os.path.lexists(pair.manifest_aside) and path.read_bytes() == b"old"


def test_two_at_once(path: pathlib.Path) -> None:
    """The second one is refused, and does no harm to the first."""
    first = Pair(str(path))
    os.write(first.begin(), b"newer")
    with pytest.raises(ImageBusy):
        Pair(str(path)).begin()
    first.publish(NEW)
    first.close()
    assert Pair(str(path)).found() == NEW


CHANGES: list[dict[str, t.Any]] = [
    {"format": 2},
    {"format": True},
    {"uuid": ""},
    {"name": None},
    {"file_bytes": "3"},
    {"stream_bytes": True},
    {"stream_bytes": -1},
    {"sha256": "0" * 63},
    {"after": "gone"},
    {"cpu_time_s": "1"},
    {"xen_commandline": 1},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_manifest_that_is_none(change: dict[str, t.Any]) -> None:
    """It is not believed in part."""
    assert decode(OLD.encode()) == OLD
    assert decode(dataclasses.replace(OLD, **change).encode()) is None


def test_manifest_of_an_earlier_release() -> None:
    """It does not say how Xen was booted."""
    document = json.loads(OLD.encode())
    del document["xen_commandline"]
    assert decode(json.dumps(document).encode()) == OLD
    assert OLD.xen_commandline is None


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 60_000, b"null"])
def test_file_that_is_no_manifest(data: bytes) -> None:
    """Whatever is in it."""
    assert decode(data) is None
