# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the commands of a host: small shell wrappers that name the host and run the double's Python."""

from __future__ import annotations

import functools
import pathlib
import shlex
import subprocess
import sys
from collections.abc import Iterable

from ..paths import HOST_VARIABLE, HostPaths

_CODE = pathlib.Path(__file__).resolve().parents[2]
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_DEFAULT = "/etc/default"
_BLOCK = "/sys/class/block"
_CPUINFO = "/proc/cpuinfo"
_RUN = "/run/xen"
_LIBEXEC = "/usr/local/libexec/xen"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(paths: HostPaths) -> dict[str, str]:
    """Return the variables that make a process one of a host's."""
    return {
        HOST_VARIABLE: str(paths.root),
        "PATH": f"{paths.bin}:{_SYSTEM_PATH}",
        "XENSTORED_PATH": str(paths.store_socket),
        "XENSTORED_RUNDIR": str(paths.run),
        "LC_ALL": "C.UTF-8",
    }


@functools.cache
def namespaces() -> bool:
    """Tell whether a process may have mounts of its own here, and so a boot id of its own."""
    command = ["unshare", "--mount", "mount", "--bind", "/dev/null", _BOOT_ID]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _own_files(paths: HostPaths) -> str:
    """Return what goes before a command that is to see the host's own boot id, /etc/default, /run/xen, disks, processor
    and QEMU.

    Nothing where they cannot be had.
    """
    if not namespaces():
        return ""
    script = f'mount --bind "$0" {_BOOT_ID} && '
    if pathlib.Path(_DEFAULT).is_dir():
        script += f"mount --bind {shlex.quote(str(paths.default))} {_DEFAULT} && "
    run = shlex.quote(str(paths.history.parent))
    script += f"{{ ! mkdir -p {run} {_RUN} || mount --bind {run} {_RUN}; }} && "
    block = shlex.quote(str(paths.block))
    script += f"{{ [ ! -d {block} ] || mount --bind {block} {_BLOCK}; }} && "
    processor = shlex.quote(str(paths.cpuinfo))
    script += f"{{ [ ! -f {processor} ] || mount --bind {processor} {_CPUINFO}; }} && "
    own = shlex.quote(str(paths.libexec))
    script += f"{{ [ ! -d {own} ] || {{ mkdir -p {_LIBEXEC} && mount --bind {own} {_LIBEXEC}; }}; }} && "
    script += 'exec "$@"'
    return f"unshare --mount sh -c {shlex.quote(script)} {shlex.quote(str(paths.boot_id))} "


def write(paths: HostPaths, python: str) -> None:
    """Write the commands; ``python`` is the interpreter that modules are to run with."""
    paths.bin.mkdir(parents=True, exist_ok=True)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment(paths).items())
    own = shlex.quote(sys.executable)
    _script(paths.bin / "python3", f'{exports}exec {_own_files(paths)}{shlex.quote(python)} "$@"')
    _script(paths.bin / "run-on-host", f'{exports}exec "$@"')
    for name, file in (("xl", "xl.py"), ("ip", "ip.py"), ("xen-cpuid", "xen_cpuid.py")):
        _script(paths.bin / name, f'{exports}exec {own} -I -S {shlex.quote(str(_CODE / file))} "$@"')
    # Real xl has the path of its helper in its library.
    helper = f'{exports}exec {own} -I -S {shlex.quote(str(_CODE / "libxl_save_helper.py"))} "$@"'
    _script(paths.bin / "libxl-save-helper", helper)
    for name in ("read", "write", "list", "ls", "rm", "exists"):
        script = shlex.quote(str(_CODE / "xenstore.py"))
        _script(paths.bin / f"xenstore-{name}", f'{exports}exec {own} -I -S {script} {name} "$@"')


def install_volumes(paths: HostPaths, volumes: Iterable[tuple[str, str, int]], *, read_only: bool = False) -> None:
    """Write what the kernel shows of logical volumes (Documentation/ABI/testing/sysfs-block-dm)."""
    for number, (path, uuid, mib) in enumerate(volumes):
        device = paths.block / f"dm-{number}"
        (device / "dm").mkdir(parents=True, exist_ok=True)
        group, dummy, volume = (part.replace("-", "--") for part in path.partition("/"))
        files = {"dev": f"253:{number}", "size": mib * 2048, "dm/name": f"{group}-{volume}", "dm/uuid": uuid}
        files["ro"] = int(read_only)
        for name, value in files.items():
            (device / name).write_text(f"{value}\n")


def install_processor(paths: HostPaths, maker: str) -> None:
    """Write what the kernel shows of the processor: of it only its maker is ever read."""
    paths.cpuinfo.write_text(f"processor\t: 0\nvendor_id\t: {maker}\n")


def install_qemu(paths: HostPaths, version: str) -> None:
    """Write what stands for the device model: of it only its version is ever read."""
    path = paths.libexec / "bin" / "qemu-system-i386"
    if version:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"QEMU emulator version {version} (the double)\n")


def _script(path: pathlib.Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
