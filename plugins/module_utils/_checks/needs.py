# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is there what the domain needs besides memory, processors and devices? (pure; private to the collection)"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import memory
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, is_true, listed
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import USERS_MAX, Equipment
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts

# What a domain may have without a word about it: options of Xen, and their defaults (xen/common/grant_table.c).
_GRANTS = (("gnttab_max_frames", "max_grant_frames", 64), ("gnttab_max_maptrack_frames", "max_maptrack_frames", 1024))
# LIBXL_MAX_GRANT_DEFAULT, which is ~0 in 32 bits.
_DEFAULT_GRANTS = 0xFFFFFFFF
# The first release of Xen that gives a domain more than its own options say, if it is asked (grant_table_init).
_GRANTS_UNBOUNDED = (4, 18)
_SCRIPTS = "/etc/xen/scripts/"
_TRADITIONAL = "qemu_xen_traditional"
# tools/libs/light/libxl_create.c libxl__domain_build_info_setdefault.
_STUBDOMAIN = ("qemu-stubdom-linux-kernel", "qemu-stubdom-linux-rootfs")
# tools/libs/light/libxl_dm.c libxl__domain_get_device_model_uid.
_RESTRICTED = ("xen-qemuuser-range-base", "xen-qemuuser-shared")


def grants(case: Case) -> t.Iterator[Finding]:
    """A domain without limits of its own keeps those that it had: its front ends may have used them up."""
    if case.equipment_there is None or case.source is None or case.destination is None:
        return
    host = case.request.destination
    for option, key, default in _GRANTS:
        here, there = _limit(case.source, option, default), _limit(case.destination, option, default)
        if case.build.get(key, _DEFAULT_GRANTS) == _DEFAULT_GRANTS and there < here:
            yield case.error(
                "grant_limits",
                host,
                f"Xen on {host} lets a domain share fewer frames: {option} is {there} there, and {here} on"
                f" {case.source_name}. A guest that has come to use more cannot go on after it was moved.",
                f"Boot {host} with {option}={here} (Xen's command line), or start the domain with {key}={there}.",
                option=option,
                source=here,
                destination=there,
            )


def grants_asked(case: Case) -> t.Iterator[Finding]:
    """A domain with limits of its own can be made: an older Xen takes none above its options (grant_table_init).

    They are in its file, or were in xl.conf of the host that it was started on (tools/xl/xl_parse.c), and go with it.
    """
    xen = case.destination.xen if case.destination else None
    if case.equipment_there is None or xen is None or (xen.major, xen.minor) >= _GRANTS_UNBOUNDED:
        return
    host, name = case.request.destination, case.domain.name if case.domain else ""
    for option, key, default in _GRANTS:
        asked, there = case.build.get(key, _DEFAULT_GRANTS), _limit(case.destination, option, default)
        if isinstance(asked, int) and there < asked != _DEFAULT_GRANTS:
            yield case.error(
                "grant_limits",
                host,
                f"{name} is to have {key}={asked}, from its configuration file or from xl.conf of the host that it was"
                f" started on. Xen {xen.version} on {host} makes no domain with more than its {option}, which is"
                f" {there}.",
                f"Boot {host} with {option}={asked} (Xen's command line), or start the domain with {key}={there}.",
                option=option,
                asked=key,
                source=asked,
                destination=there,
            )


def _limit(host: HostFacts | None, option: str, default: int) -> int:
    line = host.xen.commandline if host and host.xen else ""
    found = re.findall(rf"(?:^|\s){option}=(0[xX][0-9a-fA-F]+|\d+)(?=\s|,|$)", line)
    return int(found[-1], 16 if found[-1][:2].lower() == "0x" else 10) if found else default


def scripts(case: Case) -> t.Iterator[Finding]:
    """The scripts that bring its devices up are there."""
    there = case.equipment_there
    if there is None or not there.scripts:
        return
    wanted = [str(device.get("script") or "") for key in ("nics", "disks") for device in case.config.get(key) or ()]
    for script in dict.fromkeys(wanted):
        name = script[len(_SCRIPTS) :] if script.startswith(_SCRIPTS) else script
        if name and "/" not in name and name not in there.scripts:
            yield case.error(
                "script_missing",
                case.request.destination,
                f"a device of {case.domain.name if case.domain else ''} needs the script {_SCRIPTS}{name}, which"
                f" {case.request.destination} does not have, or not as a program.",
                f"Copy it from {case.source_name}, with its mode (`chmod 755`).",
                script=_SCRIPTS + name,
            )


def device_model(case: Case) -> t.Iterator[Finding]:
    """QEMU, the user that it is to run as, and the firmware are there."""
    there = case.equipment_there
    if there is None or case.domain is None:
        return
    host, name, build = case.request.destination, case.domain.name, case.build
    emulated = case.domain.type == "hvm"
    disks = case.config.get("disks") or ()
    if emulated and is_true(build.get("device_model_stubdomain")):
        yield from _stubdomain(case, there)
    if not emulated and not case.config.get("vfbs") and not any(disk.get("backend") == "qdisk" for disk in disks):
        return
    path = build.get("device_model")
    if (path and path not in there.emulators) or not there.emulators:
        yield case.warning(
            "device_model_unseen",
            host,
            f"{name} needs {path or 'QEMU'}, which was not found on {host} in the usual places.",
            "See that it is there: without it xl can build the domain only so far, and it stays where it is. Debian:"
            " qemu-system-xen.",
            path=path,
            found=list(there.emulators),
        )
    yield from _users(case, there, emulated)
    if emulated:
        yield from _firmware(case, there)


def _stubdomain(case: Case, there: Equipment) -> t.Iterator[Finding]:
    """What its QEMU's own domain boots from (libxl_create.c libxl__domain_build_info_setdefault) is there."""
    linux = case.build.get("device_model_version") == "qemu_xen"
    names = (("stubdomain_kernel", _STUBDOMAIN[0]), ("stubdomain_ramdisk", _STUBDOMAIN[1])) if linux else ()
    wanted = [str(case.build.get(key) or name) for key, name in names]
    missing = [path for path in wanted if not any(f"/{found}".endswith(f"/{path}") for found in there.firmware)]
    if missing:
        yield case.warning(
            "device_model_unseen",
            case.request.destination,
            f"QEMU of {case.domain.name if case.domain else ''} runs in a domain of its own (device_model_stubdomain),"
            f" which boots from {listed(missing)}; that was not found on {case.request.destination} in the usual"
            " places.",
            f"Copy it from {case.source_name}: without it xl there cannot make the domain, and it stays.",
            path=missing[0],
            found=list(there.firmware),
        )


def emulator(case: Case) -> t.Iterator[Finding]:
    """QEMU there takes what the one here sends, which it promises to newer ones only, and is held as it was."""
    there, here = case.equipment_there, case.source.equipment if case.source else None
    if there is None or here is None or case.domain is None or case.domain.type != "hvm":
        return
    host, name, build = case.request.destination, case.domain.name, case.build
    mine, theirs = (_version(each, build.get("device_model")) for each in (here, there))
    inside = is_true(build.get("device_model_stubdomain")) or build.get("device_model_version") == _TRADITIONAL
    if mine and theirs and not inside and _numbers(theirs) < _numbers(mine):
        yield case.warning(
            "device_model_older",
            host,
            f"QEMU on {host} is {theirs}, and {mine} on {case.source_name}: an older one may refuse what a newer one"
            f" sends of {name}'s devices, after all memory was copied.",
            f"Upgrade QEMU on {host}. {name} stays where it is if it cannot be taken.",
            source=mine,
            destination=theirs,
        )
    if is_true(build.get("dm_restrict")):
        yield case.warning(
            "device_model_restricted",
            host,
            f"QEMU of {name} is restricted (dm_restrict). Xen's documents count among what that does not prevent that a"
            " QEMU which somebody has broken into breaks out after a move.",
            f"Do not count on it for {name} until it was started anew on {host}.",
        )


def _version(equipment: Equipment, path: t.Any) -> str | None:
    """Return the version of the QEMU of this path, or of the one that libxl takes by itself, if that is sure."""
    versions = equipment.emulator_versions
    if path:
        return versions.get(str(path))
    found = {each for where, each in versions.items() if "xen" in where} or set(versions.values())
    return found.pop() if len(found) == 1 else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _users(case: Case, there: Equipment, emulated: bool) -> t.Iterator[Finding]:
    user = case.build.get("device_model_user")
    wanted = (str(user),) if user else _RESTRICTED if is_true(case.build.get("dm_restrict")) and emulated else ()
    # Nobody looked, or has told all of them.
    if not there.users or len(there.users) >= USERS_MAX:
        return
    if wanted and not set(wanted) & set(there.users):
        yield case.error(
            "device_model_user_missing",
            case.request.destination,
            f"QEMU of {case.domain.name if case.domain else ''} is to run as the user {' or '.join(wanted)}, whom"
            f" {case.request.destination} does not have in /etc/passwd.",
            f"Make the user on {case.request.destination} (useradd --system).",
            users=list(wanted),
        )


def _firmware(case: Case, there: Equipment) -> t.Iterator[Finding]:
    hvm = case.build.get("type.hvm") or {}
    path, bios = hvm.get("system_firmware"), hvm.get("bios")
    has_ovmf = any("ovmf" in found.lower() or "edk2" in found.lower() for found in there.firmware)
    if (path and path not in there.firmware) or (not path and bios == "ovmf" and not has_ovmf):
        yield case.warning(
            "firmware_unseen",
            case.request.destination,
            f"{case.domain.name if case.domain else ''} boots with {path or 'OVMF'}, which was not found on"
            f" {case.request.destination} in the usual places.",
            "See that it is there: libxl looks for it when it makes the domain.",
            path=path,
            bios=bios,
        )


def dom0_memory(case: Case) -> t.Iterator[Finding]:
    """Dom0 at the destination gives up no memory, for which xl takes one arrival after the other."""
    there = memory.room(case)
    if there is None or not there.fits or not there.balloon or case.domain is None or case.domain.domid == 0:
        return
    host, mib = case.request.destination, -(-there.balloon // memory.KIB_PER_MIB)
    yield case.warning(
        "dom0_ballooned",
        host,
        f"dom0 on {host} will be shrunk by {mib} MiB to make room for {case.domain.name} (autoballoon).",
        'Fix its memory with dom0_mem= on Xen\'s command line, and autoballoon="off" in /etc/xen/xl.conf.',
        balloon_kib=there.balloon,
    )


def label(case: Case) -> t.Iterator[Finding]:
    """The policy of XSM there knows its label."""
    text = case.creation.get("ssid_label")
    if not text or case.equipment_there is None or case.destination is None:
        return
    yield case.warning(
        "label_unchecked",
        case.request.destination,
        f"{case.domain.name if case.domain else ''} has the security label {text}; whether the policy of"
        f" {case.request.destination} knows it cannot be seen.",
        "Load the same policy on both hosts (`xl loadpolicy`); `xl getenforce` tells whether it counts.",
        label=text,
    )
