# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the cache is used if, and only if, nothing that went into it has changed."""

from __future__ import annotations

import os
import typing as t

from dom0lab import image, places, qemu, snapshot

if t.TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_digest_sees_every_part_and_every_border() -> None:
    """Two different lists of parts must not share an image."""
    keys = {places.digest(parts) for parts in (["ab", "c"], ["a", "bc"], ["abc"], ["c", "ab"], [])}
    assert len(keys) == 5
    assert places.digest(["a", b"b"]) == places.digest([b"a", "b"])


def test_folder_parts_see_content_name_and_permission(tmp_path: Path) -> None:
    """A file that becomes executable makes a different image."""
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "file"
    path.write_text("x")
    keys = [places.digest(places.folder_parts(tmp_path))]
    path.chmod(0o755)
    keys.append(places.digest(places.folder_parts(tmp_path)))
    path.write_text("y")
    keys.append(places.digest(places.folder_parts(tmp_path)))
    path.rename(tmp_path / "sub" / "other")
    keys.append(places.digest(places.folder_parts(tmp_path)))
    assert len(set(keys)) == 4


def test_each_release_has_its_own_image() -> None:
    """An image of one Debian is never taken for another's."""
    assert len({image.image_key(release) for release in image.RELEASES}) == len(image.RELEASES)


def test_an_image_for_hvm_guests_is_another_one() -> None:
    """The usual image stays as lean as it is."""
    keys = {image.image_key(release, hvm) for release in image.RELEASES for hvm in (False, True)}
    assert len(keys) == 2 * len(image.RELEASES)


def commands(port: int, tmp_path: Path, memory: int = 2048) -> dict[str, list[str]]:
    spec = qemu.HostSpec(1, "bookworm", tmp_path, memory)
    return {"xen1": qemu.command(spec, kvm=False, ssh_port=port, guest_disk=tmp_path / "lab.img")}


def test_snapshot_key_ignores_ports_and_nothing_else(tmp_path: Path) -> None:
    """Ports change with every lab; another memory size or QEMU could not load the snapshot."""
    key = snapshot.key(commands(2201, tmp_path), "QEMU 7.2")
    assert snapshot.key(commands(2202, tmp_path), "QEMU 7.2") == key
    assert snapshot.key(commands(2201, tmp_path, 2560), "QEMU 7.2") != key
    assert snapshot.key(commands(2201, tmp_path), "QEMU 10.0") != key


def test_prune_removes_the_unused_and_the_unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache does not grow for ever, and what is in use stays; so does what a living process is building."""
    monkeypatch.setenv("DOM0_XEN_LAB_CACHE", str(tmp_path))
    for name in ("image-old", "image-new", ".building-image-1-999999999", f".building-image-2-{os.getpid()}"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "image-old", (0, 0))
    assert places.prune_cache(14) == [".building-image-1-999999999", "image-old"]
    assert {path.name for path in tmp_path.iterdir()} == {"image-new", f".building-image-2-{os.getpid()}"}
