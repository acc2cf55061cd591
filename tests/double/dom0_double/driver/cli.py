# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``double``: make hosts, start guests, look, and end it all."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from .host import GuestConfig
from .site import Site


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="double", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text)
        made.add_argument("--state", type=pathlib.Path, required=True, help="folder of the hosts")
        return made

    up = verb("up", "make hosts and switch them on")
    up.add_argument("--python", help="interpreter for modules, with pyxs (default: the one that runs this)")
    up.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="a setting of the hosts")
    up.add_argument("hosts", nargs="+")
    verb("down", "end every process of the hosts")
    guest = verb("guest", "start a guest")
    guest.add_argument("--name", default="centos")
    guest.add_argument("--uuid", default=GuestConfig.uuid)
    guest.add_argument("--kind", default="pvh", choices=("pv", "pvh", "hvm"))
    guest.add_argument("--memory", type=int, default=16, metavar="MIB")
    guest.add_argument("--bridge", default="xenbr0")
    guest.add_argument("--compact", action="store_true", help="leave out the holes below 4 GiB")
    guest.add_argument("--dirty", type=float, default=0.0, metavar="PAGES/S")
    guest.add_argument("--working-set", type=int, default=1000, metavar="PAGES")
    guest.add_argument("host")
    status = verb("status", "show what runs where, as JSON")
    status.add_argument("--uuid", default=GuestConfig.uuid)
    configure = verb("set", "change settings of a host")
    configure.add_argument("host")
    configure.add_argument("settings", nargs="+", metavar="NAME=JSON")
    fault = verb("fault", "replace the faults of a host")
    fault.add_argument("host")
    fault.add_argument("faults", nargs="*", metavar="JSON")
    for name, text in (("power-off", "take a host's power"), ("power-on", "boot a host"), ("power-cycle", "both")):
        verb(name, text).add_argument("host")
    run = verb("run", "run a command on a host")
    run.add_argument("host")
    run.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _settings(texts: list[str]) -> dict[str, object]:
    return {name: json.loads(value) for name, dummy, value in (text.partition("=") for text in texts)}


def main() -> int:
    """Run one verb."""
    options = _parser().parse_args()
    site = Site(options.state, bound=False)
    match options.verb:
        case "up":
            site.up(options.hosts, options.python, **_settings(options.set))
            print(site.inventory)
        case "down":
            left = site.down()
            print("\n".join(["still there:", *left]) if left else "down")
        case "guest":
            behaviour = {"dirty_pages_per_s": options.dirty, "working_set": options.working_set}
            guest = GuestConfig(
                options.name, options.uuid, options.kind, options.memory,
                bridge=options.bridge, compact=options.compact, behaviour=behaviour,
            )  # fmt: skip
            print(site[options.host].start_guest(guest))
        case "status":
            print(json.dumps(_status(site, options.uuid), indent=1))
        case "set":
            site[options.host].configure(**_settings(options.settings))
        case "fault":
            site[options.host].faults(*[json.loads(text) for text in options.faults])
        case "run":
            return site[options.host].spawn(*options.command).wait()
        case verb:
            getattr(site[options.host], verb.replace("-", "_"))()
    return 0


def _status(site: Site, uuid: str) -> dict[str, object]:
    hosts = {}
    for host in site.hosts.values():
        hosts[host.name] = [
            {**info, "guest": host.machine.call("guest", domid=info["domid"]) if not info["dying"] else None}
            for info in host.domains()
        ]
    return {
        "hosts": hosts,
        "running": [interval.host for interval in site.running(uuid)],
        "overlaps": len(site.overlaps(uuid)),
        "gaps_s": site.gaps(uuid),
    }


if __name__ == "__main__":
    sys.exit(main())
