# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault: a move, the break at its moment, one run that settles, and the judgement."""

from __future__ import annotations

import shlex
import subprocess
import time
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cases.plays import Outcome, Running
from cases.world import MIGRATE, World
from dom0lab import Host, LabError, Observation

from . import listing
from .listing import Fault

GATE = Path(__file__).resolve().parents[1] / "cases" / "gate"
LIMITS: dict[str, t.Any] = {"migrate_link_timeout": 10, "migrate_stop_link_timeout": 10, "migrate_silence_timeout": 20}
BLINK_S = 3
MOMENT_S = 240
RUN_S = 420
DAEMONS_S = 30
SETTLE = "dom0.xen.settle"


@dataclass
class Verdict:
    """What became of the guest.

    ``reached`` is false when the moment did not come or nothing was there to break: such a fault says nothing.
    """

    name: str
    reached: bool = False
    running_twice: bool = False
    lost: bool = False
    left_unsettled: bool = False
    guest_changed: bool = False
    touched_before_banner: bool = False
    remains: dict[str, list[str]] = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    boot_id_unchanged: bool | None = None
    memory_verified: bool | None = None
    gap_ms: int | None = None
    move_status: int | None = None
    settle_status: int | None = None
    message: str = ""
    seconds: float = 0.0
    error: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong with it."""
        bad = self.running_twice or self.lost or self.left_unsettled or self.guest_changed or self.touched_before_banner
        return self.reached and not (bad or self.error)

    def document(self) -> dict[str, t.Any]:
        """It for the file of figures."""
        return asdict(self)


def strike(world: World, fault: Fault, run: Running) -> list[Host]:
    """Do what is done outside the hosts; returns the hosts that have to be booted again."""
    hosts = {listing.SOURCE: world.source, listing.DESTINATION: world.destination}
    if fault.kind == "power":
        hosts[fault.host].power_off()
        return [hosts[fault.host]]
    if fault.host == listing.LINK:
        world.lab.cut()
        if fault.kind == "blink":
            time.sleep(BLINK_S)
            world.lab.mend()
    else:
        run.kill()
    return []


def watch_for(moment: str) -> str:
    """The command that ends well when a host shows the moment."""
    return f"timeout {MOMENT_S} bash -c {shlex.quote(listing.SIGNS[moment])}"


def arm(world: World, fault: Fault) -> subprocess.Popen[str] | None:
    """Log in where the fault is done in a shell, so that it needs one line later and not a login."""
    host, other = world.source, world.destination
    if fault.host == listing.DESTINATION:
        host, other = other, host
    command = fault.command(other.address)
    if command is None:
        return None
    first = f"{watch_for(fault.moment)} && " if fault.at_once else ""
    return host.start(f"read -r now; {first}{command}", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def hit(world: World, fault: Fault, armed: subprocess.Popen[str] | None) -> bool:
    """Wait for the moment, and do what was armed; false when nothing was seen, or nothing was there to break."""
    if armed is None or not fault.at_once:
        host = world.source if listing.MOMENTS[fault.moment] == listing.SOURCE else world.destination
        if host.run(watch_for(fault.moment), check=False, timeout=MOMENT_S + 60).returncode:
            return False
    if armed is not None:
        armed.communicate("now\n", timeout=MOMENT_S + 60)
        return armed.returncode == 0
    return True


def end(run: Running) -> Outcome | None:
    """The run's end; None for one that was killed."""
    return run.wait(RUN_S) if run.running() else None


def judge(world: World, fault: Fault, verdict: Verdict, observed: Observation | None) -> None:
    """Ask both hosts by UUID and the guest from outside."""
    deadline = time.monotonic() + DAEMONS_S
    looks = world.look()
    while any(look.remains for look in looks.values()) and time.monotonic() < deadline:
        time.sleep(1)
        looks = world.look()
    verdict.where = [host.name for host in world.lab.hosts.values() if _has(host, world.lab.guest.uuid)]
    verdict.remains = {name: look.remains for name, look in looks.items() if look.remains}
    verdict.lost = not verdict.where and not fault.takes_the_guest
    verdict.left_unsettled = verdict.settle_status != 0 or bool(verdict.remains) or len(verdict.where) > 1
    if observed is not None:
        verdict.running_twice = observed.double_answers > 0
        verdict.boot_id_unchanged = observed.boot_id_unchanged
        verdict.memory_verified = observed.memory_verified
        verdict.gap_ms = int(observed.gap_ms)
        same = observed.boot_id_unchanged and observed.memory_verified and observed.counter_never_fell
        verdict.guest_changed = not same and not fault.takes_the_guest


def touched_before_banner(world: World) -> bool:
    """Whether the source's xl was started though the destination's had not said its banner: both are on record."""
    steps = {host: host.run("cat /var/lib/dom0-xen/*/journal", check=False).stdout for host in world.lab.hosts.values()}
    return '"step":"xl_started"' in steps[world.source] and '"step":"banner"' not in steps[world.destination]


def _has(host: Host, uuid: str) -> bool:
    return uuid in host.run(["xl", "list", "-v"]).stdout


def attempt(world: World, fault: Fault) -> Verdict:
    """Run one fault from a clean lab to its verdict. What the lab itself cannot do is the verdict's ``error``."""
    verdict, began = Verdict(str(fault)), time.monotonic()
    world.name = str(fault)
    gate: dict[str, t.Any] = {}
    if fault.moment == "gate":
        gate = {"migrate_gate": "controller", "migrate_gate_tasks": str(GATE / "pause.yml")}
        gate["migrate_gate_undo_tasks"] = str(GATE / "undo.yml")
    armed: subprocess.Popen[str] | None = None
    run: Running | None = None
    try:
        prepare(world)
        with world.lab.observe(everywhere=True) as watch:
            armed = arm(world, fault)
            run = world.start(**LIMITS, **gate)
            verdict.reached = hit(world, fault, armed)
            dark = strike(world, fault, run) if verdict.reached and armed is None else []
            moved = end(run)
            verdict.move_status = None if moved is None else moved.status
            verdict.message = "" if moved is None else moved.message[:500]
            world.lab.mend()
            for host in dark:
                host.power_on()
            repair(world)
            # Its record is not waited for, so a host without power may have lost it.
            verdict.touched_before_banner = world.destination not in dark and touched_before_banner(world)
            world.name += "-settle"
            # A migration whose controller died goes on by itself; the next run of the same command takes it over.
            play = MIGRATE if fault.host == listing.CONTROLLER else SETTLE
            verdict.settle_status = world.migrate(play=play, **gate).status
            if not fault.takes_the_guest:
                watch.wait_answer()
        judge(world, fault, verdict, watch.observation)
    except (LabError, OSError, subprocess.TimeoutExpired, AssertionError) as exc:
        verdict.error = f"{type(exc).__name__}: {exc}"[:500]
    finally:
        if run is not None and run.running():
            run.kill()
        if armed is not None and armed.poll() is None:
            armed.kill()
    verdict.seconds = round(time.monotonic() - began, 1)
    return verdict


def prepare(world: World) -> None:
    """Take away the journals of the moves before, which have the same signs; the source starts the guest at boot."""
    for host in world.lab.hosts.values():
        host.run("rm -rf /var/lib/dom0-xen/* /etc/xen/auto/*; mkdir -p /etc/xen/auto; systemctl -q enable xendomains")
    world.source.run("ln -s /etc/xen/centos.cfg /etc/xen/auto/")


def repair(world: World) -> None:
    """Let both hosts find each other again, and have room on their disks."""
    for host in world.lab.hosts.values():
        peer = next(other.address for other in world.lab.hosts.values() if other is not host)
        host.run(f"ip neigh del {peer} dev xenbr0; rm -f {listing.FULL}.*", check=False)
