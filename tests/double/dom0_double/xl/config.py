# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an xl.cfg file into the JSON that libxl keeps (tools/xl/xl_parse.c, as far as tests need it)."""

from __future__ import annotations

import ast
import typing as t
import uuid

from ..machine.domain import Json


class BadConfig(Exception):
    """A configuration xl would not take."""


def parse(text: str) -> Json:
    """Return the configuration a file describes. Fields equal to their default are left out, as libxl does."""
    try:
        values = {
            target.id: ast.literal_eval(statement.value)
            for statement in ast.parse(text).body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
    except (SyntaxError, ValueError) as exc:
        raise BadConfig(str(exc)) from None
    if "name" not in values:
        raise BadConfig("Domain name must be specified.")
    kind = str(values.get("type", {"hvm": "hvm"}.get(values.get("builder", ""), "pv")))
    config: Json = {
        "c_info": {
            "type": kind,
            "name": values["name"],
            "uuid": values.get("uuid") or str(uuid.uuid4()),
            "run_hotplug_scripts": "True",
        },
        "b_info": _build(values, kind),
    }
    if disks := [_disk(text) for text in values.get("disk", [])]:
        config["disks"] = disks
    if nics := [_nic(text, devid) for devid, text in enumerate(values.get("vif", []))]:
        config["nics"] = nics
    for key in ("on_poweroff", "on_crash"):
        if values.get(key, "destroy") != "destroy":
            config[key] = values[key]
    config["on_reboot"] = values.get("on_reboot", "restart")
    config["on_soft_reset"] = values.get("on_soft_reset", "soft_reset")
    return config


def _build(values: Json, kind: str) -> Json:
    memory = int(values.get("memory", 32)) * 1024
    maximum = int(values.get("maxmem", memory // 1024)) * 1024
    vcpus = int(values.get("vcpus", 1))
    video = 16384 if kind == "hvm" else 0
    info: Json = {
        "max_vcpus": vcpus,
        "avail_vcpus": list(range(vcpus)),
        "max_memkb": maximum,
        "target_memkb": memory,
        "video_memkb": video,
        "sched_params": {"sched": "credit2", "weight": 256, "cap": 0},
        "claim_mode": "True",
    }
    if values.get("nomigrate"):
        info["disable_migrate"] = "True"
    if kind == "hvm":
        info["device_model_version"] = "qemu_xen"
    for key, name in (("kernel", "kernel"), ("cmdline", "cmdline"), ("extra", "cmdline"), ("ramdisk", "ramdisk")):
        if key in values:
            info[name] = values[key]
    info[f"type.{kind}"] = {"bios": "seabios", "vga": {"kind": "cirrus"}} if kind == "hvm" else {}
    info["arch_arm"] = {}
    info["arch_x86"] = {"msr_relaxed": "False"}
    return info


def _pairs(text: str) -> dict[str, str]:
    return dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)


def _nic(text: str, devid: int) -> Json:
    pairs = _pairs(text)
    mac = pairs.get("mac") or "00:16:3e:" + ":".join(f"{byte:02x}" for byte in uuid.uuid4().bytes[:3])
    return {"devid": devid, "mac": mac, "bridge": pairs.get("bridge", "xenbr0"), "nictype": pairs.get("type", "vif")}


def _disk(text: str) -> Json:
    fields = text.split(",")
    named = _pairs(text)
    positional = [field.strip() for field in fields if "=" not in field]
    positional += [""] * (4 - len(positional))
    disk: t.Any = {
        "pdev_path": named.get("target", positional[0].removeprefix("phy:").removeprefix("file:")),
        "vdev": named.get("vdev", positional[2]),
        "format": named.get("format", positional[1] or "raw"),
        "backend": named.get("backendtype", "phy"),
        "readwrite": 0 if named.get("access", positional[3]) in ("r", "ro") else 1,
    }
    return dict(disk)
