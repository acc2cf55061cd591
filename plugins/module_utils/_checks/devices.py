# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the domain's devices be had at the destination? (pure; private to the collection)"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.method import chosen
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD

_PASSED_THROUGH = (
    ("pcidevs", "pci_passthrough", "PCI devices"),
    ("dtdevs", "dt_passthrough", "device tree devices"),
    ("usbdevs", "usb_passthrough", "USB devices"),
)


# All that has a backend, but TPMs, which do not move at all (libxl_types.idl libxl_domain_config).
_SERVED = (
    ("disk", "disks"),
    ("network card", "nics"),
    ("frame buffer", "vfbs"),
    ("keyboard", "vkbs"),
    ("virtio device", "virtios"),
    ("9p file system", "p9s"),
    ("PV Calls interface", "pvcallsifs"),
    ("display", "vdispls"),
    ("sound card", "vsnds"),
    ("channel", "channels"),
    ("USB controller", "usbctrls"),
)


def own_devices(case: Case) -> t.Iterator[Finding]:
    """No device of the host was given to the domain, and none whose state cannot travel."""
    if case.domain is None:
        return
    host, name = case.source_name, case.domain.name
    for key, code, words in _PASSED_THROUGH:
        devices = case.config.get(key) or ()
        if devices:
            yield case.error(
                code,
                host,
                f"{name} has {words} of the host ({len(devices)}); they cannot move, and xl refuses to.",
                "Detach them first (for PCI: `xl pci-detach`), or shut the domain down and start it without them.",
                devices=[dict(device) for device in devices],
            )
    emulated = case.build.get("type.hvm") or {}
    usb = [emulated.get("usbdevice"), *(emulated.get("usbdevice_list") or ())]
    passed = [device for device in usb if device and str(device).startswith("host:")]
    if passed and not case.config.get("usbdevs"):
        yield case.error(
            "usb_passthrough",
            host,
            f"{name} has USB devices of the host ({listed(passed)}); they cannot move.",
            "Shut the domain down and start it without them.",
            devices=passed,
        )
    if case.config.get("vtpms"):
        yield case.error(
            "vtpm",
            host,
            f"{name} has a virtual TPM, whose state stays behind.",
            "Shut the domain down, move the vTPM's disk, and start both on the destination.",
        )


def bridges(case: Case) -> t.Iterator[Finding]:
    """Each network card finds its bridge at the destination."""
    if case.domain is None or case.destination is None or case.domain.domid == 0:
        return
    host, there = case.request.destination, case.destination.bridges
    # A domain that arrives as a file has it goes with no mapping.
    place = case.request.config_path or "migrate_map_bridges"
    if not case.request.config_path and chosen(case)[0] == COLD:
        place = "its configuration file"
    for number, card in enumerate(case.arriving.get("nics") or ()):
        bridge = bridge_of(card)
        if bridge is None or bridge in there:
            continue
        yield case.error(
            "bridge_missing",
            host,
            f"network card {card.get('devid', number)} of {case.domain.name} is on the bridge {bridge!r}, which"
            f" {host} does not have; its bridges are: {listed(there)}.",
            f"Make the bridge {bridge!r} on {host}, or name one that takes its place in {place}.",
            bridge=bridge,
            bridges=list(there),
        )


def script_of(card: t.Mapping[str, t.Any]) -> str:
    """Return the name of the script that brings a network card up, empty where its configuration names none."""
    return str(card.get("script") or "").rpartition("/")[2]


def bridge_of(card: t.Mapping[str, t.Any]) -> str | None:
    """Return the bridge that a network card needs on dom0, or None when it needs none there."""
    bridge, script = card.get("bridge"), script_of(card)
    if not bridge or card.get("backend_domid") or card.get("backend_domname"):
        return None
    if script.startswith(("vif-route", "vif-nat")):
        return None
    if script.startswith("vif-openvswitch"):
        return re.split(r"[.:]", bridge, maxsplit=1)[0]  # BRIDGE.VLAN or BRIDGE:TRUNK
    return str(bridge)


def driver_domains(case: Case) -> t.Iterator[Finding]:
    """Devices that another domain serves find a domain of that name at the destination: its number is another one."""
    if case.domain is None or case.domain.domid == 0:
        return
    names = {row.name for row in case.destination.domains} if case.destination else set()
    served = [
        (kind, device.get("backend_domid"), device.get("backend_domname"))
        for kind, key in _SERVED
        for device in case.config.get(key) or ()
        if device.get("backend_domid") or device.get("backend_domname")
    ]
    if not served and case.domain.xenstore is not None:
        served = [(seen.kind, seen.backend_domid, None) for seen in case.domain.xenstore.devices if seen.backend_domid]
    for kind, domid, name in served:
        if name in ("Domain-0", "0") or (name and name in names):
            continue
        yield case.error(
            "driver_domain",
            case.source_name,
            f"a {kind} of {case.domain.name} is served by the domain {name or domid}, not by dom0"
            + (f", and {case.request.destination} has no domain of that name." if name else "."),
            f"Configure it with the driver domain's name (backend=NAME), and run one of that name on"
            f" {case.request.destination}.",
            kind=kind,
            backend_domid=domid,
            backend_domname=name,
        )
