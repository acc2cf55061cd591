# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All domains of one host: made, built, run, suspended, resumed, destroyed."""

from __future__ import annotations

import os
import pathlib
import time

from ..settings import Settings
from . import runlog
from .domain import CRASH, POWEROFF, REBOOT, SUSPEND, Domain, HypercallError, Json
from .guest import Behaviour, Guest
from .loop import Loop
from .nodes import Nodes
from .store import Store

_DOM0_UUID = "00000000-0000-0000-0000-000000000000"
#: Xen's own use of memory, which belongs to no domain.
_XEN_MIB = 64


class Hypervisor:
    """Domains, their memory and their guests."""

    def __init__(self, name: str, settings: Settings, store: Store, loop: Loop, run_log: pathlib.Path) -> None:
        self.settings = settings
        self.name = name
        self.store = store
        self._loop = loop
        self._run_log = run_log
        self.dom0_kib = settings.dom0_memory_mib * 1024
        self.nodes = Nodes(store, name, self.dom0_kib)
        self.domains: dict[int, Domain] = {}
        # All hosts share /proc, where a process at work on a domain shows its domid: no two hosts give the same one.
        self._next_domid = 1 + os.getpid() % 300 * 100
        self._booted_ns = self.now()
        store.introduced = lambda domid: domid == 0 or (domid in self.domains and self.domains[domid].introduced)
        store.hooks.append(self._changed)

    @staticmethod
    def now() -> int:
        """Return CLOCK_MONOTONIC, the clock of all records."""
        return time.monotonic_ns()

    # -- looking ---------------------------------------------------------------------------------------------------

    def get(self, domid: int) -> Domain:
        """Return a domain; ESRCH when there is none."""
        try:
            return self.domains[domid]
        except KeyError:
            raise HypercallError("ESRCH") from None

    def guest_of(self, domid: int) -> Guest:
        """Return a built domain's guest, brought up to now."""
        guest = self.get(domid).guest
        if guest is None:
            raise HypercallError("EINVAL")
        guest.advance(self.now())
        return guest

    @property
    def free_kib(self) -> int:
        """Memory that belongs to nobody."""
        used = sum(domain.populated * 4 for domain in self.domains.values())
        return max(0, (self.settings.memory_mib - _XEN_MIB) * 1024 - self.dom0_kib - used)

    def list(self) -> list[Json]:
        """Return what getdomaininfolist tells, dom0 first."""
        now = self.now()
        for domain in self.domains.values():
            if domain.guest:
                domain.guest.advance(now)
        return [self._dom0(), *(self.domains[domid].info() for domid in sorted(self.domains))]

    def _dom0(self) -> Json:
        info = Domain(0, _DOM0_UUID, "pv", self.dom0_kib, self.settings.cpus, {}, pauses=0).info()
        used = 10_000_000_000 + (self.now() - self._booted_ns) // 20
        return {**info, "running": True, "memory_kib": self.dom0_kib, "cpu_time_ns": used}

    def name_of(self, domid: int) -> str | None:
        """Return a domain's name, which is in XenStore only."""
        return self.store.read(f"/local/domain/{domid}/name")

    # -- running and not running -----------------------------------------------------------------------------------

    def _schedule(self, domain: Domain, why: str) -> None:
        guest = domain.guest
        if guest is None or guest.running == domain.may_run:
            return
        now = self.now()
        if domain.may_run:
            guest.start(now)
            domid = domain.domid
            self._loop.later(0.01, lambda: self._woken(domid))
        else:
            guest.stop(now)
        event = "start" if domain.may_run else "stop"
        entry = runlog.Entry(now, self.name, domain.domid, domain.uuid, event, why, guest.boot_id)
        runlog.append(self._run_log, entry)

    def _woken(self, domid: int) -> None:
        domain = self.domains.get(domid)
        if domain and domain.may_run:
            self.nodes.connect(domid)
            self._changed(f"/local/domain/{domid}/control/shutdown".encode())

    def _changed(self, path: bytes) -> None:
        parts = path.split(b"/")
        if len(parts) != 6 or parts[4:] != [b"control", b"shutdown"] or not parts[3].isdigit():
            return
        domain = self.domains.get(int(parts[3]))
        request = self.store.read(path.decode())
        if domain is None or domain.guest is None or not domain.may_run or request not in _REQUESTS:
            return
        if domain.guest.stopped:
            return
        behaviour = domain.guest.behaviour
        if _manners(behaviour, request) == "ignore":
            return
        domid, asked = domain.domid, request
        self._loop.later(behaviour.acknowledge_s, lambda: self._acknowledge(domid, asked))

    def _acknowledge(self, domid: int, request: str) -> None:
        domain = self.domains.get(domid)
        path = f"/local/domain/{domid}/control/shutdown"
        if domain is None or not domain.may_run or self.store.read(path) != request or domain.guest is None:
            return
        self.store.write(path, "")
        behaviour = domain.guest.behaviour
        manners = _manners(behaviour, request)
        if manners == "ack_only":
            return
        reason = REBOOT if manners == "reboot" else _REQUESTS[request]
        takes_s = behaviour.suspend_s if request == "suspend" else behaviour.shutdown_s
        self._loop.later(takes_s, lambda: self.shut_down(domid, reason))

    def shut_down(self, domid: int, reason: int) -> None:
        """Let a guest shut itself down; one that is paused does so when it runs again."""
        domain = self.domains.get(domid)
        if domain is None or not domain.may_run:
            if domain is not None and domain.pauses and not domain.shutdown:
                domain.ending = reason
            return
        domain.shutdown, domain.reason = True, reason
        self._schedule(domain, "suspend" if reason == SUSPEND else "shutdown")
        self.store.special("@releaseDomain")

    def pause(self, domid: int) -> None:
        """Pause; pauses nest."""
        domain = self.get(domid)
        domain.pauses += 1
        self._schedule(domain, "pause")

    def unpause(self, domid: int) -> None:
        """Undo one pause; EINVAL when the domain is not paused."""
        domain = self.get(domid)
        if domain.pauses == 0:
            raise HypercallError("EINVAL")
        domain.pauses -= 1
        self._schedule(domain, "unpause")
        if domain.may_run and domain.ending is not None:
            reason, domain.ending = domain.ending, None
            self._loop.later(0.0, lambda: self.shut_down(domid, reason))

    def resume(self, domid: int, anew: bool = False) -> None:
        """Resume a suspended domain; EINVAL when it is not suspended (xg_resume.c modify_returncode).

        A kernel that is told that it was restored ``anew``, and was not, stops in its own resume.
        """
        domain = self.get(domid)
        if not domain.shutdown or domain.reason != SUSPEND:
            raise HypercallError("EINVAL", f"{int(domain.shutdown)} {domain.reason if domain.shutdown else 0}")
        domain.shutdown, domain.reason = False, POWEROFF
        if anew and domain.guest is not None:
            domain.guest.stopped = True
        self._schedule(domain, "resume")

    # -- coming and going ------------------------------------------------------------------------------------------

    def create(self, config: Json, domid: int = 0) -> int:
        """Make an empty domain, paused, with its nodes; EEXIST when its name is taken."""
        name = config["c_info"]["name"]
        if any(self.name_of(other) == name for other in (0, *self.domains)):
            raise HypercallError("EEXIST", name)
        if not domid:
            domid = self._next_domid
            self._next_domid += 1
        elif domid in self.domains:
            raise HypercallError("EEXIST")
        info = config["b_info"]
        kind = config["c_info"].get("type", "pv")
        domain = Domain(domid, config["c_info"]["uuid"], kind, info["max_memkb"], info["max_vcpus"], config)
        self.domains[domid] = domain
        self.nodes.make(domid, domain.uuid, kind, name)
        return domid

    def populate(self, domid: int, pages: int) -> None:
        """Give pages to a domain; ENOMEM when there are not enough."""
        if pages * 4 > self.free_kib:
            raise HypercallError("ENOMEM")
        self.get(domid).populated += pages

    def build(self, domid: int, guest: Guest) -> None:
        """Put a guest into a domain that was made."""
        domain = self.get(domid)
        domain.guest = guest
        self._schedule(domain, "build")

    def introduce(self, domid: int) -> None:
        """Tell XenStore of a built domain."""
        domain = self.get(domid)
        domain.introduced = True
        self.nodes.build(domid, domain.uuid, domain.config)
        self.store.special("@introduceDomain")

    def rename(self, domid: int, old: str | None, new: str) -> None:
        """Rename in one go (libxl_domain.c libxl__domain_rename): EEXIST: name taken, ESTALE: has another name."""
        domain = self.get(domid)
        if any(other != domid and self.name_of(other) == new for other in (0, *self.domains)):
            raise HypercallError("EEXIST", new)
        found = self.name_of(domid)
        if old is not None and found != old:
            raise HypercallError("ESTALE", found or "")
        self.store.write(f"/local/domain/{domid}/name", new)
        self.store.write(f"/vm/{domain.uuid}/name", new)

    def destroy(self, domid: int) -> None:
        """Destroy a domain and its nodes. A zombie goes when its memory is let go; once more changes nothing."""
        domain = self.get(domid)
        if domain.dying:
            return
        domain.dying = True
        self._schedule(domain, "destroy")
        self.nodes.remove(domid, domain.uuid)
        if self.settings.zombie_s:
            # Paused first (libxl_domain.c libxl__destroy_domid), and all but a few pages are given back.
            domain.pauses += 1
            domain.populated = min(domain.populated, 2)
            self._loop.later(self.settings.zombie_s, lambda: self._let_go(domid))
        else:
            del self.domains[domid]
        self.store.special("@releaseDomain")

    def _let_go(self, domid: int) -> None:
        del self.domains[domid]
        self.store.special("@releaseDomain")

    def power_off(self) -> None:
        """Note that nothing runs here any more."""
        for domain in self.domains.values():
            domain.dying = True
            self._schedule(domain, "power loss")


def _manners(behaviour: Behaviour, request: str) -> str:
    return {"suspend": behaviour.suspend, "poweroff": behaviour.shutdown}.get(request, "normal")


_REQUESTS = {"suspend": SUSPEND, "poweroff": POWEROFF, "halt": POWEROFF, "reboot": REBOOT, "crash": CRASH}
