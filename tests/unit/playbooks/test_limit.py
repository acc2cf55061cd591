# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit on one domain of the inventory plugin moves just that domain; every other limit is refused with the line."""

from __future__ import annotations

import pathlib
import re
import sys
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)


class Limited(User):
    """Somebody who has the domains in the inventory."""

    def migrate(self, *arguments: str) -> tuple[int, str]:
        """Run the playbook; return its exit status, and its log without line breaks."""
        listed = self.folder / "fleet.dom0_xen.yml"
        listed.write_text("plugin: dom0.xen.domains\n")
        process = self.start("dom0.xen.migrate", "-i", str(listed), *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        return process.returncode, " ".join(log.split())


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Two hosts, two guests on the first."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    for name, identity in (("centos", GUEST), ("web", str(uuid.uuid4()))):
        site["xen1"].start_guest(GuestConfig(name=name, uuid=identity, memory_mib=16, compact=True))
    yield site
    site.down()


@pytest.fixture
def limited(site: Site, tmp_path: pathlib.Path) -> Limited:
    """Somebody whose facts have just been asked."""
    limited = Limited(site, tmp_path)
    limited.run("dom0.xen.facts")
    return limited


def test_one_domain_is_moved_and_nothing_else(limited: Limited) -> None:
    """The second run finds it there; a limit of old facts is refused, with the line that works."""
    status, log = limited.migrate("--limit", "centos@xen1", "-e", "destination=xen2")
    assert status == 0, log[-6000:]
    assert where(limited.site) == "xen2" and limited.site["xen1"].guest("web")
    assert "Moves planned: 1, done: 1." in log
    status, log = limited.migrate("--limit", "centos@xen1", "-e", "destination=xen2")
    assert status == 0 and "centos is already on xen2" in log and "changed=1" not in log, log[-6000:]
    assert "Moves planned: 1, done: 1, 1 of them before this run." in log, log[-6000:]
    limited.site["xen1"].run("xl", "destroy", "web")
    limited.site["xen2"].start_guest(GuestConfig(name="web", uuid=str(uuid.uuid4()), memory_mib=16, compact=True))
    status, log = limited.migrate("--limit", "web@xen1", "-e", "domain=web", "-e", "destination=xen1")
    assert status == 2, log[-6000:]
    assert "The limit is web@xen1, and the move is web@xen2" in log
    assert "dom0.xen.migrate -e domain=web -e destination=xen1" in log
    assert limited.site["xen2"].guest("web")


def test_the_domain_by_variable_works_beside_its_host(limited: Limited) -> None:
    """That the inventory lists it does not take the move its name."""
    status, log = limited.migrate("-e", "domain=centos", "-e", "destination=xen2")
    assert status == 0 and where(limited.site) == "xen2", log[-6000:]


def test_other_limits_are_refused_with_the_line_to_use(limited: Limited) -> None:
    """Of several domains a line for each; of a dom0 the one without a limit. Nothing is looked at."""
    status, log = limited.migrate("--limit", "*@xen1", "-e", "destination=xen2")
    assert status == 2 and "Look at the dom0" not in log.replace("Look at the dom0s, which", "")
    for name in ("centos@xen1", "web@xen1"):
        assert re.search(f"ansible-playbook( -i [^ ]+)+ dom0.xen.migrate -l {name} -e destination=xen2", log)
    status, log = limited.migrate("--limit", "xen1", "-e", "domain=centos", "-e", "destination=xen2")
    line = "ansible-playbook( -i [^ ]+)+ dom0.xen.migrate -e domain=centos -e destination=xen2"
    assert status == 2 and re.search(line, log)
    # Ansible leaves out localhost, which plans, with this one as well.
    status, log = limited.migrate("--limit", "all", "-e", "domain=centos", "-e", "destination=xen2")
    assert status == 2 and "would leave out the moves" in log
    status, log = limited.migrate("--limit", "centos@xen1")
    assert status == 2 and "destination is not given" in log
    assert where(limited.site) == "xen1"
