# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who types what a page shows, letter by letter, in a folder that has the files of which the page speaks."""

from __future__ import annotations

import pathlib
import re
import shlex

import yaml
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User

_PROGRAMS = {"ansible": "adhoc", "ansible-playbook": "playbook"}
# Where pages put files on a host or on the controller.
_PLACES = re.compile(r"(?<![\w./])/(?=(?:srv|root|tmp|var/tmp)/)")
# Modules that ask for the places of sessions; a playbook gives them what the inventory has, a person has nothing to.
_RUNTIME, _JOURNAL = "runtime_path={{ dom0_xen_runtime_path }}", "journal_path={{ dom0_xen_journal_path }}"
_GIVEN_PLACES = {
    **dict.fromkeys(("domain_save", "host_info", "migration_info"), f"{_RUNTIME} {_JOURNAL}"),
    "host_arrivals": _JOURNAL,
}


class Reader(User):
    """Somebody who reads the documentation, and types."""

    def __init__(self, site: Site, folder: pathlib.Path, **groups: str) -> None:
        """``groups`` of the inventory besides ``dom0``, each the names of its hosts with spaces between."""
        super().__init__(site, folder)
        #: What stands on pages for what everybody has another one of.
        self.stands_for = {"UUID": GUEST, "HOST": "xen1", "NAME": "centos"}
        self.typed: list[str] = []
        hosts = yaml.safe_load(site.inventory.read_text())["dom0"]["hosts"]
        lines = ["[dom0]", *(" ".join([name, *(f"{k}={v}" for k, v in has.items())]) for name, has in hosts.items())]
        for group, names in groups.items():
            lines += [f"[{group}]", *names.split()]
        (folder / "hosts.ini").write_text("\n".join([*lines, ""]))
        for place in ("srv/saved", "srv/gate", "srv/plans", "root", "tmp", "var/tmp"):
            (folder / place).mkdir(parents=True)

    def filled(self, text: str) -> str:
        """Return a command with what its words in capitals stand for."""
        for word, value in self.stands_for.items():
            text = re.sub(rf"\b{word}\b", value, text)
        return text

    def type(self, command: str, *more: str, status: int = 0) -> str:
        """Type a command of Ansible's, and ``more`` that this machine needs; return the log without line breaks."""
        self.typed.append(command)
        program, *words = shlex.split(self.filled(command))
        words = [_PLACES.sub(f"{self.folder}/", word) for word in words]
        if program == "ansible":
            words = _at_home(words)
        process = self.command(_PROGRAMS.get(program) or program.partition("-")[2], *words, *more)
        log = process.communicate(timeout=2 * LIMIT_S)[0]
        assert process.returncode == status, log[-6000:]
        return " ".join(log.split())

    def on(self, host: str, line: str, status: int | None = 0) -> str:
        """Type a line in a shell of a host, whose sessions are where the double has them; return what it says.

        It has to end with ``status``; None, where that depends on what there is to be found.
        """
        paths = self.site[host].paths
        here = {"/var/lib/dom0-xen": paths.lib / "dom0-xen", "/run/dom0-xen": paths.run.resolve() / "dom0-xen"}
        text = self.filled(line)
        for path, own in here.items():
            text = text.replace(path, str(own))
        done = self.site[host].run("sh", "-c", text)
        assert status in (None, done.status), done
        return done.stdout


def _at_home(words: list[str]) -> list[str]:
    """Return the words of a command of ``ansible`` for hosts that are processes of this user."""
    module = words[words.index("-m") + 1].rpartition(".")[2]
    words = [word for word in words if word != "-b"]
    if places := _GIVEN_PLACES.get(module):
        if "-a" not in words:
            words += ["-a", ""]
        words[words.index("-a") + 1] += f" {places}"
    return words
