# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain that was shut down is started as the one that it was, once."""

from __future__ import annotations

import pathlib
import re

import pytest
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.plugins.module_utils import _domain_start
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import Roots
from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import ConfigFiles
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, runtime_root
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, UUID, Saving

OTHER = "11111111-5c99-4441-b5fd-ac266d0e1ffe"
MAC = "00:16:3e:01:02:03"


def runtime(saving: Saving) -> str:
    """Return the folder for locks."""
    return runtime_root(str(saving.arguments()["runtime_path"]))


def keep(saving: Saving, name: str = "centos.cfg") -> pathlib.Path:
    """Put a file that says neither UUID nor address where the host's lie."""
    path = saving.host.paths.auto.parent / name
    text = re.sub("uuid = .*\n|mac=[^,]*,", "", GuestConfig(NAME, memory_mib=8, compact=True).text())
    path.write_text(f"{text}# {name}\n")
    return path


def find(saving: Saving) -> str:
    """Return the file of the domain on this host."""
    return _domain_start.find(UUID, NAME, ConfigFiles(Roots(str(saving.host.paths.auto), None)))


def test_it_is_the_domain_that_it_was(saving: Saving) -> None:
    """With its UUID and its address, whatever the file lacks; a second time there is nothing to do."""
    keep(saving)
    path = find(saving)
    assert not _domain_start.is_there(saving.xl, UUID, NAME)
    assert _domain_start.start(saving.xl, path, UUID, NAME, [MAC], runtime(saving))
    assert saving.state() is not None and _domain_start.is_there(saving.xl, UUID, NAME)
    (made,) = [each.config for each in saving.xl.configurations(NAME)]
    assert [nic["mac"] for nic in made["nics"]] == [MAC]
    assert not _domain_start.start(saving.xl, path, UUID, NAME, [MAC], runtime(saving))
    assert list(pathlib.Path(runtime(saving)).glob("*.cfg")) == []


def test_there_is_exactly_one_file(saving: Saving) -> None:
    """Else nobody knows which domain would be started."""
    with pytest.raises(_domain_start.NoConfigurationFile, match="no configuration file"):
        find(saving)
    for name in ("one.cfg", "another.cfg"):
        keep(saving, name)
    with pytest.raises(_domain_start.NoConfigurationFile, match="more than one file"):
        find(saving)


def test_another_domain_has_the_name(saving: Saving) -> None:
    """It is told in place of an error of xl."""
    saving.host.start_guest(GuestConfig(NAME, OTHER, memory_mib=8, bridge=None, compact=True))
    with pytest.raises(_domain_start.NameTaken):
        _domain_start.is_there(saving.xl, UUID, NAME)


def test_a_session_has_it(saving: Saving) -> None:
    """One that brings it here at this moment."""
    path = str(keep(saving))
    lock = DomainLock(runtime(saving), UUID, RECEIVER)
    try:
        with pytest.raises(DomainBusy):
            _domain_start.start(saving.xl, path, UUID, NAME, [], runtime(saving))
    finally:
        lock.release()
    assert saving.state() is None
