# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts are made to be for a while: with domains that never run, without a bridge, under an xl save."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from dom0lab import Host

OTHER_UUID = "0ddba11e-0000-4000-8000-000000000001"
# The second word of a command line is xl's command once the shell, and Debian's wrapper, have become xl.
_SAVES = "until tr '\\0' '\\n' < /proc/$(cat /run/lab-hand)/cmdline | sed -n 2p | grep -qx save; do sleep 0.3; done"


@contextlib.contextmanager
def paused(host: Host, name: str, text: str) -> Iterator[None]:
    """A domain that is created and never runs."""
    host.run(f"cat > /run/{name}.cfg && xl create -p -q /run/{name}.cfg", stdin=text)
    try:
        yield
    finally:
        host.run(f"xl destroy $(xl domid {name}); rm /run/{name}.cfg")


@contextlib.contextmanager
def bridge_renamed(host: Host, old: str, new: str) -> Iterator[None]:
    """A host that calls the bridge that the guest's network card is on by another name."""
    rename = "ip link set {0} down && ip link set {0} name {1} && ip link set {1} up"
    host.run(rename.format(old, new))
    try:
        yield
    finally:
        host.run(rename.format(new, old))


def card_less(text: str) -> str:
    """A configuration without its network card, so that it needs no bridge."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("vif"))


@contextlib.contextmanager
def being_saved(host: Host, name: str) -> Iterator[None]:
    """Somebody's xl save, which waits for whoever reads its file before it does anything to the domain.

    xl opens the file before it calls libxl (tools/xl/xl_saverestore.c save_domain), and a FIFO without a reader holds
    it there.
    """
    host.run("mkfifo /run/lab-fifo")
    silent = subprocess.DEVNULL
    save = f"echo $$ > /run/lab-hand; exec xl save {name} /run/lab-fifo"
    process = host.start(save, stdin=silent, stdout=silent, stderr=silent)
    try:
        host.run(["timeout", "60", "bash", "-c", f"until test -s /run/lab-hand; do sleep 0.3; done; {_SAVES}"])
        yield
    finally:
        host.run("kill -KILL $(cat /run/lab-hand); rm /run/lab-fifo /run/lab-hand")
        process.wait(60)
