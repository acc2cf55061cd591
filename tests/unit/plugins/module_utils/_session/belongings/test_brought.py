# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a domain has as disks are looked for at the destination before its xl gets a byte."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site

from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.brought import (
    MOST,
    DiskFileMissing,
    require_files,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

__all__ = ["make_site"]

DISK = {"vdev": "hdc", "format": "raw", "readwrite": 0, "is_cdrom": 1}


def config(*disks: t.Any) -> bytes:
    """The guest's configuration with these disks."""
    return json.dumps({**json.loads(streams.config()), "disks": list(disks)}).encode()


def test_files_that_are_there_and_one_that_is_not(tmp_path: pathlib.Path) -> None:
    """Each that is missing is named, once; by the name that it has here."""
    here, gone = tmp_path / "debian.iso", str(tmp_path / "tools.iso")
    here.touch()
    there = {**DISK, "pdev_path": str(here)}
    require_files(config(there), ())
    with pytest.raises(DiskFileMissing) as caught:
        require_files(config(there, {**DISK, "pdev_path": gone}, {**DISK, "pdev_path": gone}), ())
    assert caught.value.details == {"paths": [gone]} and gone in caught.value.message
    mapped = [{"what": "disk", "from": gone, "to": str(here)}]
    require_files(config({**DISK, "pdev_path": gone}), mapped)


@pytest.mark.parametrize("readwrite", [0, 1])
def test_whatever_the_domain_does_with_it(readwrite: int, tmp_path: pathlib.Path) -> None:
    """Of a file system whose kind it does not know the check cannot tell, and only warns."""
    disk = {**DISK, "vdev": "xvda", "is_cdrom": 0, "readwrite": readwrite, "pdev_path": str(tmp_path / "disk.img")}
    with pytest.raises(DiskFileMissing, match=r"disk\.img"):
        require_files(config(disk), ())
    (tmp_path / "disk.img").touch()
    require_files(config(disk), ())


@pytest.mark.parametrize(
    "disk",
    [
        {"format": "empty", "pdev_path": "/none"},
        {"backend_domname": "store", "pdev_path": "/none"},
        {"backend_domid": 3, "pdev_path": "/none"},
        {"script": "block-nbd", "pdev_path": "/none"},
        {"pdev_path": "/dev/none"},
        {"pdev_path": "rbd:pool/image"},
        {},
        {"pdev_path": None},
    ],
    ids=str,
)
def test_what_is_not_looked_for(disk: dict[str, t.Any]) -> None:
    """What the check knows, what is not dom0's to open, and drives with nothing in them."""
    require_files(config({**DISK, **disk}), ())


@pytest.mark.parametrize("disks", [None, {}, "x", [None], ["/none"], [[]]], ids=str)
def test_a_list_that_is_none(disks: t.Any) -> None:
    """Whatever a source sends: xl has the last word on it."""
    require_files(json.dumps({"disks": disks}).encode(), ())


def test_a_name_that_cannot_be(tmp_path: pathlib.Path) -> None:
    """It is missing, and no error of ours; and nobody has us look for files without end."""
    with pytest.raises(DiskFileMissing):
        require_files(config({**DISK, "pdev_path": "/none\0"}), ())
    with pytest.raises(DiskFileMissing) as caught:
        require_files(config(*({**DISK, "pdev_path": f"{tmp_path}/{number}"} for number in range(MOST + 9))), ())
    assert len(caught.value.details["paths"]) == MOST


@pytest.fixture(name="receiver")
def a_receiver(make_site: MakeSite) -> receiving.Running:  # noqa: F811  # pytest finds fixtures by their names
    """A receiver that has its banner."""
    return receiving.start(make_site("xen2")["xen2"])


def begin(path: pathlib.Path) -> bytes:
    """The beginning of the stream of a guest that reads this file."""
    return streams.xl_header(config({**DISK, "pdev_path": str(path)})) + streams.libxl_header() + streams.frame(1)


def test_a_receiver_refuses(receiver: receiving.Running, tmp_path: pathlib.Path) -> None:
    """The sender learns why, and xl has got nothing, not even the header."""
    path = tmp_path / "debian.iso"
    with receiving.sender(receiver) as link:
        link.send_data(begin(path))
        receiving.until(receiver, link, lambda: bool(receiver.arrived))
    failure = receiver.arrived[0]["failure"]
    assert failure["code"] == "disk_file_missing" and str(path) in failure["msg"] and failure["remedy"]
    result = receiver.result()
    assert (result["error"]["code"], result["written_bytes"]) == ("disk_file_missing", 0)


def test_a_receiver_lets_in(receiver: receiving.Running, tmp_path: pathlib.Path) -> None:
    """A guest whose file is there; what ends it here is what comes behind its configuration."""
    path = tmp_path / "debian.iso"
    path.touch()
    with receiving.sender(receiver) as link:
        link.send_data(begin(path))
        link.send_data(bytes(64))
        receiving.until(receiver, link, lambda: bool(receiver.arrived))
    assert receiver.result()["error"]["code"] == "stream_bad_magic"
