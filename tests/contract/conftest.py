# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pytest tests/contract [--site lab --lab-folder DIR]``: the double by default."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest

from .bench import Bench
from .sites import GUEST, DoubleSite, LabSite, Site


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of hosts."""
    group = parser.getgroup("contract")
    group.addoption("--site", choices=("double", "lab"), default="double", help="hosts to try the contract of xl on")
    group.addoption("--lab-folder", help="folder of a lab that is up (ssh_config, inventory.yml)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give emulated hosts more time than the limit for all tests."""
    if config.getoption("site") == "lab" and config.pluginmanager.hasplugin("timeout"):
        for item in items:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts."""
    if request.config.getoption("site") == "lab":
        folder = request.config.getoption("lab_folder") or os.environ.get("LAB_FOLDER")
        if not folder:
            raise pytest.UsageError("--site lab needs --lab-folder")
        made: Site = LabSite(pathlib.Path(folder))
    else:
        made = DoubleSite(tmp_path_factory.mktemp("double"), sys.executable)
    yield made
    made.down()


@pytest.fixture(scope="session")
def hosts(site: Site) -> Bench:
    """The hosts, with what tests do to them."""
    return Bench(site)


@pytest.fixture
def bench(hosts: Bench) -> Bench:
    """Hosts where the guest runs on the source, and nothing else anywhere."""
    hosts.ready()
    return hosts


@pytest.fixture(scope="session")
def saved(hosts: Bench) -> str:
    """Path of a stream on the source: the guest as ``xl save`` wrote it."""
    hosts.ready()
    path = f"{hosts.source.folder}/guest.save"
    done = hosts.source.run("xl", "save", GUEST, path)
    if done.status:
        raise RuntimeError(done.stderr)
    return path


@pytest.fixture
def empty(hosts: Bench, saved: str) -> Bench:
    """Hosts without any guest."""
    hosts.clear(hosts.source)
    hosts.clear(hosts.destination)
    return hosts
