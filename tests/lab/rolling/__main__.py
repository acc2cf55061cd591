# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make lab-maintain``: every host of a lab emptied, rebooted and filled again, by one run of dom0.xen.maintain."""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from cases.world import World
from dom0lab import Guest, Lab, LabError, Observer, Settings, lun
from dom0lab.lun import Stamps
from proof import child, figures, playbook

from . import hosts
from .residents import RESIDENTS, Resident
from .verdict import GuestSeen, HostSeen, checks

RESULT = playbook.ROOT / "build" / "lab" / "maintain.json"
# The run's log and its results, and what the hosts had on record where it did not go well.
FOLDER = RESULT.with_suffix("")
TASKS = Path(__file__).with_name("reboot.yml")
SETTINGS = Settings(releases=("bookworm",) * 3)
START_S = 600.0
ASK_S = 0.5
ANSWER_S = 300.0
# A host boots in some minutes while the two others have all the guests.
BACK_S = 2400


def variables(folder: Path, names: t.Iterable[str]) -> dict[str, str]:
    """What the run is told: each of these hosts is rebooted, and gets back what it had."""
    return {
        "dom0s": ",".join(names),
        "maintain_tasks": str(TASKS),
        "maintain_reboot": "true",
        "maintain_return": "all",
        "maintain_back_timeout": str(BACK_S),
        "maintain_result_path": str(folder / "result.json"),
        "evacuate_results_path": str(folder / "moves"),
    }


def maintain(lab: Lab) -> int:
    """Run the playbook to its end; its exit status."""
    (FOLDER / "moves").mkdir(parents=True, exist_ok=True)
    for path in (*FOLDER.glob("*.json"), *FOLDER.glob("moves/*.json"), *(FOLDER / name for name in lab.hosts)):
        path.unlink(missing_ok=True)
    argv = playbook.command("dom0.xen.maintain", lab.inventory, variables(FOLDER, lab.hosts))
    print(f"the guests run; what the run says is in {playbook.shown(FOLDER / 'log')}", flush=True)
    with (FOLDER / "log").open("w") as log:
        return child.run(
            argv,
            cwd=playbook.ROOT,
            env=playbook.environment(ANSIBLE_NOCOLOR="1"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def read(path: Path) -> t.Any:
    """What the run has written there, if it has."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def roll(lab: Lab) -> bool:
    """Start the guests, maintain the hosts, judge from outside; returns whether every check holds."""
    lab.guest.stop()
    disk, boots = hosts.prepare(lab)
    guests = {one: lab.another(one.spec) for one in RESIDENTS}
    started = {one: guest.start(lab.hosts[one.home], timeout=START_S) for one, guest in guests.items()}
    watches: dict[Resident, Observer] = {}
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        for one in RESIDENTS:
            watch = lab.observe(one.spec, number=one.observer, interval=ASK_S, everywhere=True)
            watches[one] = stack.enter_context(watch)
        status = maintain(lab)
        wall = time.monotonic() - begun
        for watch in watches.values():
            # One that does not answer is judged as all others are.
            with contextlib.suppress(LabError):
                watch.wait_answer(ANSWER_S)
    world = World(lab)
    homes = [hosts.see(world, host, boots[host.name]) for host in lab.hosts.values()]
    seen = []
    for one, guest in guests.items():
        where = [home.name for home in homes if one.spec.name in home.domains]
        stamps = judged(lab, guest, where, disk) if one.spec.disk else None
        boot = str(started[one]["boot_id"])
        seen.append(GuestSeen(one.spec.name, one.home, boot, where, watches[one].observation, stamps))
    return written(lab, status, wall, seen, homes)


def judged(lab: Lab, guest: Guest, where: list[str], disk: Path) -> Stamps:
    """Read the guest's stamps; it is paused for that, so that none comes while the disk is read."""
    if len(where) != 1:
        return Stamps(0, f"the guest is on {where or 'no host'}")
    try:
        answer = guest.ask()
        lab.hosts[where[0]].run(["xl", "pause", guest.name])
    except LabError as exc:
        return Stamps(0, str(exc))
    # What it has handed to its disk gets there.
    time.sleep(2)
    return lun.judge(disk, answer)


def written(lab: Lab, status: int, wall: float, guests: list[GuestSeen], homes: list[HostSeen]) -> bool:
    """Write the figures, and keep what the hosts know where a check does not hold; returns whether all do."""
    moves = {path.stem: read(path) or {} for path in sorted(FOLDER.glob("moves/*.json"))}
    data = {
        "revision": playbook.revision(),
        "xen": lab.hosts["xen1"].run("xl info xen_version", check=False).stdout.strip(),
        "wall_s": round(wall, 1),
        "guests": [guest.document() for guest in guests],
        "hosts": [home.document() for home in homes],
        "moves": {
            name: {key: move.get(key) for key in ("owner", "end_state", "method", "total_ms", "stop_ms")}
            for name, move in moves.items()
        },
        "result": read(FOLDER / "result.json"),
    }
    ok = figures.write(RESULT, data, checks(status, guests, homes))
    if not ok:
        for host in lab.hosts.values():
            hosts.keep(host, FOLDER)
    return ok


def run() -> int:
    """Bring the lab up, and do it all. Returns an exit status."""
    try:
        with Lab.up(SETTINGS) as lab:
            ok = roll(lab)
    except LabError as exc:
        print(f"the lab: {exc}", file=sys.stderr)
        return 2
    print(f"{'well' if ok else 'not well'}; figures in {playbook.shown(RESULT)}, the run in {playbook.shown(FOLDER)}")
    return 0 if ok else 1


def main() -> int:
    """Run it; return 0 when every check holds."""
    argparse.ArgumentParser(prog="make lab-maintain", description=__doc__).parse_args()
    with child.ended_by_signals():
        return run()


if __name__ == "__main__":
    sys.exit(main())
