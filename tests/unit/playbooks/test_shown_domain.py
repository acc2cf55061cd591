# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages show about one domain is typed, over two hosts of the double, and does what the page says it does."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit import shown
from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, where

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two hosts, the guest on xen1."""
    site = make_site("xen1", "xen2", suspend_timeout_s=1.5)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    return site


def test_the_first_page(reader: Reader) -> None:
    """In its order: newcomers copy it. The domain goes with the move, neither with the question nor when settled."""
    reader.type("ansible -i hosts.ini dom0 -m ansible.builtin.ping")
    reader.type("ansible-playbook -i hosts.ini dom0.xen.prepare")
    log = reader.type("ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 --check")
    assert "centos can be moved from xen1 to xen2" in log and where(reader.site) == "xen1"
    reader.type("ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2")
    assert where(reader.site) == "xen2"
    reader.type("ansible-playbook -i hosts.ini dom0.xen.settle -e domain=centos")
    assert where(reader.site) == "xen2"
    page = [each for each in shown.commands(shown.RST / "start.rst") if "-i hosts.ini" in each]
    assert reader.typed == page


def test_questions_about_a_domain(reader: Reader) -> None:
    """None of them changes anything."""
    log = reader.type("ansible-playbook -i hosts.ini dom0.xen.check -e domain=centos -e destination=xen2")
    assert "centos" in log
    reader.type("ansible-playbook -i hosts.ini dom0.xen.check -e source=xen1")
    called_off = reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 -e migrate_state=cancelled"
    )
    assert "is not being moved" in called_off
    assert where(reader.site) == "xen1" and len(reader.site.intervals(GUEST)) == 1


def test_for_how_long_the_guest_stands_still(reader: Reader) -> None:
    """A rehearsal leaves it where it is; a guest that writes little stands still for less than it may."""
    log = reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 -e migrate_rehearse=true"
    )
    assert "was rehearsed: it would take" in log and where(reader.site) == "xen1"
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_max_stop_ms=2000"
    )
    assert where(reader.site) == "xen2"


def test_what_a_move_writes(reader: Reader) -> None:
    """A code that is waived and does not occur does no harm; a move that was made before is told as that."""
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_waive=bridge_missing,not_enough_memory"
    )
    assert where(reader.site) == "xen2"
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e report_path=/var/tmp/centos.html"
    )
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_result_path=/tmp/centos.json"
    )
    assert "<html" in (reader.folder / "var/tmp/centos.html").read_text()
    assert json.loads((reader.folder / "tmp/centos.json").read_text())["owner"] == "destination"


def test_within_its_host(reader: Reader) -> None:
    """As ``xl migrate centos localhost``: another domid, and its files stay."""
    host, guest = reader.site["xen1"], GuestConfig(memory_mib=16, compact=True)
    host.autostart(guest)
    before = host.run("xl", "domid", "centos").stdout
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e source=xen1 -e destination=xen1"
        " -e allow_same_host=true"
    )
    assert where(reader.site) == "xen1"
    assert host.run("xl", "domid", "centos").stdout != before
    assert [each.name for each in host.paths.auto.iterdir()] == ["centos.cfg"]


def test_it_is_shut_down_for_the_move(reader: Reader) -> None:
    """And what started it at boot is set aside under the name that the page has."""
    host = reader.site["xen1"]
    host.autostart(GuestConfig(memory_mib=16, compact=True))
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2 -e migrate_method=cold"
    )
    assert where(reader.site) == "xen2"
    (aside,) = (each.name for each in host.paths.auto.iterdir())
    assert re.fullmatch(r"\.centos\.cfg\.dom0-xen-[0-9a-f]{16}", aside)


def test_it_arrives_paused_and_is_started_there(reader: Reader) -> None:
    """By plain xl, as the page says."""
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_leave_paused=true"
    )
    assert reader.site.running(GUEST) == []
    reader.site["xen2"].run("xl", "unpause", "centos")
    assert where(reader.site) == "xen2"


def test_it_keeps_its_number(reader: Reader) -> None:
    """The other one is that of the double's next domain, so it is made unlike."""
    before = reader.site["xen1"].run("xl", "domid", "centos").stdout
    reader.site["xen2"].start_guest(GuestConfig("web", "0c1a7b9e-3f5d-4c65-9e1a-0123456789ab", bridge=None))
    reader.site["xen2"].run("xl", "destroy", "web")
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_preserve_domid=true"
    )
    assert where(reader.site) == "xen2"
    assert reader.site["xen2"].run("xl", "domid", "centos").stdout == before


def test_another_configuration(reader: Reader) -> None:
    """It lies where the page has it, on the source."""
    (reader.folder / "root/centos-for-xen2.cfg").write_text(GuestConfig(memory_mib=16).text())
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_config=/root/centos-for-xen2.cfg"
    )
    assert where(reader.site) == "xen2"


def test_saved_and_restored_where_it_was(reader: Reader) -> None:
    """And saved once more, packed."""
    reader.type("ansible xen1 -i hosts.ini -b -m dom0.xen.domain_save -a 'domain=centos path=/srv/saved/centos.xen'")
    assert reader.site.running(GUEST) == []
    reader.type("ansible-playbook -i hosts.ini dom0.xen.restore -e path=/srv/saved/centos.xen -e destination=xen1")
    assert where(reader.site) == "xen1"
    reader.type(
        "ansible xen1 -i hosts.ini -b -m dom0.xen.domain_save"
        " -a 'domain=centos path=/srv/saved/centos.xen.zst compression=zstd'"
    )
    assert pathlib.Path(reader.folder, "srv/saved/centos.xen.zst").is_file()


def test_saved_and_restored_on_another_host(reader: Reader) -> None:
    """What is in the image can be asked meanwhile, and what a restore would do."""
    reader.type("ansible xen1 -i hosts.ini -b -m dom0.xen.domain_save -a 'domain=centos path=/srv/saved/centos.xen'")
    for told in (
        reader.type("ansible xen1 -i hosts.ini -b -m dom0.xen.stream_info -a 'path=/srv/saved/centos.xen'"),
        reader.type("ansible localhost -m dom0.xen.stream_info -a 'path=/srv/saved/centos.xen'"),
    ):
        assert GUEST in told
    reader.type(
        "ansible-playbook -i hosts.ini dom0.xen.restore -e path=/srv/saved/centos.xen -e destination=xen2 --check"
    )
    assert reader.site.running(GUEST) == []
    reader.type("ansible-playbook -i hosts.ini dom0.xen.restore -e path=/srv/saved/centos.xen -e destination=xen2")
    assert where(reader.site) == "xen2"
