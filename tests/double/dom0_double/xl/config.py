# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an xl.cfg file into the JSON that libxl keeps (tools/xl/xl_parse.c, as far as tests need it)."""

from __future__ import annotations

import ast
import uuid

from ..machine.domain import Json
from . import devices

# Words of a file that are taken over as they are, and what libxl calls them.
_BUILD = (
    ("kernel", "kernel"),
    ("cmdline", "cmdline"),
    ("extra", "cmdline"),
    ("ramdisk", "ramdisk"),
    ("device_model_override", "device_model"),
    ("device_model_user", "device_model_user"),
    ("altp2m", "altp2m"),
    ("max_grant_frames", "max_grant_frames"),
    ("max_maptrack_frames", "max_maptrack_frames"),
)


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
    for key, name in (("pool", "pool_name"), ("seclabel", "ssid_label")):
        if key in values:
            config["c_info"][name] = values[key]
    if "hap" in values:
        config["c_info"]["hap"] = "True" if values["hap"] else "False"
    try:
        config.update(devices.of(values))
    except ValueError as exc:
        raise BadConfig(str(exc)) from None
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
        info["device_model_version"] = str(values.get("device_model_version", "qemu-xen")).replace("-", "_")
    for key, name in _BUILD:
        if key in values:
            info[name] = values[key]
    if values.get("dm_restrict"):
        info["dm_restrict"] = "True"
    if values.get("nestedhvm"):
        info["nested_hvm"] = "True"
    if "cpus" in values:
        info["vcpu_hard_affinity"] = [[int(values["cpus"])]] * vcpus
    if nodes := values.get("vnuma"):
        info["vnuma_nodes"] = [_vnode(node) for node in nodes]
    info[f"type.{kind}"] = _hvm(values) if kind == "hvm" else {}
    info["arch_arm"] = {}
    info["arch_x86"] = {"msr_relaxed": "False"}
    return info


def _hvm(values: Json) -> Json:
    info = {"bios": values.get("bios", "seabios"), "vga": {"kind": "cirrus"}}
    if "bios_path_override" in values:
        info["system_firmware"] = values["bios_path_override"]
    return info


def _vnode(words: list[str]) -> Json:
    named = devices.pairs(",".join(words))
    return {"memkb": int(named["size"]) * 1024, "pnode": int(named["pnode"]), "vcpus": [int(named["vcpus"])]}
