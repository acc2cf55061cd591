# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of all dom0s as hosts of the inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: domains
short_description: List the domains of Xen dom0s as hosts
version_added: 0.1.0
description:
  - Makes a host C(NAME@DOM0) of each domain, as the playbooks of this collection call a move, from what the playbook
    C(dom0.xen.facts) last wrote on the controller. No dom0 is asked, unless O(ask) is set.
  - The hosts are no machines to connect to. Their connection is P(dom0.xen.move#connection), which always fails, so
    that no task ends up somewhere by accident. They are for C(--limit), for reports, and for building groups.
  - Each has the variable C(dom0_xen_domain) with C(name), C(uuid), C(domid), C(dom0), C(state) (V(running), V(paused),
    V(suspended), V(shut_down) or V(dying)), C(memory_mib), C(vcpus), C(type), C(tags), C(age_s) of the facts, in
    seconds, and C(trouble), which is empty unless the dom0 did not tell anything when it was last asked. In O(compose),
    O(groups) and O(keyed_groups) these can be named directly.
  - All are in the group C(dom0_xen_domains), and in C(dom0_xen_on_DOM0), C(dom0_xen_state_STATE) and
    C(dom0_xen_tag_TAG), in which other characters than letters, digits and C(_) are C(_).
  - A host of the inventory that is called the same is left as it is, and the domain is left out with a warning.
  - Copies that a migration has not given their name yet, or has left, are not listed.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [dom0.xen.domains]
  path:
    description:
      - Folder that C(dom0.xen.facts) wrote to (its C(dom0_xen_facts_path)), from the folder of this file if it is no
        absolute path.
      - When it is empty, C(dom0-xen/facts) in Ansible's own folder.
    type: str
    default: ""
    env:
      - name: DOM0_XEN_FACTS_PATH
  max_age:
    description: How old, in seconds, what a dom0 told may be. V(0) for any age.
    type: int
    default: 86400
  too_old:
    description:
      - What to do about a dom0 whose facts are older than O(max_age). V(warn) lists its domains with a warning,
        V(leave_out) leaves them out with one, V(fail) is an error.
    type: str
    choices: [warn, leave_out, fail]
    default: warn
  ask:
    description:
      - Whether to run the playbook C(dom0.xen.facts) first, in a process of its own, which asks the dom0s of
        O(inventories). A dom0 that does not answer is a warning, and so is a playbook that fails.
      - It has no terminal, so it works only where no password is asked for.
    type: bool
    default: false
  ask_after:
    description: With O(ask), the dom0s are asked when what is known of one of them is older than so many seconds.
    type: int
    default: 60
  ask_timeout:
    description: With O(ask), the seconds after which the playbook is ended, and what is known is used.
    type: int
    default: 300
  inventories:
    description:
      - Needed by O(ask). The inventories with the dom0s, from the folder of this file if they are no absolute paths.
    type: list
    elements: str
    default: []
  dom0_group:
    description: With O(ask), the group of the dom0s.
    type: str
    default: dom0
extends_documentation_fragment:
  - ansible.builtin.constructed
seealso:
  - module: dom0.xen.fleet_facts
author:
  - dom0.xen contributors (@dom0-xen)
"""

EXAMPLES = r"""
# fleet.dom0_xen.yml: the file's name ends like that, or is dom0_xen.yml
plugin: dom0.xen.domains

---
# A group for each type of domain, and one of the large ones; facts of the last hour only
plugin: dom0.xen.domains
max_age: 3600
too_old: fail
keyed_groups:
  - key: type
    prefix: type
groups:
  large: memory_mib >= 8192

---
# Ask the dom0s of hosts.ini, at most once in ten minutes
plugin: dom0.xen.domains
ask: true
ask_after: 600
inventories: [hosts.ini]
"""

import os
import time
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from ansible.template import trust_as_template

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import asking, folder, listing
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.listing import DOMAINS_GROUP, Listed
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet

ENDINGS = (".dom0_xen.yml", ".dom0_xen.yaml", f"{os.sep}dom0_xen.yml", f"{os.sep}dom0_xen.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable):
    """Reads files of the controller; asks through a playbook."""

    NAME = "dom0.xen.domains"

    def verify_file(self, path: str) -> bool:
        """Say whether a file looks as if it were for this plugin."""
        return bool(super().verify_file(path)) and os.path.abspath(path).endswith(ENDINGS)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the domains. Raises AnsibleParserError for a file that says what it should not, and for too old facts."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            self._add(self._known(os.path.dirname(os.path.abspath(path))))
        except Dom0XenError as exc:
            raise AnsibleParserError(str(exc.as_result()["msg"])) from exc

    def _known(self, base: str) -> Fleet:
        """Return what is known, after the dom0s were asked if that is wanted."""
        given = str(self.get_option("path"))
        place = folder.folder_of(os.path.join(base, os.path.expanduser(given)) if given else "", C.ANSIBLE_HOME)
        fleet = folder.read(place, self._warn)
        if self.get_option("ask") and not asking.is_child():
            sources = [os.path.join(base, os.path.expanduser(str(name))) for name in self.get_option("inventories")]
            if listing.oldest_s(fleet, time.time()) > self.get_option("ask_after"):
                group, timeout_s = str(self.get_option("dom0_group")), float(self.get_option("ask_timeout"))
                self._tell(asking.ask(sources, place, group, timeout_s))
                fleet = folder.read(place, self._warn)
        if not fleet.dom0s:
            self._tell([f"Nothing is known of any dom0 in {place}: run the playbook dom0.xen.facts."])
        return fleet

    def _add(self, fleet: Fleet) -> None:
        limit_s, too_old = float(self.get_option("max_age")), str(self.get_option("too_old"))
        found = listing.listed(fleet, time.time(), limit_s, too_old, set(self.inventory.hosts))
        self._tell(found.warnings)
        # It is there without domains, too: a playbook may name it.
        self.inventory.add_group(DOMAINS_GROUP)
        for domain in found.domains:
            self._add_domain(domain)

    def _add_domain(self, domain: Listed) -> None:
        host, facts, strict = domain.host, domain.facts, self.get_option("strict")
        self.inventory.add_host(host, group=DOMAINS_GROUP)
        self.inventory.set_variable(host, "ansible_connection", trust_as_template(listing.CONNECTION))
        self.inventory.set_variable(host, listing.VARIABLE, facts)
        for name in domain.groups:
            group = self.inventory.add_group(to_safe_group_name(name, force=True, silent=True))
            self.inventory.add_child(group, host)
        variables = {**facts, listing.VARIABLE: facts}
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)

    def _warn(self, error: Dom0XenError) -> None:
        self._tell([str(error.as_result()["msg"])])

    def _tell(self, warnings: t.Iterable[str]) -> None:
        for warning in warnings:
            self.display.warning(warning)
