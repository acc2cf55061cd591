# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender and a receiver on two hosts of the double, and whoever settles, without any playbook."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
import typing as t

from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import Side
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import present_script
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving

SESSION, NAME, UUID = receiving.SESSION, GuestConfig.name, GuestConfig.uuid
LIMIT_S = 240.0
# All of its memory is written again in each round.
BUSY = {"dirty_pages_per_s": 1e6, "working_set": 1 << 20}

# What the modules do after they have read their options.
_LAUNCH = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session import launch
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import settings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import find_binary
options = json.load(sys.stdin)
places = launch.prepare(options.pop("runtime"), options.pop("journal"), options["session"], "sender")
made = settings.SenderSettings(
    runtime_folder=places.runtime, journal_folder=places.journal, xl=find_binary("xl"), **options
)
print(json.dumps({**launch.launch(places, "sender", made, 120.0), "journal_folder": places.journal}))
"""
_SETTLE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._places import runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import conclusion, settle
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
options = json.load(sys.stdin)
here = Here(runtime_root=runtime_root(options.pop("runtime")), **options["here"])
xl = Xl(subprocess_runner())
if options["step"]:
    print(json.dumps(settle.act(here, xl, settle.Act(**options["step"]), 60.0)))
elif options["end"]:
    print(json.dumps(conclusion.conclude(here, xl, *options["end"], 60.0)))
else:
    print(json.dumps(settle.look(here, xl, 60.0).to_result()))
"""


def _python(host: Host, script: str, options: t.Mapping[str, t.Any]) -> t.Any:
    python = f"{host.paths.bin}/python3"
    done = host.run(python, "-c", script, str(COLLECTIONS), stdin=json.dumps(options).encode(), timeout=LIMIT_S)
    assert done.status == 0, done.stderr
    return json.loads(done.stdout)


def _places(host: Host) -> dict[str, str]:
    return {"runtime": str(host.paths.run.resolve() / "dom0-xen"), "journal": str(host.paths.lib / "dom0-xen")}


@dataclasses.dataclass
class Move:
    """A move from xen1 to xen2 that has begun."""

    site: Site
    journal: pathlib.Path

    def result(self, seconds: float = LIMIT_S) -> dict[str, t.Any]:
        """What the sender says at its end, which comes within so many seconds."""
        path = self.journal / "result.json"
        until(path.exists, seconds=seconds)
        document = json.loads(path.read_bytes())
        assert isinstance(document, dict)
        return document

    def steps(self) -> list[str]:
        """What is in the sender's journal."""
        return [str(record["step"]) for record in self.records()]

    def records(self) -> list[dict[str, t.Any]]:
        """What is there, with what belongs to each step."""
        return list(journal.read(str(self.journal)))

    def settle(self, vouched_ran: bool | None = None) -> Decision:
        """Settle until there is an end, or a person is asked, and return that; ``vouched_ran`` is a person's word."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            source = dataclasses.replace(self._look("xen1", "sender"), host="xen1", vouched_ran=vouched_ran)
            destination = dataclasses.replace(self._look("xen2", "receiver"), host="xen2", vouched_ran=vouched_ran)
            made = decide(source, destination)
            if made.next == to.DONE:
                for host, role in (("xen1", "sender"), ("xen2", "receiver")):
                    self._ask(host, role, end=(made.owner, made.end_state))
            if made.next in (to.DONE, to.HUMAN):
                return made
            assert time.monotonic() < deadline, made
            if made.step is not None:
                side = source if made.step.side == to.SOURCE else destination
                step = {"verb": made.step.verb, "status": made.step.status, "domid": side.domid}
                host, role = ("xen1", "sender") if side is source else ("xen2", "receiver")
                self._ask(host, role, step=step)
            time.sleep(0.2)

    def _look(self, host: str, role: str) -> Side:
        return Side.from_result(self._ask(host, role))

    def _ask(self, host: str, role: str, step: t.Any = None, end: t.Any = None) -> t.Any:
        places = _places(self.site[host])
        here = {"journal_root": places["journal"], "session": SESSION, "role": role, "uuid": UUID, "name": NAME}
        options = {"runtime": places["runtime"], "here": {**here, "settler": "me"}, "step": step, "end": end}
        return _python(self.site[host], _SETTLE, options)


def writing(make_site: MakeSite, **behaviour: t.Any) -> Site:
    """Two hosts that note what they pass, and a guest of 8 MiB on xen1 that writes its memory like this."""
    site = make_site("xen1", "xen2")
    site["xen1"].start_guest(GuestConfig(memory_mib=8, compact=True, behaviour=behaviour))
    for host in site.hosts.values():
        host.record_points()
    return site


def begin(site: Site, method: str, **changes: t.Any) -> Move:
    """Begin to move the guest."""
    return begin_to(site, receiving.start(site["xen2"], method=method), method=method, **changes)


def begin_to(site: Site, receiver: receiving.Running, **changes: t.Any) -> Move:
    """Begin to move the guest to a receiver that is there."""
    source, mine = site["xen1"], loopback.credentials("sender")
    places = _places(source)
    script = present_script(places["runtime"], SESSION, "sender", mine)
    done = source.run("sh", "-c", script, stdin=bytes(mine.key))
    assert done.status == 0, done.stderr
    options = {
        **places,
        "session": SESSION,
        "uuid": UUID,
        "name": NAME,
        "peer_certificate": receiver.certificate,
        "destination_address": receiver.address,
        "port": receiver.port,
        "connect_timeout": 60,
        "link_timeout": 60,
        "stop_link_timeout": 60,
        "memory_kib": receiving.MEMORY_KIB,
        "gate_held": False,
        "gate_timeout": 60,
        "progress_interval": 1.0,
        "peer_host": "xen2",
        **changes,
    }
    return Move(site, pathlib.Path(_python(source, _LAUNCH, options)["journal_folder"]))


def until(reached: t.Callable[[], object], tell: t.Callable[[], object] = lambda: "", seconds: float = LIMIT_S) -> None:
    """Wait until something is so; where it does not come to that, ``tell`` says how far it has."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"it did not come to that {tell()}"
        time.sleep(0.05)
