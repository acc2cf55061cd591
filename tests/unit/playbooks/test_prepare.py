# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preparing hosts says which of them cannot take part."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest
import pyxs
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User

pytestmark = pytest.mark.timeout(600)


def interpreter(folder: pathlib.Path, *, with_pyxs: bool) -> pathlib.Path:
    """Return a Python that has no packages, or pyxs alone."""
    packages, python = folder / "packages", folder / "python"
    packages.mkdir()
    if with_pyxs:
        (packages / "pyxs").symlink_to(pathlib.Path(pyxs.__file__).parent)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{sys.executable}" -S "$@"\n')
    python.chmod(0o755)
    return python


def distribution(family: str, manager: str) -> str:
    """Return the variable that stands for what a host of this kind says of itself: it is not asked then."""
    facts = {"ansible_os_family": family, "ansible_distribution": family, "ansible_pkg_mgr": manager}
    return json.dumps({"__prepare_distribution": {"ansible_facts": facts}})


def test_a_host_that_cannot_take_part_fails_and_is_named(tmp_path: pathlib.Path) -> None:
    """A host that has everything is not changed; one without Xen is not called ready."""
    site = Site(tmp_path / "double")
    site.up(["xen1"], python=sys.executable)
    bare = tmp_path / "bare.ini"
    bare.write_text(f"[dom0]\nbare ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    process = User(site, tmp_path).start("dom0.xen.prepare", "-i", str(bare))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert site.down() == []
    assert process.returncode == 2, log
    recap = {line.split()[0]: line for line in log.splitlines() if "unreachable=" in line}
    assert "failed=1" in recap["bare"]
    assert "failed=0" in recap["xen1"] and "changed=0" in recap["xen1"]
    failures = [line for line in log.splitlines() if "failed: [bare]" in line or '"msg": "bare: ' in line]
    assert any("bare: " in line and "Remedy: " in line for line in failures), log


@pytest.mark.parametrize(("given", "wanted"), [("true", True), ("false", False), ("no", False)])
def test_paramiko_is_installed_only_when_asked_for(tmp_path: pathlib.Path, given: str, wanted: bool) -> None:
    """On the command line every value is a text, also the one that says no. No host has its package here."""
    python = interpreter(tmp_path, with_pyxs=True)
    site = Site(tmp_path / "double")
    site.up(["xen1"], python=str(python))
    more = ("-e", f"prepare_ssh={given}", "-e", '{"prepare_ssh_packages": {}}', "-e", "prepare_compression=false")
    process = User(site, tmp_path).start("dom0.xen.prepare", *more)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert site.down() == []
    assert ("is known for paramiko. " in log) is wanted, log
    assert process.returncode == (2 if wanted else 0), log


@pytest.mark.parametrize("family", ["Alpine", "Suse", "Archlinux"])
def test_where_no_package_is_known_it_says_how_to_install_it(tmp_path: pathlib.Path, family: str) -> None:
    """These distributions have no package of pyxs, and their own tool would only say that it knows none."""
    site = Site(tmp_path / "double")
    site.up(["xen1"], python=str(interpreter(tmp_path, with_pyxs=False)))
    process = User(site, tmp_path).start("dom0.xen.prepare", "-e", distribution(family, "none"))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert site.down() == []
    assert process.returncode == 2, log
    assert f"no package of {family} is known for pyxs. " in log and "/opt/dom0-xen/bin/pip install pyxs" in log, log


def test_a_package_manager_without_a_module_is_called_by_name(tmp_path: pathlib.Path) -> None:
    """ansible-core has none for apk; what is there already is not asked for again."""
    site = Site(tmp_path / "double")
    site.up(["xen1"], python=str(interpreter(tmp_path, with_pyxs=True)))
    called = tmp_path / "called"
    apk = site["xen1"].paths.bin / "apk"
    apk.write_text(f'#!/bin/sh\necho "$@" >>{called}\necho "(1/2) Installing py3-paramiko"\n')
    apk.chmod(0o755)
    more = ("-e", "prepare_ssh=true", "-e", distribution("Alpine", "apk"))
    process = User(site, tmp_path).start("dom0.xen.prepare", *more)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert site.down() == []
    assert called.exists(), log
    assert called.read_text().splitlines() == ["add --no-progress py3-paramiko py3-zstandard"]
    assert "changed=1" in log
    assert process.returncode == 2 and "does not find paramiko" in log


@pytest.mark.parametrize("family", ["Alpine", "Gentoo"])
def test_zstandard_is_installed_where_its_package_is_known(tmp_path: pathlib.Path, family: str) -> None:
    """A host can do without: where nothing is known of its package, or it is for another Python, nothing fails."""
    site = Site(tmp_path / "double")
    site.up(["xen1"], python=str(interpreter(tmp_path, with_pyxs=True)))
    called = tmp_path / "called"
    apk = site["xen1"].paths.bin / "apk"
    apk.write_text(f'#!/bin/sh\necho "$@" >>{called}\n')
    apk.chmod(0o755)
    process = User(site, tmp_path).start("dom0.xen.prepare", "-e", distribution(family, "apk"))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert site.down() == []
    if family == "Gentoo":
        assert process.returncode == 0 and not called.exists(), log
    else:
        assert called.read_text().splitlines() == ["add --no-progress py3-zstandard"]
        # As where the package is for another Python than the one in use.
        assert process.returncode == 0 and "changed=0" in log, log
        assert "Warning: xen1: the package of zstandard is installed, but Python" in log
