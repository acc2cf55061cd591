# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make bench``: captured streams through the complete sender and receiver, against ssh and socat, in turns.

Two hosts of the double, whose ``xl`` replays a capture as fast as the pipe takes it and reads it as fast as it comes.
Measured from the configuration's last byte to "ready": that is the transfer of memory, with nothing of the guest's.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import statistics
import tempfile
import typing as t

from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site
from proof import figures

from ansible_collections.dom0.xen.tests.bench.link import captures, judged, network, ways
from ansible_collections.dom0.xen.tests.bench.link.captures import Capture
from ansible_collections.dom0.xen.tests.tools.places import ROOT

RESULT = ROOT / "build" / "bench" / "link.json"
STREAMS = ROOT / "build" / "bench" / "streams"
ROUNDS = 5
_GUEST = GuestConfig(memory_mib=8, compact=True)

Figures = dict[str, t.Any]


def own_ways() -> list[ways.Way]:
    """The collection's default, each fixed setting, and without encryption."""
    fixed = [ways.Ours(f"tls-{name}", compression=name) for name in ("none", "zeros", "zstd1", "zstd3", "zstd6")]
    return [ways.Ours("default"), *fixed, ways.Ours("tcp-none", "tcp", "none")]


def everything(streams: t.Iterable[str]) -> dict[str, list[str]]:
    """Return the names of all that is measured with these captures where nothing is left out."""
    return {
        "networks": [net.name for net in network.NETWORKS],
        "streams": list(streams),
        "ways": [ways.SSH, ways.SOCAT.name, *(way.name for way in own_ways())],
    }


def measure(net: network.Network, capture: Capture, rounds: int, only: t.Sequence[str]) -> dict[str, list[ways.Run]]:
    """Move with each way in turn, so many times; returns the runs by way."""
    found: dict[str, list[ways.Run]] = {}
    with network.up(net) as ends, tempfile.TemporaryDirectory(prefix="b", dir=RESULT.parent) as name:
        folder = pathlib.Path(name)
        (folder / "ssh").mkdir()
        with ways.over_ssh(folder / "ssh", ends) as ssh:
            chosen = [way for way in (ssh, ways.SOCAT, *own_ways()) if not only or way.name in only]
            for _dummy in range(rounds):
                for way in chosen:
                    found.setdefault(way.name, []).append(_once(folder, ends, capture, way))
    return found


def _once(folder: pathlib.Path, ends: network.Ends, capture: Capture, way: ways.Way) -> ways.Run:
    site = Site(folder / "site")
    try:
        site.up([ways.SOURCE, ways.DESTINATION], None, replay=str(capture.description))
        for host, prefix in ((ways.SOURCE, ends.source), (ways.DESTINATION, ends.destination)):
            site[host].prefix = prefix
            site[host].record_points()
        site[ways.SOURCE].start_guest(_GUEST)
        return way.move(site, ends)
    finally:
        site.down()


def summary(capture: Capture, runs: t.Sequence[ways.Run]) -> Figures:
    """Return medians: MB/s of the stream, processor seconds for a GB, and the most memory of sender and receiver."""
    rate = statistics.median(capture.size / run.seconds for run in runs)
    peaks = [max(each) for each in zip(*(run.peak_kib for run in runs), strict=True)]
    return {
        "mb_s": round(rate / 1e6, 1),
        "cpu_s_per_gb": round(statistics.median(run.cpu_s for run in runs) / capture.size * 1e9, 2),
        "peak_mib": [round(peak / 1024, 1) for peak in peaks],
        "packing": runs[-1].packing,
        "raw": [dataclasses.asdict(run) for run in runs],
    }


def main() -> int:
    """Return 0 when every check holds."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="moves with each way (default: %(default)s)")
    parser.add_argument("--network", action="append", choices=[each.name for each in network.NETWORKS])
    parser.add_argument("--stream", action="append", help="only captures of this name")
    parser.add_argument("--way", action="append", default=[], help="only these ways")
    parser.add_argument("--streams", type=pathlib.Path, default=STREAMS, help="where captures lie (*.bin, *.bin.zst)")
    options = parser.parse_args()
    found = captures.known([options.streams])
    if not found:
        parser.error(f"{options.streams} has no capture (*.bin, *.bin.zst): give --streams")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    document: Figures = {"all": everything(found), "networks": {}}
    good = False
    with tempfile.TemporaryDirectory(prefix="c", dir=RESULT.parent) as name:
        for net in network.NETWORKS:
            if options.network and net.name not in options.network:
                continue
            for stream, path in found.items():
                if options.stream and stream not in options.stream:
                    continue
                capture = captures.prepare(stream, path, pathlib.Path(name))
                runs = measure(net, capture, options.rounds, options.way)
                told = {way: summary(capture, each) for way, each in runs.items()}
                document["networks"].setdefault(net.name, {})[stream] = told
                for way, each in told.items():
                    print(
                        f"{net.name} {stream} {way}: {each['mb_s']} MB/s, {each['cpu_s_per_gb']} CPU s a GB", flush=True
                    )
                # Each cell is minutes of work: whoever stops the run keeps what it has.
                good = figures.write(RESULT, document, judged.checks(document["networks"]))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
