# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the parts of one host of the double lie on disk."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t

#: Names the host a process belongs to; every process of a host carries it in its environment.
HOST_VARIABLE = "DOM0_DOUBLE_HOST"


@dataclasses.dataclass(frozen=True)
class HostPaths:
    """Paths of one host: ``root`` is its state folder, ``run`` (behind a link) its memory file system."""

    root: pathlib.Path

    @classmethod
    def from_environment(cls) -> t.Self:
        """Return the paths of the host this process runs on; KeyError outside of a host's environment."""
        return cls(pathlib.Path(os.environ[HOST_VARIABLE]))

    @property
    def name(self) -> str:
        """The host's name, which is its folder's."""
        return self.root.name

    @property
    def site(self) -> pathlib.Path:
        """The folder of all hosts that were made together."""
        return self.root.parent

    @property
    def bin(self) -> pathlib.Path:
        """Commands of the host: xl, python3, ip, xen-cpuid, xenstore-*."""
        return self.root / "bin"

    @property
    def run(self) -> pathlib.Path:
        """Files that a power loss takes away; a link to a short path on a memory file system."""
        return self.root / "run"

    @property
    def lib(self) -> pathlib.Path:
        """Files that a power loss leaves."""
        return self.root / "lib"

    @property
    def default(self) -> pathlib.Path:
        """What processes of the host find as /etc/default, where mount namespaces are to be had."""
        return self.root / "etc" / "default"

    @property
    def block(self) -> pathlib.Path:
        """What processes of the host find as /sys/class/block, when it is there and mount namespaces are to be had."""
        return self.root / "sys" / "block"

    @property
    def cpuinfo(self) -> pathlib.Path:
        """What processes of the host find as /proc/cpuinfo, where mount namespaces are to be had."""
        return self.root / "cpuinfo"

    @property
    def libexec(self) -> pathlib.Path:
        """What processes of the host find as /usr/local/libexec/xen, when it is there and as above."""
        return self.root / "libexec"

    @property
    def auto(self) -> pathlib.Path:
        """Configurations of domains that are started when the host boots; XENDOMAINS_AUTO."""
        return self.root / "etc" / "xen" / "auto"

    @property
    def save(self) -> pathlib.Path:
        """Images of domains that are restored when the host boots; XENDOMAINS_SAVE."""
        return self.lib / "xen" / "save"

    @property
    def log(self) -> pathlib.Path:
        """What xl's monitors and the machine write."""
        return self.root / "log"

    @property
    def store_socket(self) -> pathlib.Path:
        """XenStore's socket, for XENSTORED_PATH. Short, as socket addresses hold 107 bytes only."""
        return self.run.resolve() / "xenstored"

    @property
    def hypercall_socket(self) -> pathlib.Path:
        """Where xl and its helper reach the hypervisor of the host."""
        return self.run.resolve() / "hypervisor"

    @property
    def xl_lock(self) -> pathlib.Path:
        """The host-wide lock of xl, ``lockfile`` in xl.conf."""
        return self.run / "xl.lock"

    @property
    def history(self) -> pathlib.Path:
        """Numbers of domains destroyed lately; its folder is /run/xen, where mount namespaces are to be had."""
        return self.run.resolve() / "xen" / "domid-history"

    @property
    def boot_id(self) -> pathlib.Path:
        """What processes of the host find as the kernel's boot id, where mount namespaces are to be had."""
        return self.run.resolve() / "boot_id"

    @property
    def settings(self) -> pathlib.Path:
        """What kind of machine the host is; read by the machine, xl and ip."""
        return self.root / "settings.json"

    @property
    def faults(self) -> pathlib.Path:
        """Faults that wait to happen; absent when there are none."""
        return self.root / "faults.json"

    @property
    def points(self) -> pathlib.Path:
        """Names of the fault points passed, one a line, written only where the file exists."""
        return self.root / "points.log"

    @property
    def run_log(self) -> pathlib.Path:
        """When which copy of which guest ran, for all hosts of the site."""
        return self.site / "runs.log"
