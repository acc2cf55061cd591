# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break a saved domain in one way, ask Xen's verify-stream-v2 about it, and mend it. Runs on a host.

    python3 streams.py list FILE KIND              names of the ways, as JSON, for a file of this kind
    python3 streams.py break WAY FILE VERIFIER     prints JSON: the broken file, and Xen's word on it
    python3 streams.py mend FILE                   FILE is as it was before the last break

A file that is cut near its beginning is a copy; everything else is done to FILE itself, since a host has little room.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import typing as t

GO = b"domain is yours, you are cleared to unpause\0"
COPIED = 1 << 20
FRAME = struct.Struct("<II")
CONFIG = 52
PAGE_DATA, TSC_INFO, HVM_CONTEXT, HVM_PARAMS, CPUID_POLICY = 1, 8, 9, 10, 0x11
PV_INFO, PV_FRAMES, PV_VCPU, SHARED_INFO = 2, 3, 4, 7
STORE_DATA, EMULATOR = 2, 3
# What QEMU of long ago had in XenStore; one record of it takes the place of libxl's end, which comes behind it.
_STORED = struct.pack("<II", 2, 0) + b"physmap/0\0value\0"


class Saved:
    """Where things are in a sound file: its headers, and the records of both layers by type, the first ones."""

    def __init__(self, path: str) -> None:
        self.size = os.path.getsize(path)
        self.records: dict[int, tuple[int, int]] = {}
        self.behind: dict[int, tuple[int, int]] = {}
        with open(path, "rb") as file:
            self.libxl = 48 + struct.unpack_from("<I", file.read(48), 44)[0]
            self.libxc = self.libxl + 16 + 8
            place = self.libxc + 40
            for found in (self.records, self.behind):
                while True:
                    file.seek(place)
                    kind, length = FRAME.unpack(file.read(8))
                    place += 8
                    if not kind:
                        break
                    found.setdefault(kind, (place - 8, length))
                    place += (length + 7) // 8 * 8


class Change(t.NamedTuple):
    """The file is cut to ``size``, then bytes are written; those behind its end make it longer."""

    size: int
    writes: tuple[tuple[int, bytes], ...] = ()


def flipped(path: str, place: int, bits: int) -> tuple[int, bytes]:
    """One byte with some bits changed."""
    with open(path, "rb") as file:
        file.seek(place)
        return place, bytes([file.read(1)[0] ^ bits])


def changes(path: str) -> dict[str, Change]:
    """Every way to break it, and some that only look so."""
    saved = Saved(path)
    if PV_INFO in saved.records:
        return changes_of_pv(path, saved)
    ways = changes_of_hvm(path, saved)
    return {**ways, **changes_of_emulator(path, saved)} if EMULATOR in saved.behind else ways


def changes_of_pv(path: str, saved: Saved) -> dict[str, Change]:
    """What only a PV domain has in its stream."""
    size, records = saved.size, saved.records
    info, frames, vcpu, shared = (records[kind][0] for kind in (PV_INFO, PV_FRAMES, PV_VCPU, SHARED_INFO))

    def flip(place: int, bits: int) -> Change:
        return Change(size, (flipped(path, place, bits),))

    return {
        "whole": Change(size),
        "another vcpu": flip(vcpu + 8, 1),
        "cut in the frames": Change(frames + 12),
        "PV width": flip(info + 8, 1),
        "PV levels": flip(info + 9, 4),
        "PV reserved": flip(info + 10, 1),
        "frames length": flip(frames + 4, 4),
        "shared info length": flip(shared + 4, 8),
        "vcpu reserved": flip(vcpu + 8 + 4, 1),
    }


def changes_of_emulator(path: str, saved: Saved) -> dict[str, Change]:
    """What only a domain with a device model has in its stream."""
    size, place = saved.size, saved.behind[EMULATOR][0]
    stored = struct.pack("<II", STORE_DATA, len(_STORED)) + _STORED + bytes(-len(_STORED) % 8)
    return {
        "store data": Change(size - 8, ((size - 8, stored + bytes(8)),)),
        "cut in the emulator": Change(place + 20),
        "emulator id": Change(size, (flipped(path, place + 8, 0x10),)),
        "emulator length": Change(size, ((place + 4, struct.pack("<I", 4)),)),
        "unknown libxl record": Change(size, (flipped(path, place, 0x40),)),
    }


def changes_of_hvm(path: str, saved: Saved) -> dict[str, Change]:
    """What a PVH domain has in its stream, and an HVM domain too."""
    size, records = saved.size, saved.records
    pages, params, tsc, cpuid = (records[kind][0] for kind in (PAGE_DATA, HVM_PARAMS, TSC_INFO, CPUID_POLICY))
    context, length = records[HVM_CONTEXT]

    def flip(place: int, bits: int) -> Change:
        return Change(size, (flipped(path, place, bits),))

    last = context + 8 + length - 1
    unpadded = ((context + 4, struct.pack("<I", length - 1)),)
    return {
        "whole": Change(size),
        "permission": Change(size, ((size, GO),)),
        "shorter context": Change(size, unpadded),
        "cut in the xl header": Change(40),
        "cut in the configuration": Change(CONFIG + 20),
        "cut before libxc": Change(saved.libxc),
        "cut in the CPUID policy": Change(cpuid + 20),
        "cut in the first page": Change(pages + 16 + 1024 * 8 + 100),
        "cut in the middle": Change(size // 2),
        "cut before libxl's end": Change(size - 8),
        "xl magic": flip(3, 1),
        "libxl ident": flip(saved.libxl, 1),
        "libxl version": flip(saved.libxl + 11, 1),
        "libxc marker": flip(saved.libxc, 1),
        "libxc version": flip(saved.libxc + 15, 7),
        "guest type": flip(saved.libxc + 24, 4),
        "unknown record": flip(pages, 0x40),
        "unknown optional record": flip(pages + 3, 0x80),
        "policy length": flip(cpuid + 4, 8),
        "page data length": flip(pages + 4, 8),
        "page data count": flip(pages + 8, 1),
        "page data reserved": flip(pages + 12, 1),
        "page data type": flip(pages + 16 + 7, 0x50),
        "page data frame": flip(pages + 16 + 6, 0x10),
        "tsc reserved": flip(tsc + 8 + 20, 1),
        "parameters count": flip(params + 8, 1),
        "padding": Change(size, (*unpadded, flipped(path, last, 1))),
        "configuration": flip(CONFIG, 1),
        "half a permission": Change(size, ((size, GO[:20]),)),
        "something behind": Change(size, ((size, bytes(64)),)),
    }


# Of what the others have too, only so much is tried again.
AGAIN = {
    "pvh": None,
    "pv": None,
    "hvm": ("whole", "store data", "cut in the emulator", "emulator id", "emulator length", "unknown libxl record"),
    "live": ("whole", "permission", "cut in the middle"),
}


def make(path: str, change: Change) -> str:
    """Make the change, put down how to undo it, and return the file that has it."""
    size = os.path.getsize(path)
    if change.size < min(size, COPIED):
        part = path + ".part"
        with open(path, "rb") as whole, open(part, "wb") as file:
            file.write(whole.read(change.size))
        return part
    with open(path, "rb+") as file:
        file.seek(change.size)
        with open(path + ".tail", "wb") as tail:
            shutil.copyfileobj(file, tail)
        before = []
        for place, data in change.writes:
            file.seek(place)
            before.append((place, file.read(len(data)).hex()))
        with open(path + ".undo", "w") as undo:
            json.dump({"size": size, "cut": change.size, "before": before}, undo)
        file.truncate(change.size)
        for place, data in change.writes:
            file.seek(place)
            file.write(data)
    return path


def ask(verifier: str, path: str) -> subprocess.CompletedProcess[str]:
    """Ask Xen; its modules of Python lie beside the folder of its programs, where Debian's Python does not look."""
    modules = os.path.join(os.path.dirname(os.path.dirname(verifier)), "lib", "python")
    argv = [verifier, "-f", "xl", "-i", path]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": modules})


def mend(path: str) -> None:
    """Undo the last change."""
    if os.path.exists(path + ".part"):
        os.unlink(path + ".part")
    if not os.path.exists(path + ".undo"):
        return
    with open(path + ".undo") as text:
        undo = json.load(text)
    with open(path, "rb+") as file:
        for place, data in undo["before"]:
            file.seek(place)
            file.write(bytes.fromhex(data))
        file.truncate(undo["cut"])
        file.seek(undo["cut"])
        with open(path + ".tail", "rb") as tail:
            shutil.copyfileobj(tail, file)
        file.truncate(undo["size"])
    os.unlink(path + ".undo")
    os.unlink(path + ".tail")


def main() -> None:
    """Do what the command line says."""
    what, *rest = sys.argv[1:]
    if what == "mend":
        mend(rest[0])
    elif what == "list":
        path, kind = rest
        print(json.dumps(list(AGAIN[kind] or changes(path))))
    else:
        way, path, verifier = rest
        broken = make(path, changes(path)[way])
        done = ask(verifier, broken)
        said = done.stderr.strip().splitlines()[-1:]
        print(json.dumps({"path": broken, "sound": done.returncode == 0, "status": done.returncode, "said": said}))


main()
