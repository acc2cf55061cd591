# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running guest moves between two real Xen hosts, watched from outside. Run by ``make demo``."""

from __future__ import annotations

import json
import sys
import time
import typing as t

from dom0lab import Lab, LabError, Observation

from proof import figures, playbook

BUILD = playbook.ROOT / "build" / "demo"


def main() -> int:
    """Bring the lab up, move the guest, tell what happened, take the lab down. Returns an exit status."""
    started = time.monotonic()
    print("dom0.xen: a running guest moves from xen1 to xen2, two real Xen hosts inside QEMU")
    try:
        with Lab.up(tell=lambda line: print(f"  lab: {line}", flush=True)) as lab:
            return show(lab, started)
    except LabError as exc:
        print(f"the lab: {exc}", file=sys.stderr)
        return 2


def show(lab: Lab, started: float) -> int:
    """The part that a person watches."""
    before = lab.guest.ask()
    print(f"\nThe guest {lab.guest.name} runs on {lab.guest.host().name} and counts: {before['counter']}.")
    answer = BUILD / "migration.json"
    answer.unlink(missing_ok=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    variables = {"domain": lab.guest.name, "destination": "xen2", "migrate_result_path": str(answer)}
    with lab.observe() as watch:
        run = playbook.run(playbook.command("dom0.xen.migrate", lab.inventory, variables), echo=True)
    seen = watch.observation
    migration: dict[str, t.Any] = json.loads(answer.read_text()) if answer.exists() else {}
    if seen is None or run.status or not migration:
        print(f"\nThe playbook ended with status {run.status}; the guest is on {lab.guest.where()}.")
    elif seen is not None:
        print(story(migration, seen))
    result = {
        "owner": migration.get("owner"),
        "boot_id_unchanged": bool(seen and seen.boot_id_unchanged),
        "memory_verified": bool(seen and seen.memory_verified),
        "runs_on": lab.guest.where(),
        "gap_ms": seen.gap_ms if seen else None,
        "wall_s": round(time.monotonic() - started, 1),
        "migration": migration,
        "observation": seen.as_result() if seen else None,
    }
    checks = [
        figures.equal("ansible-playbook exit status", run.status, 0),
        figures.equal("owner", result["owner"], "destination"),
        figures.equal("runs_on", result["runs_on"], ["xen2"]),
        figures.equal("boot_id_unchanged", result["boot_id_unchanged"], True),
        figures.equal("memory_verified", result["memory_verified"], True),
        figures.equal("counter_never_fell", bool(seen and seen.counter_never_fell), True),
        figures.equal("double_answers", seen.double_answers if seen else None, 0),
    ]
    path = BUILD / "result.json"
    ok = figures.write(path, result, checks)
    print(f"\nAll figures are in {playbook.shown(path)}.")
    return 0 if ok else 1


def story(migration: dict[str, t.Any], seen: Observation) -> str:
    """What happened, in a few lines."""
    rounds = migration.get("rounds") or []
    mib = (migration.get("bytes") or 0) / 2**20
    total = (migration.get("total_ms") or 0) / 1000
    stop = (migration.get("stop_ms") or 0) / 1000
    kept = "unchanged" if seen.boot_id_unchanged else "CHANGED"
    memory = "verified" if seen.memory_verified else "DAMAGED"
    return "\n".join(
        [
            "",
            f"centos moved: {mib:.0f} MiB in {total:.1f} s, {len(rounds)} rounds over the guest's memory.",
            f"It stood still for {stop:.1f} s; seen from outside it was silent for {seen.gap_ms / 1000:.1f} s.",
            f"Its memory pattern {memory}, its boot id is {kept},",
            f"and it counted on, from {seen.before.get('counter')} to {seen.after.get('counter')}.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
