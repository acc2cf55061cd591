# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain as the hypervisor knows it."""

from __future__ import annotations

import dataclasses
import typing as t

from .guest import Guest

#: Shutdown reasons of xen/include/public/sched.h.
POWEROFF, REBOOT, SUSPEND, CRASH, WATCHDOG, SOFT_RESET = range(6)

Json = dict[str, t.Any]
#: What libxl stores for "any free number" (libxl_domain.h INVALID_DOMID).
ANY_DOMID = 0xFFFFFFFF
#: Numbers from here on are not guests' (xen/include/public/xen.h DOMID_FIRST_RESERVED).
_FIRST_RESERVED = 0x7FF0


def target_fudge(config: Json) -> int:
    """Return by how much ``memory/target`` is below the configured target, KiB (libxl__get_targetmem_fudge)."""
    info = config["b_info"]
    hvm = config["c_info"].get("type") == "hvm" and info["max_memkb"] > info["target_memkb"]
    return int(info.get("video_memkb", 0)) + (1024 if hvm else 0)


def wanted_domid(config: Json) -> int:
    """Return the number a domain is to have, 0 for any."""
    domid = int(config["c_info"].get("domid", 0))
    return domid if domid < _FIRST_RESERVED else 0


def with_domid(config: Json, domid: int | None) -> None:
    """Put a domid into a configuration, where libxl has it, or take it out."""
    info: Json = {}
    for key, value in config["c_info"].items():
        if key != "domid":
            info[key] = value
        if key == "name" and domid is not None:
            info["domid"] = domid
    config["c_info"] = info


class HypercallError(Exception):
    """A refused hypercall: the name of an errno, and for some a text."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__(name, text)
        self.name = name
        self.text = text


@dataclasses.dataclass
class Domain:
    """A domain. New ones are paused once, as Xen makes them."""

    domid: int
    uuid: str
    kind: str
    memory_kib: int
    vcpus: int
    config: Json
    pauses: int = 1
    shutdown: bool = False
    reason: int = POWEROFF
    dying: bool = False
    introduced: bool = False
    #: The reason with which a guest that agreed to shut down will do so as soon as it runs again.
    ending: int | None = None
    #: Pages that exist in the domain; grows while a stream is received.
    populated: int = 0
    guest: Guest | None = None
    #: The processors that its vCPUs may run on, None for all. It stays behind when the domain is moved.
    pinned: list[int] | None = None

    @property
    def may_run(self) -> bool:
        """Whether the scheduler lets the guest run."""
        return self.guest is not None and self.pauses == 0 and not self.shutdown and not self.dying

    def info(self) -> Json:
        """Return what XEN_DOMCTL_getdomaininfo tells."""
        guest = self.guest
        idle = self.may_run or (guest is not None and self.pauses > 0 and guest.ran_here_ns > 0 and not self.shutdown)
        return {
            "domid": self.domid,
            "uuid": self.uuid,
            "kind": self.kind,
            "running": False,
            "blocked": idle and self.pauses == 0,
            "paused": self.pauses > 0,
            "shutdown": self.shutdown,
            "reason": self.reason,
            "dying": self.dying,
            "memory_kib": self.populated * 4 if self.guest is None or self.dying else self.memory_kib,
            "vcpus": self.vcpus,
            "pinned": self.pinned,
            "cpu_time_ns": int(guest.ran_here_ns * guest.behaviour.load) if guest else 0,
        }
