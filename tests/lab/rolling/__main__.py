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
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from cases.world import World
from dom0lab import Guest, Lab, LabError, Observation, Observer, Settings, control, lun
from dom0lab.lun import Stamps
from dom0lab.places import state_root
from dom0lab.start import together
from proof import child, figures, playbook

from . import hosts
from .machines import LOOK_S, Every, Machines, moment
from .record import OVER, Part, Record
from .residents import RESIDENTS
from .verdict import GuestSeen, HostSeen, checks

RESULT = playbook.ROOT / "build" / "lab" / "maintain.json"
# The run's log and its results, and what the hosts had on record where it did not go well.
FOLDER = RESULT.with_suffix("")
TASKS = Path(__file__).with_name("reboot.yml")
SETTINGS = Settings(releases=("bookworm",) * 3)
START_S = 600.0
ASK_S = 0.5
ANSWER_S = 300.0
# What is known so far is written so often.
KEEP_S = 60.0
# A host boots in some minutes while the two others have all the guests.
BACK_S = 2400


def variables(folder: Path, names: Iterable[str]) -> dict[str, str]:
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
    argv = playbook.command("dom0.xen.maintain", lab.inventory, variables(FOLDER, lab.hosts))
    print(f"the guests run; what the run says is in {playbook.shown(FOLDER / 'log')}", flush=True)
    with (FOLDER / "log").open("a") as log:
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


def moves() -> dict[str, dict[str, t.Any]]:
    """What came of the moves so far, by name."""
    found = {path.stem: read(path) or {} for path in sorted(FOLDER.glob("moves/*.json"))}
    keys = ("owner", "end_state", "method", "total_ms", "stop_ms")
    return {name: {key: move.get(key) for key in keys} for name, move in found.items()}


def begin(lab: Lab) -> Record:
    """Make the hosts ready to be rebooted, start the guests, and forget what an earlier run has left."""
    (FOLDER / "moves").mkdir(parents=True, exist_ok=True)
    old = (*FOLDER.glob("*.json"), *FOLDER.glob("moves/*.json"), *(FOLDER / name for name in (*lab.hosts, "log")))
    for path in old:
        path.unlink(missing_ok=True)
    lab.guest.stop()
    boots = hosts.prepare(lab)
    started = {one: lab.another(one.spec).start(lab.hosts[one.home], timeout=START_S) for one in RESIDENTS}
    xen = lab.hosts["xen1"].run("xl info xen_version", check=False).stdout.strip()
    guests = {one.spec.name: str(answer["boot_id"]) for one, answer in started.items()}
    record = Record(playbook.revision(), xen, moment(), boots, guests)
    record.save(RESULT, {})
    return record


@contextlib.contextmanager
def watching(lab: Lab) -> Iterator[dict[str, Observer]]:
    """Watch all guests from outside as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        yield {
            one.spec.name: stack.enter_context(
                lab.observe(one.spec, number=one.observer, interval=ASK_S, everywhere=True)
            )
            for one in RESIDENTS
        }


def looked(watch: Observer) -> Observation:
    """What was seen of a guest, with a pass over its memory; what was seen until then, if it cannot be watched now."""
    try:
        # One that does not answer is judged as all others are.
        with contextlib.suppress(LabError):
            watch.wait_answer(ANSWER_S)
        watch.observation = watch.report()
    except LabError as exc:
        print(exc, flush=True)
        watch.observation = watch.so_far()
    return watch.observation


def go_on(lab: Lab, record: Record) -> None:
    """Run the playbook, unless it has come to its end before, and keep all the time what is seen meanwhile."""
    begun, part = time.monotonic(), Part(0 if record.maintained else None)
    machines = Machines(lab, lab.folder / lun.FILE)
    if record.parts:
        # One that was stopped may have left a host without its machine.
        machines.look()
    with Every(LOOK_S, machines.look), watching(lab) as watches:

        def keep() -> None:
            part.wall_s, part.resets = round(time.monotonic() - begun, 1), list(machines.resets)
            part.observed = {name: watch.observation or watch.so_far() for name, watch in watches.items()}
            record.save(RESULT, moves())

        if record.parts:
            hosts.wait(lab, BACK_S)
        record.parts.append(part)
        try:
            with Every(KEEP_S, keep):
                part.status = maintain(lab) if part.status is None else part.status
            keep()
            together([partial(looked, watch) for watch in watches.values()])
        finally:
            keep()


def judge(lab: Lab, record: Record) -> bool:
    """Look at the hosts and at the disk, and write the figures; returns whether every check holds."""
    world = World(lab)
    homes = [hosts.see(world, host, record.boots[host.name]) for host in lab.hosts.values()]
    seen = []
    for one in RESIDENTS:
        name = one.spec.name
        where = [home.name for home in homes if name in home.domains]
        stamps = judged(lab, lab.another(one.spec), where, lab.folder / lun.FILE) if one.spec.disk else None
        seen.append(GuestSeen(name, one.home, record.guests[name], where, record.observations(name), stamps))
    return written(lab, record, seen, homes)


def judged(lab: Lab, guest: Guest, where: list[str], disk: Path) -> Stamps:
    """Read the guest's stamps; it is paused for that, so that none comes while the disk is read."""
    if len(where) != 1:
        return Stamps(0, f"the guest is on {where or 'no host'}")
    host = lab.hosts[where[0]]
    try:
        answer = guest.ask()
        host.run(["xl", "pause", guest.name])
        try:
            # What it has handed to its disk gets there.
            time.sleep(2)
            return lun.judge(disk, answer)
        finally:
            host.run(["xl", "unpause", guest.name])
    except LabError as exc:
        return Stamps(0, str(exc))


def written(lab: Lab, record: Record, guests: list[GuestSeen], homes: list[HostSeen]) -> bool:
    """Write the figures, and keep what the hosts know where a check does not hold; returns whether all do."""
    data = {
        **record.document(OVER, moves()),
        "wall_s": round(sum(part.wall_s for part in record.parts), 1),
        "guests": [guest.document() for guest in guests],
        "hosts": [home.document() for home in homes],
        "result": read(FOLDER / "result.json"),
    }
    ok = figures.write(RESULT, data, checks(record.parts[-1].status, guests, homes))
    if not ok:
        for host in lab.hosts.values():
            hosts.keep(host, FOLDER)
    return ok


def attached(record: Record) -> Lab:
    """The lab that the run has left which wrote this. Raises LabError when there is none."""
    lab = Lab.attach()
    if list(lab.hosts) != list(record.boots):
        raise LabError(f"the lab that is up has {', '.join(lab.hosts)}, the run was begun on {', '.join(record.boots)}")
    return lab


def run(continues: bool = False) -> int:
    """Bring the lab up, and do it all, or what is left of it. Returns an exit status.

    A run that is stopped, or fails when the guests run, leaves the lab up, and what it knows, to the one that goes on.
    """
    lab, over = None, False
    ours = continues or not control.is_up(state_root())
    try:
        record = Record.load(RESULT) if continues else None
        if record is None:
            RESULT.unlink(missing_ok=True)
        lab = Lab.up(SETTINGS) if record is None else attached(record)
        lab.detach()
        record = record or begin(lab)
        go_on(lab, record)
        if not record.maintained:
            # It can be picked up where it is.
            print(f"the run ended with {record.parts[-1].status}: {playbook.shown(FOLDER / 'log')}", flush=True)
            for host in lab.hosts.values():
                hosts.keep(host, FOLDER)
            return 1
        ok = judge(lab, record)
        over = True
    except LabError as exc:
        print(f"the lab: {exc}", file=sys.stderr)
        return 2
    finally:
        if lab is not None and not over and RESULT.exists():
            known = f"{playbook.shown(RESULT)} has what is known so far, and the lab stays up"
            print(f"{known}: go on with ARGS=--continue, or end it with tests/lab/lab down", flush=True)
        elif lab is not None and ours:
            lab.down()
    print(f"{'well' if ok else 'not well'}; figures in {playbook.shown(RESULT)}, the run in {playbook.shown(FOLDER)}")
    return 0 if ok else 1


def main() -> int:
    """Run it; return 0 when every check holds."""
    parser = argparse.ArgumentParser(prog="make lab-maintain", description=__doc__)
    about = "go on with a run that was stopped, or failed"
    parser.add_argument("--continue", action="store_true", dest="continues", help=about)
    options = parser.parse_args()
    with child.ended_by_signals():
        return run(options.continues)


if __name__ == "__main__":
    sys.exit(main())
