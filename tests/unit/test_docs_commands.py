# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that a page shows calls a playbook that there is, with variables that it takes, and is run by a test.

What runs it types it letter by letter: ``type`` and ``on`` of ``playbooks/reader.py``. ``shown.py`` finds both.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools import playbooks
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS, ROOT
from ansible_collections.dom0.xen.tests.unit.shown import PAGES, commands, inline, typed

DATA = yaml.safe_load(playbooks.DATA.read_text(encoding="utf-8"))
NAMES = {path.stem for path in playbooks.PLAYBOOKS.glob("*.yml")}
COMMAND = re.compile(r"ansible-playbook[^\n`]*?\bdom0\.xen\.(\w+)((?:[^\n`\\]|\\\n)*)")


def taken(name: str) -> set[str]:
    """Return the variables that a playbook takes."""
    read = playbooks.reads(name)
    found = set(DATA[name]["options"]).union(*read.of_roles.values())
    for role, given in read.runs.items():
        found |= set(playbooks.options_of(role)) - given
    return found


TAKEN = {name: taken(name) for name in NAMES}


def _name(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_call_what_there_is(page: pathlib.Path) -> None:
    """Pages are copied from, and a variable that no playbook reads changes nothing without a word."""
    wrong = []
    for name, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
        if name not in NAMES:
            wrong.append(f"dom0.xen.{name}")
            continue
        given = set(re.findall(r"-e (\w+)=", rest)) | set(re.findall(r"-e '?\{\"(\w+)\"", rest))
        wrong += [f"dom0.xen.{name} -e {variable}" for variable in sorted(given - TAKEN[name])]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_variables_are_those_of_some_playbook(page: pathlib.Path) -> None:
    """What stands behind -e alone, as in a table of what to add, is a variable too."""
    known = set().union(*TAKEN.values()) | {"NAME", "VARIABLE"}
    assert set(re.findall(r"-e (\w+)=", page.read_text(encoding="utf-8"))) <= known


def test_commands_are_found() -> None:
    """A pattern that finds nothing finds no fault."""
    found = COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(found) > 4
    assert ("migrate", " -e domain=centos -e destination=xen2 --check") in found


# What no test types, by how it begins, and why.
NOT_TYPED = {
    "make ": "is run by CI or the lab; that there is such a target is looked at here",
    "tests/lab/lab ": "needs the hosts in QEMU; the lab's own tests run it",
    "ansible-playbook -i build/lab/inventory.yml ": "needs the hosts in QEMU; the demo makes this move",
    "git ": "fetches this repository, or publishes a release",
    "cd ": "changes the folder, for what follows",
    "pipx install ": "fetches from the package index",
    "ansible-galaxy collection install ./dom0.xen": "tests/tools/package.py installs what is built from a checkout",
    "ansible-galaxy collection install dom0.xen": "is not on Galaxy yet",
    "ansible-galaxy collection install awx.awx": "fetches from Galaxy",
    "ansible-builder build ": "builds an image, which needs a container engine",
    "ansible-playbook -i localhost, configure.yml": "test_awx_configure.py runs it against what stands for AWX",
    "export CONTROLLER_HOST=": "is for the line before",
    "curl ": "needs an AWX",
    "useradd ": "makes an account; the move that uses it is typed with another one",
    "python3 -m venv ": "makes a folder in /opt",
    "/opt/dom0-xen/bin/pip install pyxs": "fetches from the package index",
    ". .venv/bin/activate": "is what tests run with",
    "antsibull-changelog ": "test_release.py runs it in a copy",
    "ansible-galaxy collection build ": "tests/tools/package.py builds it",
    "ansible-galaxy collection publish ": "publishes a release",
    "ansible-doc ": "is run here, once for each",
    "ansible-config dump": "is run here",
}
SHOWN = {command for page in PAGES for command in (*commands(page), *inline(page))}
TYPED = typed()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _excepted(command: str) -> bool:
    return any(command.startswith(beginning) for beginning in NOT_TYPED)


def test_every_command_is_run_by_a_test() -> None:
    """A command that nothing runs rots: type it in a test beside those of its subject, or say above why not."""
    assert sorted(command for command in SHOWN - TYPED.keys() if not _excepted(command)) == []


def test_what_make_test_leaves_out_types_nothing(tmp_path: pathlib.Path) -> None:
    """A command would rot all the same where only a test marked long types it, itself or by a function of its own."""
    helper = "def helper(reader):\n    reader.type('{}')\n\n\n"
    long = "@pytest.mark.long\ndef test_long(reader):\n    reader.type('marked')\n    helper(reader)\n\n\n"
    other = "def test_other(reader):\n    reader.on('xen1', 'typed'){}\n"
    (tmp_path / "test_a.py").write_text(helper.format("of marked") + long + other.format(""))
    (tmp_path / "test_b.py").write_text(helper.format("of both") + long + other.format("\n    helper(reader)"))
    (tmp_path / "test_c.py").write_text("pytestmark = [pytest.mark.long]\n" + other.format(""))
    assert typed(tmp_path) == {"typed": "test_b.py", "of both": "test_b.py"}


def test_what_tests_type_stands_on_a_page() -> None:
    """Else it is not what readers copy any more. Neither is there an exception for what no page shows."""
    assert {command: file for command, file in TYPED.items() if command not in SHOWN} == {}
    assert [each for each in NOT_TYPED if not any(command.startswith(each) for command in SHOWN)] == []


def test_targets_are_those_of_the_makefile() -> None:
    """Of each ``make`` in a sentence, too."""
    named = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"(?:`|^ *)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 20
    assert {each for each in named if each[1] not in TARGETS} == set()


@pytest.mark.parametrize("command", sorted(each for each in SHOWN if re.match("ansible-(doc|config) ", each)))
def test_what_is_to_be_read_is_there(command: str, tmp_path: pathlib.Path) -> None:
    """Pages leave the rest to the manual pages that Ansible makes."""
    program, *words = command.split()
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    env |= {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(tmp_path), "PAGER": "cat"}
    run = [sys.executable, "-m", f"ansible.cli.{program.partition('-')[2]}", *words]
    done = subprocess.run(run, env=env, cwd=tmp_path, check=False, capture_output=True, text=True)
    # But for a folder of ansible-core's own, which has no version.
    warnings = [each for each in done.stderr.split("[WARNING]: ")[1:] if "_protomatter" not in each]
    assert done.returncode == 0 and warnings == [], done.stderr
    assert "dom0.xen" in done.stdout or program == "ansible-config"
