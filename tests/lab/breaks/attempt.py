# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault: a move, the break at its moment, one run that settles, and the judgement."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import time
import typing as t
from pathlib import Path

from cases.plays import A_RUN_S, Running
from cases.world import MIGRATE
from dom0_faults.rounds import Settled, Silent
from dom0lab import Host, LabError, Observation
from proof.playbook import ROOT

from . import listing
from .direct import Move
from .field import Field
from .hands import Hand
from .listing import Fault
from .verdict import Verdict, conclude

GATE = Path(__file__).resolve().parents[1] / "cases" / "gate"
LIMITS: dict[str, t.Any] = {"migrate_link_timeout": 10, "migrate_stop_link_timeout": 10, "migrate_silence_timeout": 20}
KEPT = ROOT / "build" / "faults" / "lab"
BLINK_S = 3
# Every question costs the emulated hosts time, which is missing for what they should do.
ASK_S = 0.2
DAEMONS_S = 30
# What a guest takes to boot on a host that has just booted itself.
BOOT_S = 240
SETTLE = "dom0.xen.settle"


class Controller(t.Protocol):
    """Who moves the domain, and settles what is left of it."""

    def start(self) -> None:
        """Begin the move."""

    def kill(self) -> None:
        """Kill the controller."""

    def end(self) -> tuple[int | None, str]:
        """Wait until the move is over, or waits for help; returns its status (None: killed) and message."""

    def settle(self) -> tuple[int, str]:
        """Settle what is left; returns the status, 0 for settled, and a message."""

    def close(self) -> None:
        """End what still runs of it."""


class Playbooks:
    """ansible-playbook, as a user has it."""

    def __init__(self, field: Field, fault: Fault) -> None:
        self._field, self._fault = field, fault
        self._gate: dict[str, t.Any] = {}
        if fault.holds_gate:
            self._gate = {"migrate_gate": "controller", "migrate_gate_tasks": str(GATE / "pause.yml")}
            self._gate["migrate_gate_undo_tasks"] = str(GATE / "undo.yml")
        self._gate["destination"] = field.destination.name
        self._run: Running | None = None

    def start(self) -> None:
        """Begin the move."""
        self._field.name = str(self._fault)
        self._run = self._field.start(**LIMITS, **self._gate)

    def kill(self) -> None:
        """Kill it and all that it started."""
        if self._run is not None:
            self._run.kill()

    def end(self) -> tuple[int | None, str]:
        """Wait for its end."""
        if self._run is None or not self._run.running():
            return None, ""
        moved = self._run.wait()
        return moved.status, moved.message

    def settle(self) -> tuple[int, str]:
        """Run the playbook that settles; after a kill the same one once more, for the next run takes the move over."""
        self._field.name = f"{self._fault}-settle"
        play = MIGRATE if self._fault.host == listing.CONTROLLER else SETTLE
        settled = self._field.migrate(play=play, **self._gate)
        return settled.status, settled.message

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._run is not None and self._run.running():
            self._run.kill()


class Direct:
    """The code of the modules."""

    def __init__(self, field: Field, fault: Fault) -> None:
        self._move = Move(field, fault.holds_gate)
        self._fault, self._begun = fault, 0.0

    def start(self) -> None:
        """Begin the move."""
        self._begun = time.monotonic()
        self._move.start()

    def kill(self) -> None:
        """There is no controller to be killed."""
        raise LabError(f"{self._fault} needs ansible-playbook")

    def end(self) -> tuple[int | None, str]:
        """Wait until no session runs any more, or those that do wait for help."""
        self._move.wait(A_RUN_S)
        return None, self._move.message

    def settle(self) -> tuple[int, str]:
        """Settle. Whoever hangs has to answer again first, and a link that has come back is watched to the end."""
        deadline = time.monotonic() + listing.HANGS_S
        settled = self._move.settle()
        while self._may_come(settled) and time.monotonic() < deadline:
            time.sleep(5)
            settled = self._move.settle()
        return int(settled.settled is False), settled.text

    def _may_come(self, settled: Settled) -> bool:
        return settled.settled is False and (settled.under_way or self._fault.kind == "hang")

    def close(self) -> None:
        """Nothing of it stays; its thread has ended or waits for a host."""


def strike(field: Field, fault: Fault, controller: Controller) -> list[Host]:
    """Do what is done outside the hosts; returns the hosts that have to be booted again."""
    hosts = {listing.SOURCE: field.source, listing.DESTINATION: field.destination}
    if fault.kind == "power":
        hosts[fault.host].power_off()
        return [hosts[fault.host]]
    if fault.host == listing.LINK:
        field.lab.cut()
        if fault.kind == "blink":
            time.sleep(BLINK_S)
            field.lab.mend()
    else:
        controller.kill()
    return []


def watch_for(moment: str) -> str:
    """The command that ends well when a host shows the moment."""
    return f"timeout {A_RUN_S} bash -c {shlex.quote(listing.SIGNS[moment])}"


def arm(field: Field, fault: Fault) -> subprocess.Popen[str] | None:
    """Log in where the fault is done in a shell, so that it needs one line later and not a login."""
    host, other = field.source, field.destination
    if fault.host == listing.DESTINATION:
        host, other = other, host
    command = fault.command(other.address)
    if command is None:
        return None
    first = f"{watch_for(fault.moment)} && " if fault.at_once else ""
    return host.start(f"read -r now; {first}{command}", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def hit(field: Field, fault: Fault, armed: subprocess.Popen[str] | None) -> bool:
    """Wait for the moment, and do what was armed; false when nothing was seen, or nothing was there to break."""
    if armed is None or not fault.at_once:
        host = field.source if listing.MOMENTS[fault.moment] == listing.SOURCE else field.destination
        if host.run(watch_for(fault.moment), check=False, timeout=A_RUN_S + 60).returncode:
            return False
    if armed is not None:
        armed.communicate("now\n", timeout=A_RUN_S + 60)
        return armed.returncode == 0
    return True


def copies(field: Field) -> dict[str, list[str]]:
    """The states of the guest's copies, by host: two with its UUID on one host are two."""
    found = {}
    for name, hand in field.hands.items():
        rows = (line.split() for line in hand.sh("xl list -v").splitlines())
        found[name] = [row[4] for row in rows if field.lab.guest.uuid in row]
    return found


def judge(field: Field, fault: Fault, verdict: Verdict, observed: Observation | None) -> None:
    """Ask both hosts by UUID and the guest from outside."""
    deadline = time.monotonic() + DAEMONS_S
    looks = field.look()
    while any(look.remains for look in looks.values()) and time.monotonic() < deadline:
        time.sleep(1)
        looks = field.look()
    verdict.remains = {name: look.remains for name, look in looks.items() if look.remains}
    conclude(fault, verdict, copies(field), observed)


def touched_before_banner(field: Field) -> bool:
    """Whether the source's xl was started though the destination's had not said its banner: both are on record."""
    steps = {name: hand.sh("cat /var/lib/dom0-xen/*/journal || true") for name, hand in field.hands.items()}
    started, banner = steps[field.source.name], steps[field.destination.name]
    return '"step":"xl_started"' in started and '"step":"banner"' not in banner


def attempt(field: Field, fault: Fault) -> Verdict:
    """Run one fault from a clean lab to its verdict. What the lab itself cannot do is the verdict's ``error``."""
    controller: Controller = Playbooks(field, fault) if fault.playbook else Direct(field, fault)
    verdict = Verdict(str(fault), by=type(controller).__name__.lower())
    began = last = time.monotonic()

    def over(part: str) -> None:
        nonlocal last
        now = time.monotonic()
        verdict.parts[part], last = round(now - last, 1), now

    armed: subprocess.Popen[str] | None = None
    try:
        prepare(field)
        over("prepare")
        with field.lab.observe(interval=ASK_S, everywhere=True) as watch:
            armed = arm(field, fault)
            # What breaks before anything has begun is there when the first host is spoken to.
            early = fault.moment == "start"
            if not early:
                controller.start()
            verdict.reached = hit(field, fault, armed)
            dark = strike(field, fault, controller) if verdict.reached and armed is None else []
            over("break")
            if early:
                controller.start()
            verdict.move_status, verdict.message = controller.end()
            over("end")
            field.lab.mend()
            for host in dark:
                host.power_on()
            repair(field)
            over("repair")
            # Its record is not waited for, so a host without power may have lost it.
            verdict.touched_before_banner = field.destination not in dark and touched_before_banner(field)
            verdict.settle_status, verdict.settled = controller.settle()
            over("settle")
            # What may be gone answers where it is there after all.
            if not fault.takes_the_guest or any(copies(field).values()):
                watch.wait_answer(BOOT_S)
        judge(field, fault, verdict, watch.observation)
        over("judge")
    except (LabError, OSError, subprocess.TimeoutExpired, AssertionError, Silent) as exc:
        verdict.error = f"{type(exc).__name__}: {exc}"[:500]
    finally:
        controller.close()
        if armed is not None and armed.poll() is None:
            armed.kill()
    if not verdict.well:
        keep(field, verdict)
    verdict.message, verdict.settled = verdict.message[:500], verdict.settled[-500:]
    verdict.seconds = round(time.monotonic() - began, 1)
    return verdict


def keep(field: Field, verdict: Verdict) -> None:
    """Keep what the hosts have on record of a fault that did not go well: the next one takes it away."""
    for name, hand in field.hands.items():
        lines = (
            "xl list -v",
            "ps -ef",
            "head -c 65536 /var/lib/dom0-xen/*/* /run/dom0-xen/*/*.json",
            "dmesg | tail -n 50",
        )
        with contextlib.suppress(Silent, LabError):
            path = KEPT / f"{verdict.name}.{name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(hand.sh("; ".join(f"echo '== {line}'; {line}" for line in lines) + " 2>&1; true"))


def prepare(field: Field) -> None:
    """Take away the journals of the moves before, which have the same signs; the source starts the guest at boot."""
    line = (
        "rm -rf /var/lib/dom0-xen/* /etc/xen/auto/*; mkdir -p /etc/xen/auto; "
        "systemctl -q is-enabled xendomains || systemctl -q enable xendomains"
    )
    auto = {field.source.name: "; ln -s /etc/xen/centos.cfg /etc/xen/auto/"}
    field.everywhere(lambda name, hand: hand.sh(line + auto.get(name, "")))


def repair(field: Field) -> None:
    """Let both hosts find each other again, and have room on their disks."""
    address = {name: host.address for name, host in field.lab.hosts.items()}

    def mend(name: str, hand: Hand) -> str:
        peer = next(address[other] for other in address if other != name)
        return hand.sh(f"ip neigh del {peer} dev xenbr0 2>/dev/null; rm -f {listing.FULL}.*")

    field.everywhere(mend)
