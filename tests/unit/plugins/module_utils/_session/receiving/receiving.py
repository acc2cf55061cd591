# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real receiver process on a host of the double, and a sender that may say what it likes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import select
import time
import typing as t

from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils._link.dialer import Dialer
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import make_credentials, present_script
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback

SESSION = loopback.SESSION
NAME, UUID, MEMORY_KIB = GuestConfig.name, GuestConfig.uuid, 114688

# What the module does after it has read its options.
_LAUNCH = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session import launch
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import settings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import find_binary
options = json.load(sys.stdin)
places = launch.prepare(options.pop("runtime"), options.pop("journal"), options["session"], "receiver")
made = settings.ReceiverSettings(
    runtime_folder=places.runtime, journal_folder=places.journal, xl=find_binary("xl"), **options
)
answer = launch.launch(places, "receiver", made, 30.0)
print(json.dumps({**answer, "runtime_folder": places.runtime, "journal_folder": places.journal}))
"""


@dataclasses.dataclass
class Running:
    """A receiver that has said where it listens."""

    host: Host
    pid: int
    address: str
    port: int
    runtime: pathlib.Path
    journal: pathlib.Path
    key: bytes
    certificate: str
    arrived: list[t.Any] = dataclasses.field(default_factory=list)

    def result(self, seconds: float = 20.0) -> dict[str, t.Any]:
        """The result, once its process has ended."""
        deadline = time.monotonic() + seconds
        path = self.journal / "result.json"
        while not path.exists() or self.runtime.exists() or os.path.exists(f"/proc/{self.pid}/exe"):
            assert time.monotonic() < deadline, self.status()
            time.sleep(0.02)
        document = json.loads(path.read_bytes())
        assert isinstance(document, dict)
        return document

    def status(self) -> dict[str, t.Any]:
        """The status document now."""
        document = json.loads((self.runtime / "status.json").read_bytes())
        assert isinstance(document, dict)
        return document

    def descriptors(self) -> int:
        """How many descriptors it has."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self) -> int:
        """Bytes of memory it has in use."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def listening(self) -> set[str]:
        """Every TCP address that it listens on, as the kernel names them."""
        own = set()
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(OSError):
                own.add(os.readlink(f"/proc/{self.pid}/fd/{number}"))
        found = set()
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(OSError), open(f"/proc/net/{table}", encoding="ascii") as file:
                for fields in map(str.split, list(file)[1:]):
                    if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                        found.add(fields[1])
        return found


def start(host: Host, **changes: t.Any) -> Running:
    """Put credentials on the host and start its receiver, as the playbook does."""
    credentials = make_credentials("receiver")
    runtime, journal = host.paths.run.resolve() / "dom0-xen", host.paths.lib / "dom0-xen"
    done = host.run(
        "sh", "-c", present_script(str(runtime), SESSION, "receiver", credentials), stdin=bytes(credentials.key)
    )
    assert done.status == 0, done.stderr
    options = {
        "runtime": str(runtime),
        "journal": str(journal),
        "session": SESSION,
        "uuid": UUID,
        "name": NAME,
        "peer_certificate": loopback.credentials("sender").certificate,
        "memory_max_kib": MEMORY_KIB,
        "listen_address": "127.0.0.1",
        "port_first": 0,
        "port_last": 0,
        "admission_timeout": 60,
        "banner_timeout": 30,
        "link_timeout": 30,
        "peer_host": "xen1",
        **changes,
    }
    done = host.run(f"{host.paths.bin}/python3", "-c", _LAUNCH, str(COLLECTIONS), stdin=json.dumps(options).encode())
    assert done.status == 0, done.stderr
    answer = json.loads(done.stdout)
    return Running(
        host,
        answer["pid"],
        answer["address"],
        answer["port"],
        pathlib.Path(answer["runtime_folder"]),
        pathlib.Path(answer["journal_folder"]),
        bytes(credentials.key),
        credentials.certificate,
    )


@contextlib.contextmanager
def sender(receiver: Running, who: str = "sender", session: str = SESSION) -> t.Iterator[Link]:
    """A link to it, shown the credentials of ``who``; nothing has moved yet."""
    link = Link(time.monotonic)
    dialer = Dialer(
        link,
        session=session,
        route=Direct(receiver.address, receiver.port),
        cover=loopback.cover(loopback.credentials(who), server=False, peer=receiver.certificate),
        clock=time.monotonic,
    )
    link.dialer = dialer  # type: ignore[attr-defined]
    try:
        yield link
    finally:
        dialer.close()
        link.detach()


def until(receiver: Running, link: Link, done: t.Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the sender's end work until ``done``; messages go to ``receiver.arrived``. Raises what the link raises."""
    deadline, dialer = time.monotonic() + seconds, link.dialer  # type: ignore[attr-defined]
    while not done():
        assert time.monotonic() < deadline
        poll = select.poll()
        current = link.connection or dialer
        if current.fileno() >= 0:
            poll.register(current.fileno(), select.POLLIN | (select.POLLOUT if current.interest() & 2 else 0))
        poll.poll(20)
        try:
            dialer.progress()
            for frame in link.progress():
                receiver.arrived.append(frame.document())
                link.use(frame)
            link.acknowledge()
            link.tick()
        except Unreachable:
            continue
        except LinkError:
            if done():
                return
            raise
