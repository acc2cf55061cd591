# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that let ssh and Ansible reach the lab: known hosts, ssh configuration, inventory."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from .host import Host

PYTHON = "/usr/bin/python3"


def known_hosts(hosts: Sequence[Host], keys: dict[str, str]) -> str:
    """One pinned line a host; the alias is its name, as ports change from lab to lab."""
    return "".join(f"{host.name} {keys[host.name]}\n" for host in hosts)


def ssh_options(host: Host) -> dict[str, str]:
    return {
        "UserKnownHostsFile": str(host.folder / "known_hosts"),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": host.name,
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "60",
    }


def ssh_config(hosts: Sequence[Host], keys: dict[str, Path]) -> str:
    """A configuration file for `ssh -F`, one section a host."""
    lines: list[str] = []
    for host in hosts:
        lines += [f"Host {host.name}", "    HostName 127.0.0.1", f"    Port {host.ssh_port}", "    User root"]
        lines += [f'    IdentityFile "{keys[host.name]}"', "    BatchMode yes", "    LogLevel ERROR"]
        lines += [f'    {name} "{value}"' for name, value in ssh_options(host).items()]
    return "\n".join(lines) + "\n"


def inventory(hosts: Sequence[Host], keys: dict[str, Path], passwords: dict[str, str], user: str = "root") -> str:
    """An Ansible inventory (YAML, written as JSON, which is YAML): group dom0 with every host of the lab.

    ``user``: root, operator (sudo with the host's password) or operator-nopass (sudo without).
    """
    group: dict[str, object] = {}
    for host in hosts:
        options = " ".join(f"-o {name}={value}" for name, value in ssh_options(host).items())
        variables: dict[str, object] = {
            "ansible_host": "127.0.0.1",
            "ansible_port": host.ssh_port,
            "ansible_user": user,
            "ansible_ssh_private_key_file": str(keys[host.name]),
            "ansible_ssh_common_args": options,
            "ansible_python_interpreter": PYTHON,
            "dom0_xen_address": host.address,
        }
        if user != "root":
            variables["ansible_become"] = True
        if user == "operator":
            variables["ansible_become_password"] = passwords[host.name]
        group[host.name] = variables
    return json.dumps({"all": {"children": {"dom0": {"hosts": group}}}}, indent=2) + "\n"


def write(folder: Path, hosts: Sequence[Host], host_keys: dict[str, str], keys: dict[str, Path],
          passwords: dict[str, str]) -> None:  # fmt: skip
    """All of it into ``folder``: inventory.yml for root, inventory-operator.yml and inventory-operator-nopass.yml."""
    files = {
        "known_hosts": known_hosts(hosts, host_keys),
        "ssh_config": ssh_config(hosts, keys),
        "inventory.yml": inventory(hosts, keys, passwords),
        "inventory-operator.yml": inventory(hosts, keys, passwords, "operator"),
        "inventory-operator-nopass.yml": inventory(hosts, keys, passwords, "operator-nopass"),
    }
    for name, text in files.items():
        path = folder / name
        path.write_text(text)
        os.chmod(path, 0o600)
