# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration file is made complete, so that it makes the same domain on another host, and is compared with it."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_file import (
    completed,
    differences,
    parse_lists,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import parse_config_file

UUID = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
CONFIG = {
    "c_info": {"type": "pvh", "name": "centos", "uuid": UUID},
    "b_info": {"max_memkb": 131072, "target_memkb": 131072, "max_vcpus": 2},
    "disks": [{"pdev_path": "/dev/vg/centos", "vdev": "xvda"}, {"pdev_path": "/srv/b,c.img", "vdev": "xvdb"}],
    "nics": [{"devid": 0, "mac": "00:16:3e:00:00:64", "bridge": "xenbr0"}, {"devid": 1, "mac": "00:16:3e:00:00:65"}],
}
TEXT = """
# name = "another"
name = 'centos'; type = "pvh"
memory = 128
vcpus = 2
disk = [ 'phy:/dev/vg/centos,xvda,w',
         "format=raw, vdev=xvdb, access=rw, target=/srv/b,c.img", ]  # two of them
vif = [ "bridge=xenbr0" ]
vif += [ '' ]
"""


def test_lists_are_read_as_xl_reads_them() -> None:
    """Over several lines, with comments, added to, and with what looks like a list inside a text."""
    text = TEXT + "serial = 'pty'\nextra = \"vif = [ 'x' ]\"\nusb = [ [ 'a' ], 'b' ]\n"
    assert parse_lists(text) == {
        "disk": ("phy:/dev/vg/centos,xvda,w", "format=raw, vdev=xvdb, access=rw, target=/srv/b,c.img"),
        "vif": ("bridge=xenbr0", ""),
        "usb": ("b",),
    }


def test_uuid_and_addresses_are_put_in() -> None:
    """A file without them gives a domain other ones each time it is started."""
    made = completed(TEXT, CONFIG, UUID, "centos--incoming")
    values = parse_config_file(made)
    assert (values["uuid"], values["name"], values["on_poweroff"]) == (UUID, "centos--incoming", "destroy")
    assert parse_lists(made)["vif"] == ("bridge=xenbr0,mac=00:16:3e:00:00:64", "mac=00:16:3e:00:00:65")
    assert made.startswith(TEXT.rstrip("\n"))


def test_addresses_that_are_there_stay() -> None:
    """What the file says counts, whatever the domain runs with."""
    given = ("mac=00:16:3e:00:00:99,bridge=br1",)
    made = completed(f'name="centos"\nvif=["{given[0]}"]', CONFIG, UUID, "centos")
    assert parse_lists(made)["vif"] == given


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (["bridge=a", "mac=00:16:3E:00:00:64"], ["bridge=a,mac=00:16:3e:00:00:65", "mac=00:16:3E:00:00:64"]),
        (["mac=00:16:3e:00:00:65", ""], ["mac=00:16:3e:00:00:65", "mac=00:16:3e:00:00:64"]),
        (["mac=00:16:3e:00:00:99", "", "bridge=new"], ["mac=00:16:3e:00:00:99", "mac=00:16:3e:00:00:65", "bridge=new"]),
    ],
)
def test_no_address_is_put_in_twice(given: list[str], made: list[str]) -> None:
    """Cards may stand in another order, and some of them have theirs."""
    cards = ", ".join(f'"{card}"' for card in given)
    assert parse_lists(completed(f"vif=[{cards}]", CONFIG, UUID, "centos"))["vif"] == tuple(made)


def test_a_name_does_not_end_its_text() -> None:
    """Quotes in it are written as xl reads them, and what cannot be is refused."""
    assert parse_config_file(completed("", CONFIG, UUID, 'a"b\\c'))["name"] == 'a"b\\c'
    with pytest.raises(ValueError, match="cannot be written"):
        completed("", CONFIG, UUID, "a\nb")


def test_a_file_of_the_running_domain_does_not_differ() -> None:
    """Addresses that it leaves out are put in."""
    assert differences(TEXT, CONFIG) == ()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('type = "hvm"', "type"),
        ("memory = 256", "memory"),
        ("maxmem = 256", "memory"),
        ("vcpus = 1", "vcpus"),
        ("disk = [ '/dev/vg/other,raw,xvda,rw' ]", "disks"),
        ("vif = [ 'bridge=xenbr0' ]", "vifs"),
        ("vif = [ 'bridge=xenbr1', '' ]", "vifs"),
        ('on_poweroff = "preserve"', "on_poweroff"),
    ],
)
def test_what_differs_is_named(line: str, word: str) -> None:
    """So that nobody is surprised by what comes up on the other host."""
    assert differences(f"{TEXT}\n{line}\n", CONFIG) == (word,)
