# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel modules that a guest takes which knows nothing of Xen: for QEMU's disk and network card."""

from __future__ import annotations

import lzma
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import PurePosixPath

from .errors import LabError
from .image import Image

DRIVERS = ("e1000", "ata_piix", "sd_mod")
_KERNEL = re.compile(r"^linux-image-(\d\S*)\t", re.MULTILINE)


def load_order(dependencies: str, wanted: Sequence[str]) -> list[str]:
    """Paths of the wanted modules and of all that they take, each after what it takes itself (pure).

    ``dependencies`` is the text of modules.dep (modules.dep(5)), where what is to be loaded last comes first.
    """
    lines = (line.partition(":") for line in dependencies.splitlines())
    by_name = {name(path): [path, *rest.split()] for path, dummy, rest in lines if path}
    found: list[str] = []
    for module in wanted:
        if module not in by_name:
            raise LabError(f"this kernel has no module {module}")
        found += [path for path in reversed(by_name[module]) if path not in found]
    return found


def name(path: str) -> str:
    """What a module is called."""
    return PurePosixPath(path).name.partition(".ko")[0]


def emulated(image: Image) -> list[tuple[str, bytes]]:
    """Names and contents, in the order in which they are to be loaded."""
    kernel = _KERNEL.search((image.folder / "versions").read_text())
    if kernel is None:
        raise LabError(f"which kernel the image in {image.folder} has is not known", "`lab clean` has it made anew")
    folder = f"/lib/modules/{kernel[1]}"
    order = load_order(_read(image, f"{folder}/modules.dep").decode(), DRIVERS)
    return [(name(path), unpacked(path, _read(image, f"{folder}/{path}"))) for path in order]


def unpacked(path: str, data: bytes) -> bytes:
    """A module as it is loaded."""
    return lzma.decompress(data) if path.endswith(".xz") else data


def _read(image: Image, path: str) -> bytes:
    done = subprocess.run(
        ["debugfs", "-R", f"cat {path}", str(image.disk)],
        capture_output=True,
        check=False,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    # debugfs ends with 0 whatever comes of it.
    if not done.stdout:
        raise LabError(f"{path} of {image.disk} cannot be read: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
