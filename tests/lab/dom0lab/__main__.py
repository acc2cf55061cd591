# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from . import control, needs, places
from .errors import LabError
from .lab import Lab, take_down
from .start import Settings, prepare_cache


def parser() -> argparse.ArgumentParser:
    """Every verb with its options."""
    top = argparse.ArgumentParser(prog="lab", description="Two real Xen hosts in QEMU, with a test guest.")
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("missing", help="what this machine lacks for the lab")
    verbs.add_parser("install", help="install the missing Debian packages (as root or through sudo)")
    for name, text in (("build", "make image and test guest"), ("up", "start the lab and leave it up")):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--release", default="bookworm", help="Debian release of the hosts, or one for each: a,b")
        if name == "up":
            verb.add_argument("--cold", action="store_true", help="boot, and make the snapshot anew")
            verb.add_argument("--memory", type=int, default=2048, help="MiB of each host")
    verbs.add_parser("status", help="processes, memory, where the guest is")
    ssh = verbs.add_parser("ssh", help="a shell, or a command, on a host")
    ssh.add_argument("host")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    guest = verbs.add_parser("guest", help="start the guest, ask it, change its rate, stop it")
    guest.add_argument("action", choices=["start", "ask", "verify", "set-rate", "stop", "where"])
    guest.add_argument("value", nargs="?", help="start: the host; set-rate: pages a second")
    observe = verbs.add_parser("observe", help="watch the guest from outside, for a time or while a command runs")
    observe.add_argument("--for", dest="seconds", type=float, default=10.0)
    observe.add_argument("--everywhere", action="store_true", help="ask every copy there is, to find a second one")
    observe.add_argument(
        "--timeline", metavar="FROM,TO", help="also the stop time, from XenStore on both hosts: xen1,xen2"
    )
    observe.add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser("reset", help="back to the snapshot, the guest on xen1")
    power = verbs.add_parser("power", help="pull a host's plug, or boot it again")
    power.add_argument("action", choices=["off", "on"])
    power.add_argument("host")
    network = verbs.add_parser("network", help="cut the network between the hosts, or mend it")
    network.add_argument("action", choices=["cut", "mend"])
    monitor = verbs.add_parser("monitor", help="a line for a host's QEMU monitor (QMP's human-monitor-command)")
    monitor.add_argument("host")
    monitor.add_argument("line", nargs="+")
    verbs.add_parser("down", help="end every process of the lab; the cache stays")
    clean = verbs.add_parser("clean", help="remove images and snapshots not used of late from the cache")
    clean.add_argument("--days", type=float, default=1.0, help="how long not used; 0 removes all")
    return top


def _up(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    names = arguments.release.split(",")
    releases = tuple(names) if len(names) > 1 else (names[0], names[0])
    lab = Lab.up(Settings(releases, arguments.memory, arguments.cold))
    lab.detach()
    print(f"up after {time.monotonic() - started:.1f} s {json.dumps(lab.times)}, the guest running on xen1")
    print(f"inventory: {lab.inventory}")


def _status(lab: Lab) -> None:
    status = control.ask(lab.folder, "status")
    for name, host in lab.hosts.items():
        pid = status["hosts"][name]["pid"]
        peak = needs.status_mib(pid, "VmHWM") if pid else 0
        state = f"pid {pid}, peak {peak} MiB" if pid else "off"
        print(f"{name}: {state}, ssh 127.0.0.1:{host.ssh_port}, {host.address}")
    print(f"guest on {lab.guest.where()}, cuts {status['cuts']}, state in {lab.folder}")


def _guest(lab: Lab, action: str, value: str | None) -> None:
    if action == "start":
        answer: object = lab.guest.start(lab.hosts[value or "xen1"])
    elif action == "set-rate":
        answer = lab.guest.set_rate(int(value or "0"))
    elif action == "stop":
        lab.guest.stop()
        answer = {"stopped": True}
    elif action == "where":
        answer = lab.guest.where()
    else:
        answer = lab.guest.ask(verify=action == "verify")
    print(json.dumps(answer))


def _observe(lab: Lab, arguments: argparse.Namespace) -> int:
    command: Sequence[str] = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    status = 0
    with contextlib.ExitStack() as stack:
        watch = stack.enter_context(lab.observe(everywhere=arguments.everywhere))
        steps = stack.enter_context(lab.watch_timeline(*arguments.timeline.split(","))) if arguments.timeline else None
        if command:
            status = subprocess.run(command, check=False).returncode
            time.sleep(1)
        else:
            time.sleep(arguments.seconds)
    result = watch.observation.as_result() if watch.observation else {}
    if steps:
        result["timeline"] = steps.timeline(lab.guest.name).as_result()
    print(json.dumps(result))
    return status


def _with_lab(arguments: argparse.Namespace) -> int:
    lab = Lab.attach()
    verb = arguments.verb
    if verb == "status":
        _status(lab)
    elif verb == "ssh":
        command = [*lab.hosts[arguments.host].ssh(), *([" ".join(arguments.command)] if arguments.command else [])]
        return subprocess.run(command, check=False).returncode
    elif verb == "guest":
        _guest(lab, arguments.action, arguments.value)
    elif verb == "observe":
        return _observe(lab, arguments)
    elif verb == "reset":
        print(f"reset in {lab.reset():.1f} s")
    elif verb == "power":
        host = lab.hosts[arguments.host]
        host.power_off() if arguments.action == "off" else host.power_on()
    elif verb == "network":
        lab.cut() if arguments.action == "cut" else lab.mend()
    elif verb == "monitor":
        with lab.hosts[arguments.host].monitor() as monitor:
            print(monitor.human(" ".join(arguments.line)))
    return 0


def run(arguments: argparse.Namespace) -> int:
    """One verb."""
    verb = arguments.verb
    if verb == "missing":
        found = needs.missing()
        for item in found:
            print(item)
        if any(item.package for item in found):
            print("`lab install` gets the packages")
        elif not found:
            print("nothing is missing")
        return 1 if found else 0
    if verb == "install":
        needs.install()
        print("every program the lab needs is installed")
    elif verb == "build":
        prepare_cache(tuple(arguments.release.split(",")), print)
    elif verb == "up":
        _up(arguments)
    elif verb == "down":
        take_down(places.state_root())
    elif verb == "clean":
        print("removed:", *(places.prune_cache(arguments.days) or ["nothing"]))
    else:
        return _with_lab(arguments)
    return 0


def main() -> int:
    """Exit status 0 when done, 1 when something is missing or a command failed, 2 for an error told on stderr."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        return run(parser().parse_args())
    except LabError as exc:
        print(f"lab: {exc}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
