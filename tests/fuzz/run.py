# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every target for its time and write ``build/fuzz/summary.json``.

    python run.py [--seconds N] [TARGET...]        N seconds each; without it as long as ``SECONDS`` says

What has to be so: the whole of its time, no crash (an error of the collection is none), no input that takes longer
than ``INPUT_SECONDS``, and a peak of resident memory, libFuzzer's own corpus included, of less than ``MEMORY_MIB``
above what the process had before its first input. An input that fails is kept beside the summary;
``run.py --input FILE TARGET`` tries it again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._procfs import peak_memory_kib
from ansible_collections.dom0.xen.tests.fuzz.seeds import seeds, words
from ansible_collections.dom0.xen.tests.tools.places import BUILD, COLLECTIONS

OUTPUT = BUILD / "fuzz"
SUMMARY = OUTPUT / "summary.json"
TARGETS = (
    "parser",
    "image",
    "arrival",
    "config",
    "answers",
    "frames",
    "introduction",
    "message",
    "journal",
    "status",
    "autostart",
)
# How long each is tried: what decides over memory and over two copies for longer than the others.
SECONDS = {**dict.fromkeys(TARGETS, 60), "arrival": 120, "parser": 600, "frames": 600}
INPUT_SECONDS = 10
MEMORY_MIB = 64
LONGEST = 32768
# The process is ended here, so that a leak is told and does not take the machine along.
RSS_LIMIT_MIB = 1024
SLACK_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one target. Memory in MiB: before the first input, and at the most."""

    name: str
    runs: int
    wanted_s: int
    seconds: float
    baseline_mib: float
    peak_rss_mib: float
    crashes: tuple[str, ...]
    timeouts: tuple[str, ...]
    named_errors: tuple[str, ...]
    status: int

    @property
    def growth_mib(self) -> float:
        """How much memory fuzzing took."""
        return round(max(0.0, self.peak_rss_mib - self.baseline_mib), 1)

    def checks(self) -> list[dict[str, t.Any]]:
        """What has to be so for this target."""
        found = (
            ("runs", self.runs, ">= 1000", self.runs >= 1000),
            ("seconds", self.seconds, f">= {self.wanted_s}", self.seconds >= self.wanted_s),
            ("crashes", len(self.crashes), "0", not self.crashes),
            ("timeouts", len(self.timeouts), f"0 inputs above {INPUT_SECONDS} s", not self.timeouts),
            (
                "memory_growth_mib",
                self.growth_mib,
                f"< {MEMORY_MIB}",
                bool(self.peak_rss_mib) and self.growth_mib < MEMORY_MIB,
            ),
            ("exit_status", self.status, "0", self.status == 0),
        )
        return [
            {"name": f"{self.name}.{name}", "value": value, "needed": needed, "ok": ok}
            for name, value, needed, ok in found
        ]


def environment() -> dict[str, str]:
    """The environment of a worker."""
    return {**os.environ, "PYTHONPATH": str(COLLECTIONS), "PYTHONHASHSEED": "0"}


def worker(target: str, *options: str) -> list[str]:
    """The command line of a worker."""
    return [sys.executable, "-m", "ansible_collections.dom0.xen.tests.fuzz.worker", target, *options]


def run(target: str, seconds: int) -> Outcome:
    """Fuzz one target."""
    folder = OUTPUT / target
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("corpus", "seeds", "failures"):
        (folder / name).mkdir(parents=True)
    for number, seed in enumerate(seeds(target)):
        (folder / "seeds" / f"{number:03d}").write_bytes(seed)
    dictionary = folder / "dictionary"
    dictionary.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words()))
    command = worker(
        target,
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={RSS_LIMIT_MIB}",
        f"-max_len={LONGEST}",
        f"-dict={dictionary}",
        f"-artifact_prefix={folder / 'failures'}/",
        "-print_final_stats=1",
        str(folder / "corpus"),
        str(folder / "seeds"),
    )
    begun, peak = time.monotonic(), 0
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
        while process.poll() is None:
            # The kernel's figure for a process that has ended begins with what its parent had before the exec.
            peak = max(peak, peak_memory_kib(process.pid) or 0)
            if time.monotonic() - begun > seconds + SLACK_SECONDS:
                process.kill()
            time.sleep(0.1)
    log_text = (folder / "log").read_text(errors="replace")
    return outcome(target, log_text, process.returncode, seconds, time.monotonic() - begun, peak)


def outcome(target: str, log: str, status: int, wanted_s: int, seconds: float, peak_kib: int) -> Outcome:
    """Read what a worker and its libFuzzer said."""
    told = [json.loads(line) for line in re.findall(r'^\{"(?:baseline_kib|named)": .*\}$', log, re.MULTILINE)]
    stats = {name: int(value) for name, value in re.findall(r"^stat::(\w+): +(\d+)$", log, re.MULTILINE)}
    kept = sorted(path.name for path in (OUTPUT / target / "failures").iterdir())
    slow = tuple(name for name in kept if name.startswith(("timeout-", "slow-")))
    return Outcome(
        name=target,
        runs=stats.get("number_of_executed_units", 0),
        wanted_s=wanted_s,
        seconds=round(seconds, 1),
        baseline_mib=round(next((line["baseline_kib"] for line in told if "baseline_kib" in line), 0) / 1024, 1),
        peak_rss_mib=round(peak_kib / 1024, 1),
        crashes=tuple(name for name in kept if name not in slow),
        timeouts=slow,
        named_errors=tuple(sorted({line["named"] for line in told if "named" in line})),
        status=status,
    )


def write_summary(outcomes: t.Sequence[Outcome]) -> bool:
    """Write the summary; return whether everything is as it has to be."""
    checks = [check for one in outcomes for check in one.checks()]
    summary = {
        "python": sys.version.split()[0],
        "seconds": round(sum(one.seconds for one in outcomes), 1),
        "runs": sum(one.runs for one in outcomes),
        "memory": f"peak resident memory of the process above what it had before its first input, < {MEMORY_MIB} MiB",
        "targets": [{**dataclasses.asdict(one), "growth_mib": one.growth_mib} for one in outcomes],
        "checks": checks,
    }
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n")
    return all(check["ok"] for check in checks)


def main() -> int:
    """Return 0 when every check is as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], help="all of them unless some are named")
    parser.add_argument("--seconds", type=int, help="for each target, for a shorter look or a longer one")
    parser.add_argument("--input", help="try one file again instead")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    if options.input:
        return subprocess.run(worker(names[0], options.input), env=environment(), check=False).returncode
    OUTPUT.mkdir(parents=True, exist_ok=True)
    os.nice(10)
    outcomes = []
    for name in names:
        one = run(name, options.seconds or SECONDS[name])
        outcomes.append(one)
        sys.stdout.write(
            f"{name}: {one.runs} runs in {one.seconds} s, {len(one.crashes)} crashes, {len(one.timeouts)} too slow, "
            f"memory {one.baseline_mib} -> {one.peak_rss_mib} MiB\n"
        )
        sys.stdout.flush()
    sound = write_summary(outcomes)
    sys.stdout.write(f"{SUMMARY}: {'everything is as it has to be' if sound else 'SOMETHING IS NOT'}\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
