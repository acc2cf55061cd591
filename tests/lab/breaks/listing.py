# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can break, and when: the list of faults (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dom0lab.guest_disk import USUAL

SOURCE, DESTINATION, CONTROLLER, LINK = "source", "destination", "controller", "link"

# Patterns for pkill -f; the bracket keeps it from finding the shell that it is started by.
PROCESSES = {
    "sender": (SOURCE, "[_]session.daemon.* sender "),
    "receiver": (DESTINATION, "[_]session.daemon.* receiver "),
    "xl-migrate": (SOURCE, "[x]l migrate -s"),
    "xl-receive": (DESTINATION, "[m]igrate-receive"),
    "source-helper": (SOURCE, "[l]ibxl-save-helper"),
    "destination-helper": (DESTINATION, "[l]ibxl-save-helper"),
}
# Longer than any limit that a move of the campaign is given.
HANGS_S = 45
# By ansible-playbook, as every kill of the controller: a process, the link and the power once each, at three moments.
PLAYBOOK = ("kill-sender@suspend", "cut-link@gate", "power-destination@commit")
HELPERS = ("source-helper", "destination-helper")
# When, and the host that shows it. The gate is held by the controller only at "gate" and after it.
MOMENTS = {
    "start": SOURCE,
    "memory": SOURCE,
    "suspend": SOURCE,
    "gate": SOURCE,
    "commit": DESTINATION,
    "report": SOURCE,
}


# Bash waits for what never comes, since an emulated host takes a tenth of a second for each program that is started.
_REST = "exec 9<> <(:); rest() { read -rt 0.2 -u 9 || true; }; "


def _status(pattern: str) -> str:
    return (
        f"{_REST}seen() {{ local file text; for file in /run/dom0-xen/*.sender/status.json; do "
        f"{{ read -rd '' text <\"$file\"; }} 2>/dev/null; [[ $text =~ $1 ]] && return; done; return 1; }}; "
        f"until seen '{pattern}'; do rest; done"
    )


def _journal(role: str, step: str) -> str:
    there = f'{_REST}until set -- /var/lib/dom0-xen/*.{role}/journal && [ -e "$1" ]; do rest; done'
    return f'{there}; grep -qm1 \'"step":"{step}\' < <(tail --pid=$$ -n +1 -f "$1")'


FULL = "/var/lib/full"
# The blocks that are kept for root as well, until not one is left.
_FILL = (
    f"n=$(df --output=avail -B1 {FULL.rpartition('/')[0]} | tail -n 1); i=0; while [ $n -ge 4096 ]; do "
    f"fallocate -l $n {FULL}.$i 2>/dev/null && i=$((i + 1)) || n=$((n / 2)); done; "
    f"! dd if=/dev/zero of={FULL}.none bs=4k count=1 conv=fsync 2>/dev/null"
)


# What waits for it in a bash on the host that shows it. A poll would take the only processor from a guest that stands
# still, and no status is written then: the suspend is seen in XenStore (the first event only says that it is watched).
SIGNS = {
    "start": "true",
    "memory": _status('"phase": *"streaming"'),
    "suspend": f"xenstore-watch -n 2 /local/domain/$(xl domid {USUAL.name})/control/shutdown",
    "gate": _status('"waits": *true'),
    "commit": _journal("receiver", 'commit"'),
    "report": _journal("sender", "reported"),
}


@dataclass(frozen=True)
class Fault:
    """``kind`` (kill, hang, power, mute, full, cut, blink) of ``target``, when ``moment`` is seen."""

    kind: str
    target: str
    moment: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.target}@{self.moment}"

    @property
    def host(self) -> str:
        """Where it is done: source, destination, controller or link."""
        return PROCESSES[self.target][0] if self.target in PROCESSES else self.target

    def command(self, peer: str) -> str | None:
        """What does it in a shell on its host, whose peer has this address; None for what is done outside the hosts."""
        if self.kind == "mute":
            # Frames to an address that nobody has: one direction is gone, the other one stays.
            return f"ip neigh replace {peer} lladdr 02:00:00:00:00:99 nud permanent dev xenbr0"
        if self.kind == "full":
            return _FILL
        pattern = PROCESSES.get(self.target, ("", ""))[1]
        if self.kind == "kill" and pattern:
            return f"pkill -KILL -f '{pattern}'"
        if self.kind == "hang":
            wake = f"sleep {HANGS_S}; pkill -CONT -f '{pattern}'"
            return f"pkill -STOP -f '{pattern}' && {{ setsid sh -c \"{wake}\" </dev/null >/dev/null 2>&1 & }}"
        return None

    @property
    def at_once(self) -> bool:
        """Whether the host that shows the moment does it too, without a way through the controller."""
        return self.host == MOMENTS[self.moment]

    @property
    def holds_gate(self) -> bool:
        """Whether the controller holds the gate."""
        return self.moment == "gate"

    @property
    def playbook(self) -> bool:
        """Whether ansible-playbook does the move and the settling, which takes three times as long."""
        return self.host == CONTROLLER or str(self) in PLAYBOOK

    @property
    def takes_the_guest(self) -> bool:
        """Whether the host without power has the only copy that is any good, so that the guest may be gone with it.

        At the gate both have one: the source's counts, and when it is gone the guest goes on in the destination's.
        """
        owners = {"gate": None, "commit": DESTINATION, "report": DESTINATION}
        return self.kind == "power" and self.host == owners.get(self.moment, SOURCE)


def faults() -> list[Fault]:
    """Every fault, those of one moment together.

    The helpers of a save are gone when the memory is over, of an idle guest within milliseconds of its suspend. A disk
    fills up before the journals' last blocks are begun, which have room for all that follows: a record that cannot be
    written is for the campaign on the double.
    """
    found = [*(Fault("full", host, "start") for host in (SOURCE, DESTINATION)), Fault("cut", LINK, "start")]
    for moment in list(MOMENTS)[1:]:
        found += [Fault("kill", name, moment) for name in PROCESSES if moment == "memory" or name not in HELPERS]
        found.append(Fault("kill", CONTROLLER, moment))
        found += [Fault(kind, LINK, moment) for kind in ("cut", "blink")]
        found += [Fault(kind, host, moment) for kind in ("power", "mute") for host in (SOURCE, DESTINATION)]
        found += [Fault("hang", name, moment) for name in ("sender", "receiver")]
        found += [Fault("full", host, moment) for host in (SOURCE, DESTINATION) if moment == "memory"]
    return found


def chosen(everything: Iterable[Fault], names: Iterable[str], limit: int | None) -> list[Fault]:
    """Those whose name has one of the texts (all without a text), and not more than ``limit``."""
    texts = list(names)
    found = [one for one in everything if not texts or any(text in str(one) for text in texts)]
    return found[:limit]
