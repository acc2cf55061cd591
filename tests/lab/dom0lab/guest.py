# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test guest, wherever it runs."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .errors import LabError
from .guest_disk import USUAL, GuestSpec
from .host import Host
from .outside import Outside

# xenconsoled keeps what nobody has read; its client ends when its input does.
LAST_WORDS = "xl list {domid}; sleep 10 | timeout 20 xl console {domid} | tail -c 16000; xl dmesg | tail -n 10"


class Guest:
    """Starts a guest, asks it, finds it. Rates are in pages a second, of 4 KiB each.

    Whatever it is started with has the name, the UUID and the address of ``spec``.
    """

    def __init__(self, folder: Path, hosts: Iterable[Host], spec: GuestSpec = USUAL) -> None:
        self._folder, self._hosts = folder, list(hosts)
        self.spec, self.name, self.uuid = spec, spec.name, spec.uuid

    def start(self, host: Host, spec: GuestSpec | None = None, *, timeout: float = 300) -> dict[str, t.Any]:
        """Start it on ``host`` and wait for its first answer, which is returned."""
        host.run(
            f"cat > /run/{self.name}.cfg && xl create -q /run/{self.name}.cfg && rm /run/{self.name}.cfg",
            stdin=(spec or self.spec).config(),
            timeout=timeout,
        )
        return self.ask(timeout=timeout)

    def ask(self, *, verify: bool = False, timeout: float = 60) -> dict[str, t.Any]:
        """Its answer: boot_id, counter, rate, memory_verified, bad, verified ...; ``verify`` waits for a whole pass."""
        return self._question("verify" if verify else "ask", timeout, every=5.0 if verify else 1.0)

    def set_rate(self, pages_per_s: int) -> dict[str, t.Any]:
        return self._question(f"rate {pages_per_s}", 30)

    def _question(self, words: str, timeout: float, every: float = 1.0) -> dict[str, t.Any]:
        with Outside(self._folder, self.spec) as outside:
            return outside.question(words, timeout=timeout, every=every)

    def where(self) -> list[str]:
        """Names of the hosts that have a domain of this name (with one copy, that is one)."""
        return [host.name for host, domains in self._domains() if self.name in domains]

    def _domains(self) -> list[tuple[Host, dict[str, int]]]:
        """The domains of each host that is on; all are asked at once, since each takes its time."""
        hosts = [host for host in self._hosts if host.pid]
        with ThreadPoolExecutor(max(1, len(hosts))) as pool:
            return list(zip(hosts, pool.map(Host.domains, hosts), strict=True))

    def _copies(self) -> Iterator[tuple[Host, str, int]]:
        """Every copy, under whatever name a migration left it: its host, its name and its number there."""
        for host, domains in self._domains():
            for name, domid in domains.items():
                if name.partition("--")[0] == self.name:
                    yield host, name, domid

    def stop(self) -> None:
        """Destroy every copy, under whatever name a migration left it."""
        for host, dummy, domid in self._copies():
            host.run(["xl", "destroy", str(domid)])

    def last_words(self) -> str:
        """What each copy has written to its console, and Xen last to its own, for a person who looks for a cause."""
        words = []
        for host, name, domid in self._copies():
            done = host.run(LAST_WORDS.format(domid=domid), check=False)
            words.append(f"{host.name}, {name}:\n{done.stdout}")
        return "\n".join(words)

    def host(self) -> Host:
        """The one host that has it. Raises LabError when none or several have."""
        names = self.where()
        if len(names) != 1:
            raise LabError(f"the guest is on {names or 'no host'}, not on one")
        return next(host for host in self._hosts if host.name == names[0])
