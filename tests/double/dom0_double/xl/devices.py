# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of an xl.cfg as libxl keeps them (tools/xl/xl_parse.c, tools/libs/light/libxl_types.idl)."""

from __future__ import annotations

import re
import typing as t
import uuid

from ..machine.domain import Json

_PCI = re.compile(r"\A(?:(?P<domain>[0-9a-fA-F]{4}):)?(?P<bus>[0-9a-fA-F]{2}):(?P<dev>[0-9a-fA-F]{2})\.(?P<func>[0-7])")


def of(values: Json) -> Json:
    """Return the lists of devices that a file gives, without those that are empty."""
    found = {
        "disks": [_disk(text) for text in values.get("disk", [])],
        "nics": [_nic(text, devid) for devid, text in enumerate(values.get("vif", []))],
        "pcidevs": [_pci(text) for text in values.get("pci", [])],
        "vfbs": [_vfb(text) for text in values.get("vfb", [])],
        "vtpms": [_vtpm(text) for text in values.get("vtpm", [])],
        "usbdevs": [_usb(text) for text in values.get("usbdev", [])],
        "dtdevs": [{"path": text} for text in values.get("dtdev", [])],
    }
    return {kind: devices for kind, devices in found.items() if devices}


def pairs(text: str) -> dict[str, str]:
    """Return what stands as KEY=VALUE between commas."""
    return dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)


def _served(named: dict[str, str]) -> Json:
    """Return the names that a device may have of who serves it, and of what brings it up."""
    fields = {"backend": "backend_domname", "script": "script"}
    return {field: named[key] for key, field in fields.items() if key in named}


def _nic(text: str, devid: int) -> Json:
    named = pairs(text)
    mac = named.get("mac") or "00:16:3e:" + ":".join(f"{byte:02x}" for byte in uuid.uuid4().bytes[:3])
    nic = {"devid": devid, "mac": mac, "bridge": named.get("bridge", "xenbr0"), "nictype": named.get("type", "vif")}
    gateway = {"gatewaydev": named["gatewaydev"]} if "gatewaydev" in named else {}
    return {**nic, **gateway, **_served(named)}


def _disk(text: str) -> Json:
    fields = [field.strip() for field in text.split(",")]
    named = pairs(text)
    flags = {"direct-io-safe"} & set(fields)
    positional = [field for field in fields if "=" not in field and field not in flags]
    positional += [""] * (4 - len(positional))
    disk: t.Any = {
        "pdev_path": named.get("target", positional[0].removeprefix("phy:").removeprefix("file:")),
        "vdev": named.get("vdev", positional[2]),
        "format": named.get("format", positional[1] or "raw"),
        "backend": named.get("backendtype", "phy"),
        "readwrite": 0 if named.get("access", positional[3]) in ("r", "ro") else 1,
    }
    disk.update(_served(named))
    if flags:
        disk["direct_io_safe"] = "True"
    return dict(disk)


def _pci(text: str) -> Json:
    found = _PCI.match(text)
    if found is None:
        raise ValueError(f"unable to parse PCI BDF `{text}' for passthrough")
    return {name: int(value, 16) for name, value in found.groupdict().items() if value and int(value, 16)}


def _vfb(text: str) -> Json:
    return {"vnc": {"enable": "True" if pairs(text).get("vnc") == "1" else "False"}}


def _vtpm(text: str) -> Json:
    named = pairs(text)
    return {"backend_domname": named.get("backend", ""), "uuid": named.get("uuid", str(uuid.uuid4()))}


def _usb(text: str) -> Json:
    named = pairs(text)
    return {"type.hostdev": {key: int(named[key]) for key in ("hostbus", "hostaddr") if key in named}}
