# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts out of one: each is the same machine, seen by a Python that is shown something else of it.

To Ansible these are hosts of the inventory, whose interpreter is a script. What it changes ends with the module that it
runs, so that one run of a playbook can ask all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import typing as t
from collections.abc import Iterator, Mapping

from dom0lab import Host

from .world import ON_HOST

# /run is mounted so that nothing in it can be started.
FOLDER = "/var/lib/lab-views"
# Beside the scripts, which have the views' names.
MUTE, REFUSING = f"{FOLDER}/mute.socket", f"{FOLDER}/refusing.socket"
# A daemon that answers nobody must be none to the xl that is asked before.
_XL = 'unset XENSTORED_PATH\nexec /usr/sbin/xl "$@"'
_PYTHON = 'exec /usr/bin/python3 "$@"'


def instead_of(path: str, file: str) -> str:
    """What starts a Python that finds a file in the place of a program."""
    return f"exec unshare -m sh -c 'mount --bind {file} $(readlink -f {path}) && {_PYTHON}' sh \"$@\""


# Whoever looks for it finds nothing where it was: a file that is no program would be one that may not be run.
NO_XL = f"exec unshare -m sh -c 'mount -t tmpfs none /usr/sbin && {_PYTHON}' sh \"$@\""


@dataclasses.dataclass(frozen=True)
class View:
    """What stands for xl, the path of XenStore's socket, and what starts Python; each the usual one where empty."""

    xl: str = ""
    store: str = ""
    python: str = ""

    def files(self, name: str) -> dict[str, str]:
        """The scripts, by path."""
        lines = ["#!/bin/sh", f"export PATH={FOLDER}/{name}.bin:$PATH"]
        lines += [f"export XENSTORED_PATH={self.store}"] if self.store else []
        scripts = {f"{FOLDER}/{name}": "\n".join([*lines, self.python or _PYTHON, ""])}
        if self.xl or self.store:
            scripts[f"{FOLDER}/{name}.bin/xl"] = f"#!/bin/sh\n{self.xl}\n{_XL}\n"
        return scripts


def saying(*changes: str) -> str:
    """Lines for an xl that tells other things of the host; ``changes`` are for sed."""
    words = " ".join(f"-e {shlex.quote(change)}" for change in changes)
    return f'[ "$1" != info ] || {{ unset XENSTORED_PATH; /usr/sbin/xl "$@" | sed {words}; exit; }}'


@contextlib.contextmanager
def views(host: Host, wanted: Mapping[str, View]) -> Iterator[None]:
    """Have the scripts there, and the two daemons that are none."""
    files = {path: text for name, view in wanted.items() for path, text in view.files(name).items()}
    lines = [f"mkdir -p {' '.join(f'{FOLDER}/{name}.bin' for name in wanted)}"]
    lines += [f"printf %s {shlex.quote(text)} > {path} && chmod 755 {path}" for path, text in files.items()]
    try:
        host.run(" && ".join(lines))
        host.run(f"cat > {FOLDER}/store.py", stdin=(ON_HOST / "store.py").read_text())
        daemon = f"setsid python3 -I {FOLDER}/store.py {MUTE} {REFUSING} < /dev/null > {FOLDER}/ready 2>&1"
        alive = f"{{ kill -0 $(cat {FOLDER}/pid) || {{ cat {FOLDER}/ready >&2; exit 1; }}; }}"
        begun = f"until grep -qx ready {FOLDER}/ready; do {alive}; sleep 0.3; done"
        host.run(f"{{ {daemon} & }}; echo $! > {FOLDER}/pid; {begun}")
        yield
        # What it was asked for says nothing where it had ended.
        host.run(alive)
    finally:
        host.run(f"kill $(cat {FOLDER}/pid); rm -rf {FOLDER}", check=False)


def inventory(variables: Mapping[str, t.Any], wanted: Mapping[str, View]) -> dict[str, dict[str, t.Any]]:
    """Hosts for the inventory, from the ``variables`` of the one that they are."""
    return {name: {**variables, "ansible_python_interpreter": f"{FOLDER}/{name}"} for name in wanted}
