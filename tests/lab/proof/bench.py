# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same guest moved by plain ``xl migrate`` over ssh and by this collection, in turns (``make lab-bench``).

Both are measured by the same means from outside: the stop time by XenStore watches on both hosts, the gap by the
guest's answers.
Total time is that of ``xl migrate`` on the source in both cases, from its start to its end, measured there. For plain
``xl`` that includes its own ssh login at the destination; for the collection (its ``total_ms``) the connection has been
made before. What everything took that was waited for, Ansible or the first ssh included, is reported beside it.
The gate's share of the stop time is the collection's own word: from the source's knowing that the destination has the
whole domain to the commit on the destination's disk, in the same turn after which the permission goes to ``xl``. It is
told beside the limit that it should keep, and judged by nobody here: an emulated disk says nothing of a real one.
With ``--bare`` plain ``xl`` moves it over TCP as well, with nothing packed and nothing encrypted: the time of that is
the one of ``xl``, libxc and libxl, which no transport can save.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from dom0lab import Lab, LabError
from dom0lab.timeline import TimelineWatch

from proof import figures, playbook

RESULT = playbook.ROOT / "build" / "bench" / "lab.json"
PAIRS = 5
GATE_SHARE = 0.05
# The project's own bounds: the medians beside those of plain xl migrate, and the most that a sender or receiver holds.
TOTAL_RATIO = 0.7
STOP_RATIO = 0.8
MEMORY_KIB = 64 * 1024
PLAIN = "xl migrate"
OURS = "dom0.xen"
BARE = "xl migrate over bare TCP"
BARE_PORT = 5999
# A process for each direction, as ssh would be one; the receiver has the connection itself.
_BARE_WIRE = "exec 3<>/dev/tcp/$1/$2; cat <&3 & cat >&3"


@dataclass(frozen=True)
class Move:
    """One migration; times in milliseconds. ``wall_ms`` is what the person who typed the command waited.

    ``machine_ms`` is what a fixed piece of arithmetic took just before: a machine whose speed changes shows in it.
    ``rate`` is how many pages a second the guest itself said that it rewrites.
    """

    tool: str
    pair: int
    total_ms: int
    stop_ms: int | None
    gap_ms: int
    wall_ms: int
    machine_ms: int
    rate: int | None
    gate_share: float | None
    memory_verified: bool
    boot_id_unchanged: bool
    steps: dict[str, int | None]
    peak_memory_kib: dict[str, int | None]


@dataclass(frozen=True)
class Done:
    """What a tool says of its own move."""

    total_ms: int
    peak_memory_kib: dict[str, int | None]
    gate_share: float | None = None


def gate_share(result: t.Mapping[str, t.Any]) -> float | None:
    """Return the gate's share of the stop time, from the result of a move; None where a moment of it is not known."""
    line = result.get("timeline") or {}
    ready, committed, stop = line.get("journal_ready"), line.get("destination_journal_commit"), result.get("stop_ms")
    if ready is None or committed is None or not stop:
        return None
    return round((float(committed) - float(ready)) / float(stop), 4)


def plain(lab: Lab, words: str = "") -> Done:
    """``xl migrate`` as people type it, with the key between the dom0s that it needs; or with other words."""
    line = f"xl migrate {words or f'{lab.guest.name} ' + lab.hosts['xen2'].address} >&2 || exit"
    clock = "read now rest </proc/uptime; echo $now"
    begun, ended = lab.hosts["xen1"].run(f"{clock}; {line}; {clock}", timeout=600).stdout.split()
    return Done(round(1000 * (float(ended) - float(begun))), {})


def bare(lab: Lab) -> Done:
    """``xl migrate`` with a connection that does nothing but carry; an empty ``-s`` makes the host a command."""
    source, destination = lab.hosts["xen1"], lab.hosts["xen2"]
    source.run("cat >/run/lab-wire", stdin=_BARE_WIRE)
    listen = f"exec systemd-socket-activate --accept --inetd -l {destination.address}:{BARE_PORT} xl migrate-receive"
    listener = destination.start(listen, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        destination.run(f"until ss -Hltn 'sport = :{BARE_PORT}' | grep -q .; do sleep 0.2; done", timeout=60)
        return plain(lab, f"-s '' {lab.guest.name} 'bash /run/lab-wire {destination.address} {BARE_PORT}'")
    finally:
        destination.run("pkill -f '[s]ystemd-socket-activate'", check=False)
        listener.wait()


def ours(lab: Lab) -> Done:
    """The collection's playbook, as people type it."""
    answer = RESULT.parent / "migration.json"
    answer.unlink(missing_ok=True)
    variables = {"domain": lab.guest.name, "destination": "xen2", "migrate_result_path": str(answer)}
    run = playbook.run(playbook.command("dom0.xen.migrate", lab.inventory, variables))
    if run.status or not answer.exists():
        raise LabError(f"the playbook ended with {run.status}:\n{run.output}")
    result: dict[str, t.Any] = json.loads(answer.read_text())
    return Done(int(result["total_ms"]), dict(result.get("peak_memory_kib") or {}), gate_share(result))


def machine_ms() -> int:
    """Processor time of a fixed piece of arithmetic, in milliseconds."""
    started = time.process_time()
    sum(number * number for number in range(3_000_000))
    return round(1000 * (time.process_time() - started))


def prepare(lab: Lab, rate: int | None) -> None:
    """Bring the lab back to its snapshot, whose guest has the usual rate, and only then set another one."""
    lab.reset()
    if rate is not None:
        lab.guest.set_rate(rate)


def measure(lab: Lab, tool: str, move: Callable[[Lab], Done], pair: int, rate: int | None) -> Move:
    """Prepare the lab, let ``move`` happen under watch, and return the figures."""
    prepare(lab, rate)
    machine = machine_ms()
    with TimelineWatch(lab.hosts["xen1"], lab.hosts["xen2"]) as watch, lab.observe() as observer:
        started = time.monotonic()
        done = move(lab)
        wall = time.monotonic() - started
        observer.wait_answer()
    timeline, seen = watch.timeline(lab.guest.name), observer.observation
    if seen is None or lab.guest.where() != ["xen2"]:
        raise LabError(f"after {tool} the guest is on {lab.guest.where()}")
    return Move(
        tool=tool,
        pair=pair,
        total_ms=done.total_ms,
        stop_ms=timeline.stop_ms,
        gap_ms=seen.gap_ms,
        wall_ms=round(1000 * wall),
        machine_ms=machine,
        rate=seen.before.get("rate"),
        gate_share=done.gate_share,
        memory_verified=seen.memory_verified,
        boot_id_unchanged=seen.boot_id_unchanged,
        steps=timeline.steps,
        peak_memory_kib=done.peak_memory_kib,
    )


def median(moves: Sequence[Move], tool: str, figure: str) -> float:
    """Median of a figure over the moves of one tool. Where it was not seen it is left out; a check tells."""
    values = [getattr(move, figure) for move in moves if move.tool == tool and getattr(move, figure) is not None]
    return float(statistics.median(values)) if values else float("nan")


def told_share(moves: Sequence[Move]) -> dict[str, t.Any]:
    """The median share of the gate in the stop time, None where no move had one, beside what it should keep."""
    shares = [move.gate_share for move in moves if move.tool == OURS and move.gate_share is not None]
    return {"gate_share": statistics.median(shares) if shares else None, "gate_share_limit": GATE_SHARE}


def judge(moves: Sequence[Move]) -> tuple[dict[str, t.Any], list[figures.Check]]:
    """Medians, ratios, and what they must be."""
    summary: dict[str, t.Any] = {}
    for figure in ("total_ms", "stop_ms", "gap_ms", "wall_ms", "machine_ms"):
        theirs, own = median(moves, PLAIN, figure), median(moves, OURS, figure)
        summary[figure] = {PLAIN: theirs, OURS: own, "ratio": round(own / theirs, 3)}
        if any(move.tool == BARE for move in moves):
            least = median(moves, BARE, figure)
            summary[figure] |= {BARE: least, "bare_ratio": round(least / theirs, 3)}
    peaks = [peak for move in moves for peak in move.peak_memory_kib.values() if peak]
    checks = [
        figures.at_most("median total_ms, ratio to xl migrate", summary["total_ms"]["ratio"], TOTAL_RATIO),
        figures.at_most("median stop_ms, ratio to xl migrate", summary["stop_ms"]["ratio"], STOP_RATIO),
        figures.at_most("resident memory of sender and receiver, KiB", max(peaks, default=None), MEMORY_KIB),
        figures.at_least("pairs", len({move.pair for move in moves}), PAIRS),
        figures.equal("every stop time was seen", all(move.stop_ms is not None for move in moves), True),
        figures.equal("every guest verified", all(m.memory_verified and m.boot_id_unchanged for m in moves), True),
    ]
    return summary, checks


def main() -> int:
    """Run the pairs and write the figures. Returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how many moves with each tool (default %(default)s)")
    parser.add_argument("--rate", type=int, help="pages of 4 KiB that the guest rewrites a second")
    parser.add_argument("--bare", action="store_true", help="move it over bare TCP, too")
    arguments = parser.parse_args()
    tools = [(PLAIN, plain), (OURS, ours), *([(BARE, bare)] if arguments.bare else [])]
    moves: list[Move] = []
    try:
        with Lab.up() as lab:
            for pair in range(arguments.pairs):
                # Each tool goes first in turn, so that a machine that warms up favours none.
                first = pair % len(tools)
                for tool, move in (*tools[first:], *tools[:first]):
                    moves.append(measure(lab, tool, move, pair, arguments.rate))
                    print(json.dumps({k: v for k, v in asdict(moves[-1]).items() if k != "steps"}), flush=True)
    except LabError as exc:
        print(f"the lab: {exc}", file=sys.stderr)
        return 2
    summary, checks = judge(moves)
    share = told_share(moves)
    told = {"rate": arguments.rate, **share, "summary": summary, "moves": [asdict(move) for move in moves]}
    ok = figures.write(RESULT, told, checks)
    print(f"the gate's share of the stop time: {share['gate_share']}, to be at most {share['gate_share_limit']}")
    for figure, values in summary.items():
        least = f"   {BARE} {values[BARE]:.0f}   ratio {values['bare_ratio']}" if BARE in values else ""
        print(f"{figure:10} {PLAIN} {values[PLAIN]:.0f}   {OURS} {values[OURS]:.0f}   ratio {values['ratio']}{least}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
