# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this run of Ansible has for its settings, wherever it has them from (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.plugins.loader import connection_loader

from ansible_collections.dom0.xen.plugins.plugin_utils._settings import Settings

Variables = t.Mapping[str, t.Any]


def found(task_vars: Variables, asked: t.Sequence[str]) -> Settings:
    """Return the settings of the run, those of a connection as they are for each of these hosts."""
    each = {host: _of_connection(_variables(task_vars.get("hostvars", {}), host)) for host in asked}
    return Settings(
        forks=int(task_vars.get("ansible_forks", constants.DEFAULT_FORKS)),
        poll_s=float(constants.DEFAULT_INTERNAL_POLL_INTERVAL),
        dom0s=len(asked),
        unpipelined=tuple(host for host, has in each.items() if has.get("pipelining") is False),
        unchecked=tuple(host for host, has in each.items() if has.get("host_key_checking") is False),
    )


def _variables(hostvars: t.Mapping[str, Variables], host: str) -> Variables:
    """Return the variables of a host, none of one that the inventory does not have."""
    if host not in hostvars:
        return {}
    return hostvars[host]


def _of_connection(variables: Variables) -> dict[str, bool]:
    """Return what counts for the connection to a host with these variables; nothing for one that checks no host key.

    A connection plugin has sections, environment variables and variables of a host of its own beside the general ones.
    """
    try:
        default = context.CLIARGS.get("connection") or constants.DEFAULT_TRANSPORT
        # Its options are known once it is loaded.
        plugin = connection_loader.get(str(variables.get("ansible_connection", default)), class_only=True)
        name = getattr(plugin, "_load_name", "")
        options = constants.config.get_configuration_definitions("connection", name) if name else {}
        if "host_key_checking" not in options:
            return {}
        return {
            option: constants.config.get_config_value_and_origin(
                option, plugin_type="connection", plugin_name=name, variables=variables
            )[0]
            for option in ("pipelining", "host_key_checking")
            if option in options
        }
    # The connection itself has said so, and such a host has not answered.
    except AnsibleError:
        return {}
