# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook says to somebody who left something out, or whose hosts cannot be asked."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """One host without guests."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1"], python=sys.executable)
    yield site
    assert site.down() == []


def refused(site: Site, folder: pathlib.Path, *arguments: str) -> str:
    """Run the playbook, which must fail; return its log."""
    process = User(site, folder).start("dom0.xen.migrate", *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log
    return log


def test_what_is_not_given_is_named(site: Site, tmp_path: pathlib.Path) -> None:
    """Only what is missing."""
    log = refused(site, tmp_path, "-e", "domain=centos")
    assert "destination is not given." in log
    given = (
        f"Name both: ansible-playbook -i {site.inventory} dom0.xen.migrate -e domain=NAME_OR_UUID -e destination=HOST"
    )
    assert given in " ".join(log.split())
    assert "domain is not given." not in log


LIMITED = {
    "migrate": "-e domain=centos -e destination=HOST",
    "settle": "-e domain=centos",
    "check": "-e domain=centos",
    "restore": "-e path=/PATH/OF/THE/IMAGE -e destination=HOST",
}


@pytest.mark.parametrize("playbook", LIMITED)
def test_a_command_that_is_told_can_be_copied(site: Site, tmp_path: pathlib.Path, playbook: str) -> None:
    """It reaches the hosts of this run: with its inventories, of which a path may have a space."""
    spare = tmp_path / "a spare.ini"
    spare.write_text("[spare]\n")
    process = User(site, tmp_path).start(
        f"dom0.xen.{playbook}", "-i", str(spare), "--limit", "xen1", "-e", "domain=centos"
    )
    log = " ".join(process.communicate(timeout=LIMIT_S)[0].split())
    command = f"ansible-playbook -i {site.inventory} -i '{spare}' dom0.xen.{playbook} {LIMITED[playbook]}"
    assert process.returncode == 2 and command in log.replace("\\", ""), log


def test_hosts_without_an_answer_are_not_hosts_without_the_domain(site: Site, tmp_path: pathlib.Path) -> None:
    """A guest that runs on a host that nobody could ask is not called unknown."""
    bare = tmp_path / "bare.ini"
    bare.write_text(f"[dom0]\nbare ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    log = refused(site, tmp_path, "-i", str(bare), "-e", "domain=centos", "-e", "destination=xen1")
    assert "'centos' could not be looked for on: bare. It is not on: xen1." in log
    assert "none of these dom0s has a domain" not in log
