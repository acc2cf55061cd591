# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes libxl makes for a domain (libxl_create.c libxl__domain_make, libxl_dom.c libxl__build_post)."""

from __future__ import annotations

import time

from .domain import Json, target_fudge
from .store import Store

_CONSOLE_FRONT = {
    "limit": "1048576",
    "type": "xenconsoled",
    "output": "pty",
    "port": "2",
    "ring-ref": str(0xFEFFF),
    "tty": "/dev/pts/0",
}


class Nodes:
    """Writes and removes the nodes of domains in one host's XenStore."""

    def __init__(self, store: Store, host: str, started_kib: int) -> None:
        self._store = store
        self._host = host
        self._dom0(started_kib)

    def _dom0(self, memory_kib: int) -> None:
        write = self._store.write
        # The last two are where Debian's oxenstored keeps its special watches.
        for path in ("/local/domain/0", "/libxl", "/vm", "/@introduceDomain", "/@releaseDomain"):
            write(path, "")
        write("/tool/xenstored", "/usr/lib/xen-4.17/bin/oxenstored")
        write("/local/pool/0/name", "Pool-0")
        write("/local/domain/0/name", "Domain-0")
        write("/local/domain/0/domid", "0")
        write("/local/domain/0/memory/target", str(memory_kib))
        write("/local/domain/0/memory/static-max", str(memory_kib))
        for feature in ("poweroff", "reboot", "suspend"):
            write(f"/local/domain/0/control/feature-{feature}", "1")

    def make(self, domid: int, uuid: str, kind: str, name: str) -> None:
        """Make the nodes of a new domain. The nodes of another domain with the same UUID below /vm are lost."""
        store, base, vm = self._store, f"/local/domain/{domid}", f"/vm/{uuid}"
        for path in (base, vm, f"/libxl/{domid}"):
            store.remove(path)
            store.write(path, "")
        store.permissions(base, "n0", f"r{domid}")
        store.permissions(vm, "n0", f"r{domid}")
        store.write(f"/libxl/{domid}/device", "")
        store.write(f"{base}/vm", vm)
        store.write(f"{base}/name", name)
        for path in ("cpu", "memory", "device", "device/suspend", "device/suspend/event-channel", "control"):
            store.write(f"{base}/{path}", "")
        own = ["control/shutdown", "control/feature-poweroff", "control/feature-reboot", "control/feature-suspend"]
        own += ["control/feature-s3", "control/feature-s4"] if kind == "hvm" else []
        own += ["control/sysrq", "data", "drivers", "feature", "attr", "error", "device/suspend/event-channel"]
        for path in own:
            store.write(f"{base}/{path}", "")
            store.permissions(f"{base}/{path}", f"n{domid}")
        store.write(f"{vm}/uuid", uuid)
        store.write(f"{vm}/name", name)
        store.write(f"{base}/control/platform-feature-multiprocessor-suspend", "1")
        store.write(f"{base}/control/platform-feature-xs_reset_watches", "1")
        store.write(f"/libxl/{domid}/type", kind)

    def build(self, domid: int, uuid: str, config: Json) -> None:
        """Write what is known once the domain's memory is there."""
        store, base, info = self._store, f"/local/domain/{domid}", config["b_info"]
        store.write(f"{base}/memory/static-max", str(info["max_memkb"]))
        store.write(f"{base}/memory/target", str(info["target_memkb"] - target_fudge(config)))
        store.write(f"{base}/memory/videoram", str(info.get("video_memkb", 0)))
        store.write(f"{base}/domid", str(domid))
        store.write(f"{base}/store/port", "1")
        store.write(f"{base}/store/ring-ref", str(0xFEFFC))
        for cpu in range(info["max_vcpus"]):
            online = cpu in info.get("avail_vcpus", [0])
            store.write(f"{base}/cpu/{cpu}/availability", "online" if online else "offline")
        store.write(f"/vm/{uuid}/start_time", f"{time.time():.2f}")
        store.write(f"/libxl/{domid}/dm-version", "qemu_xen")

    def attach(self, domid: int, config: Json) -> None:
        """Make the nodes of the devices: frontends initialising, backends waiting."""
        self._device(domid, "console", 0, _CONSOLE_FRONT, {"online": "1", "protocol": "vt100"})
        for at, nic in enumerate(config.get("nics", [])):
            backend = {
                "frontend-id": str(domid),
                "online": "1",
                "script": "/etc/xen/scripts/vif-bridge",
                "mac": nic.get("mac", ""),
                "bridge": nic.get("bridge", "xenbr0"),
                "handle": str(nic.get("devid", at)),
                "type": "vif",
                "hotplug-status": "",
            }
            self._device(domid, "vif", nic.get("devid", at), {"handle": str(at), "mac": nic.get("mac", "")}, backend)
        for at, disk in enumerate(config.get("disks", [])):
            backend = {
                "params": disk.get("pdev_path", ""),
                "type": "phy",
                "mode": "w" if disk.get("readwrite", 1) else "r",
                "online": "1",
                "hotplug-status": "",
                "dev": disk.get("vdev", ""),
            }
            device_id = 51712 + 16 * at
            self._device(domid, "vbd", device_id, {"virtual-device": str(device_id), "device-type": "disk"}, backend)

    def _device(self, domid: int, kind: str, number: int, front: dict[str, str], back: dict[str, str]) -> None:
        first_console = kind == "console" and number == 0
        frontend = f"/local/domain/{domid}/" + ("console" if first_console else f"device/{kind}/{number}")
        backend = f"/local/domain/0/backend/{kind}/{domid}/{number}"
        library = f"/libxl/{domid}/device/{kind}/{number}"
        for base, other, values in ((frontend, "backend", front), (backend, "frontend", back)):
            self._store.write(f"{base}/{other}", backend if other == "backend" else frontend)
            self._store.write(f"{base}/{other}-id", "0" if other == "backend" else str(domid))
            for key, value in values.items():
                self._store.write(f"{base}/{key}", value)
        # libxl keeps a copy of the backend as it was at first.
        for key, value in {
            "frontend": frontend,
            "backend": backend,
            "frontend-id": str(domid),
            "state": "1",
            **back,
        }.items():
            self._store.write(f"{library}/{key}", value)
        self._store.write(f"{backend}/state", "1" if first_console else "2")
        if not first_console:
            self._store.write(f"{frontend}/state", "1")
            self._store.write(f"{backend}/hotplug-status", "connected")

    def connect(self, domid: int) -> None:
        """Let the guest's drivers connect all devices, and say that it can be suspended."""
        base = f"/local/domain/{domid}"
        if self._store.read(f"{base}/control/feature-suspend") == "":
            for feature in ("suspend", "poweroff", "reboot"):
                self._store.write(f"{base}/control/feature-{feature}", "1")
        for kind, number, backend in self.devices(domid):
            if kind != "console" and self._store.read(f"{backend}/state") == "2":
                self._store.write(f"{base}/device/{kind}/{number}/state", "4")
                self._store.write(f"{backend}/state", "4")

    def devices(self, domid: int) -> list[tuple[str, str, str]]:
        """Return kind, number and backend path of each device libxl knows."""
        return [
            (kind, number, self._store.read(f"/libxl/{domid}/device/{kind}/{number}/backend") or "")
            for kind in self._store.children(f"/libxl/{domid}/device")
            for number in self._store.children(f"/libxl/{domid}/device/{kind}")
        ]

    def remove(self, domid: int, uuid: str) -> None:
        """Remove a domain's nodes, and /vm/UUID even where another copy with that UUID still uses it, as libxl does."""
        for kind, backend in ((kind, backend) for kind, number, backend in self.devices(domid)):
            self._store.remove(backend)
            above = f"/local/domain/0/backend/{kind}/{domid}"
            if not self._store.children(above):
                self._store.remove(above)
        for path in (f"/vm/{uuid}", f"/local/domain/{domid}", f"/libxl/{domid}"):
            self._store.remove(path)
