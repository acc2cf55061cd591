# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration file gets the destination's names of disks and bridges, and nothing else of it is changed."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_names import in_file, unnamed

FILE = b"""# moved from /dev/a
name = "xenbr0"
uuid = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
vif = [ 'mac=00:16:3e:00:00:64,bridge=xenbr0', "bridge=xenbr0.5", 'bridge=xenbr01,script=/dev/a/x' ]
disk = [ '/dev/a,raw,xvda,rw', 'phy:/dev/b,xvdb,w', # not /dev/a
  'vdev=xvdc, target=/dev/a', '/dev/ab,raw,xvdd,r', '/x/dev/a,,xvde' ]; disk += ["/dev/b,,xvdf"]
extra = "root=/dev/a quiet bridge=xenbr0"
root = "/dev/a ro"
"""


def test_whole_names_in_their_places() -> None:
    """At once; what only begins or ends like one of them stays, and so does what the guest is told."""
    names = Names({"xenbr0": "br7"}, {"/dev/a": "/dev/b", "/dev/b": "/dev/a"})
    assert (
        in_file(FILE, names)
        == b"""# moved from /dev/a
name = "xenbr0"
uuid = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
vif = [ 'mac=00:16:3e:00:00:64,bridge=br7', "bridge=xenbr0.5", 'bridge=xenbr01,script=/dev/a/x' ]
disk = [ '/dev/b,raw,xvda,rw', 'phy:/dev/a,xvdb,w', # not /dev/a
  'vdev=xvdc, target=/dev/b', '/dev/ab,raw,xvdd,r', '/x/dev/a,,xvde' ]; disk += ["/dev/a,,xvdf"]
extra = "root=/dev/a quiet bridge=xenbr0"
root = "/dev/a ro"
"""
    )
    assert in_file(FILE, Names()) == FILE
    back = Names({"br7": "xenbr0"}, names.disks)
    assert in_file(in_file(FILE, names), back) == FILE


def test_a_partition_that_the_guest_calls_the_same() -> None:
    """As many an old file has it: what it is on the host changes, what the guest's kernel looks for does not."""
    text = b'root = "/dev/sda1 ro"\ndisk = [ "phy:/dev/sda1,sda1,w" ]\n'
    there = in_file(text, Names({}, {"/dev/sda1": "/dev/mapper/lun7"}))
    assert there == b'root = "/dev/sda1 ro"\ndisk = [ "phy:/dev/mapper/lun7,sda1,w" ]\n'


def test_bytes_of_any_kind_stay() -> None:
    """Names may have letters outside of ASCII, and comments any bytes."""
    text = '# \u00e4\ndisk = [ "/dev/\u00e0,raw,xvda,w", "/dev/\u00e0\u00a0b,raw,xvdb,w" ]\n'.encode() + b"# \xff\n"
    there = in_file(text, Names({}, {"/dev/\u00e0": "/dev/\u0161"}))
    assert there == text.replace("/dev/\u00e0,".encode(), "/dev/\u0161,".encode())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (b"disk = ['/dev/a,raw,xvda,w']\nvif = ['bridge=xenbr0']\n", []),
        (b"disk = ['/dev/b,raw,xvda,w']\nvif = ['bridge=br7']\n", []),
        (b"disk = ['/dev/a,raw,xvda,w']\nvif = ['']\n", ["br7"]),
        (b"vif = ['bridge=xenbr0', '/dev/a']\n", ["/dev/b"]),
        (b"disk = [ bridge=br7\n", ["br7", "/dev/b"]),
    ],
)
def test_names_that_a_file_does_not_have(text: bytes, left: list[str]) -> None:
    """Such as a bridge that it leaves to xl.conf."""
    names = Names({"xenbr0": "br7"}, {"/dev/a": "/dev/b"})
    assert [entry["to"] for entry in unnamed(in_file(text, names), names)] == left
