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


APK = """#!/bin/sh
echo "$*" >>"{called}"
[ -e "{repository}" ] || {{ echo "ERROR: repository: temporary error (try again later)" >&2; exit 1; }}
pretend= wanted=
for word; do case "$word" in --simulate) pretend=yes ;; py3-*) wanted="$wanted $word" ;; esac; done
for name in $wanted; do
    [ -e "{repository}/$name" ] && continue
    printf "ERROR: unable to select packages:\\n  %s (no such package)\\n" "$name" >&2
    exit 1
done
for name in $wanted; do
    echo "(1/1) Installing $name"
    [ "$pretend" ] || cp -RP "{repository}/$name" "{packages}/${{name#py3-}}"
done
"""


class Alpine:
    """A host with apk, which installs all packages that it is given, or none where it does not know one of them."""

    def __init__(self, folder: pathlib.Path, *known: str, installed: bool = False, down: bool = False) -> None:
        """Of ``known`` packages none is installed, but pyxs may be. ``down``: the repository does not answer."""
        self.folder = folder
        self.packages, self.called, repository = folder / "packages", folder / "called", folder / "repository"
        self.site = Site(folder / "double")
        self.site.up(["xen1"], python=str(interpreter(folder, with_pyxs=installed)))
        if not down:
            repository.mkdir()
        for name in () if down else known:
            if name == "py3-pyxs":
                (repository / name).symlink_to(pathlib.Path(pyxs.__file__).parent)
            else:
                (repository / name).mkdir()
        apk = self.site["xen1"].paths.bin / "apk"
        apk.write_text(APK.format(called=self.called, repository=repository, packages=self.packages))
        apk.chmod(0o755)

    def prepare(self, *arguments: str) -> tuple[int, str]:
        """Run the playbook; return its exit status and its log. A package of pyxs is known to it here."""
        known = ("-e", '{"prepare_packages": {"Alpine": ["py3-pyxs"]}}', "-e", distribution("Alpine", "apk"))
        process = User(self.site, self.folder).start("dom0.xen.prepare", *known, *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        return process.returncode, log

    @property
    def calls(self) -> list[str]:
        """What the package manager was asked to add, in all runs."""
        return [line.removeprefix("add --no-progress ") for line in self.called.read_text().splitlines()]

    @property
    def has(self) -> list[str]:
        """The libraries that are there now."""
        return sorted(path.name for path in self.packages.iterdir() if path.name != "__pycache__")


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
    assert ("is known for paramiko. " in log) is wanted and "Warning" not in log, log
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
    host = Alpine(tmp_path, "py3-pyxs", "py3-paramiko", "py3-zstandard", installed=True)
    status, log = host.prepare("-e", "prepare_ssh=true")
    assert host.site.down() == []
    assert status == 0 and "changed=2 " in log and "Warning" not in log, log
    assert host.calls == ["py3-paramiko", "py3-zstandard"]
    assert host.has == ["paramiko", "pyxs", "zstandard"]


def test_a_package_for_another_python_is_told(tmp_path: pathlib.Path) -> None:
    """It is there for the package manager. Without paramiko there is no transport ssh; without zstandard all works."""
    host = Alpine(tmp_path, "py3-paramiko", "py3-zstandard", installed=True)
    apk = host.site["xen1"].paths.bin / "apk"
    apk.write_text(f'#!/bin/sh\necho "$@" >>{host.called}\necho OK: 9 MiB in 5 packages\n')
    status, log = host.prepare()
    failed, ssh_log = host.prepare("-e", "prepare_ssh=true")
    assert host.site.down() == []
    assert status == 0 and "changed=0" in log, log
    assert "Warning: xen1: the package of zstandard is installed, but Python" in log
    assert failed == 2 and "does not find paramiko" in ssh_log, ssh_log


def test_a_distribution_without_zstandard_is_prepared_all_the_same(tmp_path: pathlib.Path) -> None:
    """In one call with what moves need, apk would install nothing at all. The next run does not call it a change."""
    host = Alpine(tmp_path, "py3-pyxs", "py3-paramiko")
    status, log = host.prepare("-e", "prepare_ssh=true")
    again, later = host.prepare("-e", "prepare_ssh=true")
    assert host.site.down() == []
    assert host.has == ["paramiko", "pyxs"]
    assert host.calls == ["py3-pyxs py3-paramiko", "py3-zstandard", "py3-zstandard"]
    for returned, text, changed in ((status, log, 1), (again, later, 0)):
        assert returned == 0 and f"changed={changed} " in text and "failed=0" in text, text
        assert "fatal:" not in text and "[ERROR]" not in text and "ignored=0" in text
        assert "Warning: xen1: apk could not install py3-zstandard: ERROR: unable to select packages: py3-" in text
        assert "take several times as long" in text and "/opt/dom0-xen/bin/pip install zstandard" in text


WHY = "ERROR: repository: temporary error (try again later). "


def test_a_repository_that_is_down_fails_what_moves_need(tmp_path: pathlib.Path) -> None:
    """It says what the package manager said, and what to do. Nobody waits for zstandard before that."""
    host = Alpine(tmp_path, down=True)
    status, log = host.prepare()
    assert host.site.down() == []
    assert status == 2 and "failed=1" in log, log
    assert host.calls == ["py3-pyxs"]
    assert f"xen1: apk could not install py3-pyxs: {WHY}Without pyxs the host is not prepared. " in log
    assert "/opt/dom0-xen/bin/pip install pyxs" in log and "Warning" not in log


def test_a_repository_that_is_down_does_not_fail_what_is_good_to_have(tmp_path: pathlib.Path) -> None:
    """What it takes is there. zypper's calls count as a change unless it says otherwise, but not when they fail."""
    host = Alpine(tmp_path, installed=True, down=True)
    programs = host.site["xen1"].paths.bin
    (programs / "apk").rename(programs / "zypper")
    status, log = host.prepare("-e", distribution("Suse", "zypper"))
    assert host.site.down() == []
    assert status == 0 and "failed=0" in log and "changed=0" in log, log
    assert f"Warning: xen1: zypper could not install python3-zstandard: {WHY}Moves work without" in log


@pytest.mark.parametrize("known", [True, False])
def test_check_mode_says_what_would_be_installed(tmp_path: pathlib.Path, known: bool) -> None:
    """A command that check mode leaves out would count as no change, and never tell of a package that is not there."""
    host = Alpine(tmp_path, "py3-pyxs", *(["py3-zstandard"] if known else []))
    status, log = host.prepare("--check")
    assert host.site.down() == []
    assert host.has == []
    assert host.calls == ["--simulate py3-pyxs", "--simulate py3-zstandard"]
    assert status == 0 and f"changed={2 if known else 1} " in log, log
    assert ("Warning: xen1: apk could not install py3-zstandard" in log) is not known


DNF = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"name": {"type": "list", "elements": "str"}, "state": {}}, supports_check_mode=True)
failures = [f"No package {name} available." for name in module.params["name"]]
module.fail_json(msg="Failed to install some of the specified packages", failures=failures, rc=1)
"""


@pytest.mark.parametrize(("manager", "check"), [("dnf", ()), ("atomic_container", ("--check",))])
def test_a_module_that_fails_or_is_not_there_is_a_warning(
    tmp_path: pathlib.Path, manager: str, check: tuple[str, ...]
) -> None:
    """ansible-core has a module for dnf, and none for hosts that are images (Fedora calls them atomic)."""
    site = Site(tmp_path / "double")
    site.up(["xen1"], python=str(interpreter(tmp_path, with_pyxs=True)))
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "dnf.py").write_text(DNF)
    more = ("-e", distribution("RedHat", manager), "-e", f"ansible_package_use={manager}", *check)
    process = User(site, tmp_path).start("dom0.xen.prepare", *more, ANSIBLE_LIBRARY=str(modules))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert site.down() == []
    assert process.returncode == 0 and "changed=0" in log and "failed=0" in log, log
    why = (
        "No package python3-zstandard available. Moves" if manager == "dnf" else "Could not find a matching action for"
    )
    assert f"Warning: xen1: {manager} could not install python3-zstandard: " in log and why in log, log


def test_where_no_package_of_zstandard_is_known_that_is_told(tmp_path: pathlib.Path) -> None:
    """A host can do without, so nothing fails, and nothing is called."""
    host = Alpine(tmp_path, installed=True)
    status, log = host.prepare("-e", distribution("Gentoo", "apk"))
    assert host.site.down() == []
    assert status == 0 and not host.called.exists(), log
    assert "Warning: xen1: no package of Gentoo is known for zstandard. Moves work without" in log
