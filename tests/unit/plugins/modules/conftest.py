# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the double, for modules that change something."""

from __future__ import annotations

import pathlib
import sys
import tempfile
import typing as t

import pytest
from ansible.module_utils.common import warnings
from dom0_double.driver import commands
from dom0_double.driver.fixture import MakeSite, make_site

from ansible_collections.dom0.xen.plugins.module_utils._saving import save
from ansible_collections.dom0.xen.tests.unit.plugins.modules.restoring import Restoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import Saving

__all__ = ["make_site"]

MakeSaving = t.Callable[..., Saving]
MakeRestoring = t.Callable[..., Restoring]


@pytest.fixture(autouse=True)
def no_warnings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module's warnings are kept for the whole process, which is several modules here.

    Once a test has imported anything of the controller's, ansible-core shows warnings instead of returning them.
    """
    monkeypatch.setattr(warnings, "_global_warnings", {})
    internal = sys.modules.get("ansible.module_utils._internal")
    if internal is not None:
        monkeypatch.setattr(internal, "is_controller", False)


@pytest.fixture(name="make_saving")
def make_host(
    make_site: MakeSite,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> t.Iterator[MakeSaving]:
    """Return a function that makes a host with settings of the double, where the module runs in this process."""
    (tmp_path / "images").mkdir()
    # Each save that fails early leaves somebody watching for so long.
    monkeypatch.setattr(save, "_WATCH_S", 1.0)
    made: list[Saving] = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:

        def make(**settings: t.Any) -> Saving:
            host = make_site("xen1", **settings)["xen1"]
            for name, value in commands.environment(host.paths).items():
                monkeypatch.setenv(name, value)
            made.append(Saving(host, tmp_path / "images", f"{memory}/dom0-xen", capsys))
            return made[-1]

        yield make
        for saving in made:
            saving.wait()


@pytest.fixture
def saving(make_saving: MakeSaving) -> Saving:
    """A host where a guest has a second to suspend."""
    return make_saving(suspend_timeout_s=1.0)


@pytest.fixture
def make_restoring(make_saving: MakeSaving) -> MakeRestoring:
    """Return a function that makes a host with settings of the double, and starts a guest there and saves it."""

    def make(
        options: t.Mapping[str, t.Any] | None = None, guest: t.Mapping[str, t.Any] | None = None, **settings: t.Any
    ) -> Restoring:
        restoring = Restoring(make_saving(**settings))
        restoring.save(guest or {}, options or {})
        return restoring

    return make


@pytest.fixture
def restoring(make_restoring: MakeRestoring) -> Restoring:
    """A host with the image of a guest that was saved there and is gone."""
    return make_restoring()
