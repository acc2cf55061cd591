# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true or false is one of them, a number is one, what is neither is refused, and the text "false" is false."""

from __future__ import annotations

import pathlib
import re
import sys
import typing as t

import pytest
import yaml
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import RATE_MAX
from ansible_collections.dom0.xen.tests.tools import playbooks
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User

pytestmark = pytest.mark.timeout(600)

# The role, besides that of the moves, whose options a caller gives the playbook.
ROLES = {"apply": "", "evacuate": "evacuate", "maintain": "maintain", "plan": "", "rebalance": ""}
HOSTS = ("-e", "dom0s=xen1")
GIVEN: dict[str, tuple[str, ...]] = {
    "apply": ("-e", "plan_path=none.yml"),
    "evacuate": HOSTS,
    "maintain": HOSTS,
    "plan": HOSTS,
    "rebalance": (),
}


def booleans(options: t.Mapping[str, t.Any]) -> set[str]:
    """Return the options of a role that are true or false."""
    return {name for name, option in options.items() if option.get("type") == "bool"}


def checked(playbook: str) -> set[str]:
    """Return the variables that a playbook requires to be true or false."""
    first = yaml.safe_load((playbooks.PLAYBOOKS / f"{playbook}.yml").read_text(encoding="utf-8"))[0]
    found = [task["vars"]["dom0_booleans"] for task in first["tasks"] if "dom0_booleans" in task.get("vars", ())]
    assert len(found) == 1
    return set(found[0])


@pytest.mark.parametrize("playbook", ROLES)
def test_every_one_is_checked(playbook: str) -> None:
    """A new option is not forgotten: by the page of the playbooks, and by the specification of the role."""
    data = yaml.safe_load(playbooks.DATA.read_text(encoding="utf-8"))[playbook]["options"]
    options = {name for name, option in data.items() if option.get("default") in ("true", "false")}
    role = booleans(playbooks.options_of(ROLES[playbook])) if ROLES[playbook] else set()
    assert checked(playbook) == options | role


def test_those_of_the_moves_are_checked_everywhere() -> None:
    """As the role has them."""
    tasks = yaml.safe_load((playbooks.PLAYBOOKS / "tasks" / "values.yml").read_text(encoding="utf-8"))
    (task,) = (task for task in tasks if "__of_moves" in task.get("vars", ()))
    assert set(task["vars"]["__of_moves"]) == booleans(playbooks.options_of("migrate"))


NUMBERS = ("apply", "evacuate", "maintain")


def numbers(playbook: str) -> set[str]:
    """Return what a playbook requires to be a number."""
    first = yaml.safe_load((playbooks.PLAYBOOKS / f"{playbook}.yml").read_text(encoding="utf-8"))[0]
    (found,) = (task["vars"] for task in first["tasks"] if "dom0_booleans" in task.get("vars", ()))
    return set(found.get("dom0_numbers", ()))


@pytest.mark.parametrize("playbook", NUMBERS)
def test_every_number_is_checked(playbook: str) -> None:
    """By the page of the playbooks. What a module takes as it is, that refuses by itself."""
    data = yaml.safe_load(playbooks.DATA.read_text(encoding="utf-8"))[playbook]["options"]
    options = {name for name, option in data.items() if isinstance(option.get("default"), int)}
    assert numbers(playbook) == options - {"plan_vcpus_per_cpu"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts without guests."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    yield site
    assert site.down() == []


@pytest.mark.parametrize("playbook", ROLES)
def test_what_is_neither_is_refused(site: Site, tmp_path: pathlib.Path, playbook: str) -> None:
    """With the name of each variable; no host is asked before."""
    names = sorted(checked(playbook) | {"migrate_allow_plain"})
    given = [word for name in names for word in ("-e", f"{name}=maybe")]
    process = User(site, tmp_path).start(f"dom0.xen.{playbook}", *GIVEN[playbook], *given)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    for name in names:
        assert f"argument '{name}'" in log, log[-4000:]
    assert "'maybe' is not a valid boolean" in log and "Look at the dom0]" not in log and "Ask the dom0]" not in log


@pytest.mark.parametrize("playbook", NUMBERS)
def test_a_number_with_a_unit_is_refused(site: Site, tmp_path: pathlib.Path, playbook: str) -> None:
    """4h would be no time at all, or no limit: a run would close its hosts, and move nothing."""
    names = sorted(numbers(playbook))
    given = [word for name in names for word in ("-e", f"{name}=4h")]
    process = User(site, tmp_path).start(f"dom0.xen.{playbook}", *GIVEN[playbook], *given)
    log = " ".join(process.communicate(timeout=LIMIT_S)[0].split())
    assert process.returncode == 2, log[-4000:]
    for name in names:
        assert f"{name} is" in log and "without a unit" in log, log[-4000:]
    assert "Look at the dom0]" not in log


def test_what_the_playbooks_let_through_the_sender_takes() -> None:
    """It would refuse the rate only when the receiver is up."""
    (task,) = yaml.safe_load((playbooks.PLAYBOOKS / "tasks" / "rate_limit.yml").read_text(encoding="utf-8"))
    least, most = re.findall(r"\d+(?= <=)|(?<=< )\d+", task["ansible.builtin.assert"]["that"])
    assert (int(least), int(most) * 125_000) == (0, RATE_MAX)


def test_the_text_false_is_false(site: Site, tmp_path: pathlib.Path) -> None:
    """On the command line, and in a survey, everything is a text: a host that is empty stays closed."""
    texts = ("-e", "evacuate_open=false", "-e", "evacuate_take_over=False", "-e", "evacuate_make_room=no")
    log = User(site, tmp_path).run("dom0.xen.evacuate", *HOSTS, *texts)
    assert "xen1 is still closed to arrivals; to open it: " in log


@pytest.mark.parametrize(
    ("playbook", "rate"),
    [("migrate", "8M"), ("evacuate", "8M"), ("migrate", "inf"), ("migrate", "nan"), ("migrate", "-1")],
)
def test_a_rate_that_is_none_is_refused(site: Site, tmp_path: pathlib.Path, playbook: str, rate: str) -> None:
    """Nobody guesses whether 8M are bits or bytes; what is wanted is told with an example, before a host is asked."""
    given = {**GIVEN, "migrate": ("-e", "domain=centos", "-e", "destination=xen2")}[playbook]
    process = User(site, tmp_path).start(f"dom0.xen.{playbook}", *given, "-e", f"migrate_rate_limit={rate}")
    log = " ".join(process.communicate(timeout=LIMIT_S)[0].split())
    assert process.returncode == 2, log[-4000:]
    assert f'migrate_rate_limit is "{rate}". It is a number of Mbit/s below ' in log.replace("\\", ""), log[-4000:]
    assert ", without a unit: migrate_rate_limit=80 lets a move send" in log
    assert "Look at the dom0]" not in log
