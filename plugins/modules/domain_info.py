#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_info
short_description: Tell the configuration and the state of domains on a Xen dom0
version_added: 0.1.0
description:
  - Returns the configuration of a domain as C(xl list -l) gives it, which is the one that a migration sends, and what
    XenStore knows of the domain.
  - A domain that is not there gives an empty list, not a failure.
  - What is missing on the host (Xen, C(xl), pyxs, root) is listed in RV(problems), not a failure either.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.info_module
  - dom0.xen._places
options:
  domain:
    description:
      - Name, UUID, or domid of the domain. All domains when omitted, the host's own included.
      - A value of nothing but digits is a domid, as it is for C(xl).
    type: str
  config_path:
    description:
      - The file that the domain is made from, where that is not in C(/etc/xen) or the folder of C(xendomains), or is
        to arrive with. C(xl create -n) is asked what it makes of it.
    type: str
    default: ""
  look_up:
    description:
      - The name, or address, of another host, such as the one that the domain is to move to. It is looked up on this
        host for up to five seconds. Empty for none.
    type: str
    default: ""
attributes:
  platform:
    support: full
    platforms: posix
seealso:
  - module: dom0.xen.host_info
"""

EXAMPLES = r"""
- name: Gather the facts of one domain
  dom0.xen.domain_info:
    domain: centos
  register: guest

- name: Show the bridges that its network cards are on
  ansible.builtin.debug:
    msg: "{{ guest.domains[0].config.nics | default([]) | map(attribute='bridge') }}"
  when: guest.domains | length == 1

- name: Gather the facts of all domains
  dom0.xen.domain_info:
  register: all_domains
"""

RETURN = r"""
domains:
  description: The domains that were asked for.
  returned: always
  type: list
  elements: dict
  contains:
    domid:
      description: Number of the domain. Another one after each start or move.
      returned: always
      type: int
      sample: 3
    uuid:
      description: Identity of the domain. The same on every host it moves to.
      returned: always
      type: str
      sample: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab
    name:
      description: Name of the domain. Empty while the domain is being torn down.
      returned: always
      type: str
      sample: centos
    state:
      description: State of the domain, as in C(xl list).
      returned: always
      type: dict
      contains:
        running: {type: bool, description: Whether it is on a processor at this moment., sample: false}
        blocked: {type: bool, description: "Whether it waits for something to do. Usual when idle.", sample: true}
        paused: {type: bool, description: Whether it has been paused., sample: false}
        shutdown:
          description: Whether it has shut down, suspended, or crashed. See RV(domains[].state.reason).
          returned: always
          type: bool
          sample: false
        crashed: {type: bool, description: Whether it has crashed., sample: false}
        dying: {type: bool, description: Whether it is being torn down., sample: false}
        reason:
          description:
            - Why it has shut down, V(null) when it has not.
            - One of V(poweroff), V(reboot), V(suspend), V(crash), V(watchdog), V(soft_reset), V(unknown).
          returned: always
          type: str
          sample: null
    config:
      description:
        - The configuration that C(xl) keeps of the domain, with passwords replaced by V(********), and so the values of
          settings that name a password, secret, token or key inside texts, such as arguments of the device model.
        - Settings that have their default are left out, as C(xl) does. Memory is in KiB.
        - V(null) when C(xl) has none. Such a domain cannot be migrated with C(xl).
      returned: always
      type: dict
      sample:
        c_info:
          type: pvh
          name: centos
          uuid: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab
        b_info:
          max_vcpus: 1
          max_memkb: 131072
          target_memkb: 131072
        nics:
          - devid: 0
            mac: 00:16:3e:5e:00:01
            bridge: xenbr0
    memory_mib:
      description: Memory that the domain has now, in MiB.
      returned: always
      type: int
      sample: 128
    memory_max_kib:
      description: The most memory that the domain may get, in KiB. V(null) when it is not known.
      returned: always
      type: int
      sample: 131072
    vcpus:
      description: Number of virtual processors that are online.
      returned: always
      type: int
      sample: 1
    type:
      description: Kind of the domain, V(pv), V(pvh) or V(hvm). V(null) when C(xl) has no configuration of it.
      returned: always
      type: str
      sample: pvh
    links:
      description: The real paths of those files of its disks whose paths lead over symbolic links.
      returned: always
      type: dict
      sample: {/vm/centos.img: /srv/pool/centos.img}
    xenstore:
      description: What XenStore knows of the domain. V(null) when it could not be asked.
      returned: always
      type: dict
      contains:
        name:
          description: Name of the domain.
          returned: always
          type: str
          sample: centos
        vm:
          description: Where the domain's UUID comes from.
          returned: always
          type: str
          sample: /vm/2c1a7b9e-3f5d-4c65-9e1a-0123456789ab
        feature_suspend:
          description: V(1) when the guest says that it can be suspended. Empty or V(null) when it says nothing.
          returned: always
          type: str
          sample: "1"
        control_shutdown:
          description: What the guest is asked to do, such as V(poweroff) or V(suspend). Empty or V(null) when nothing.
          returned: always
          type: str
          sample: ""
        memory_target_kib:
          description: Memory that the guest is asked to use, in KiB.
          returned: always
          type: int
          sample: 131072
        memory_static_max_kib:
          description: The most memory that the guest may get, in KiB.
          returned: always
          type: int
          sample: 131072
        devices:
          description: The guest's devices.
          returned: always
          type: list
          elements: dict
          contains:
            kind:
              description: Kind of device, such as V(vif) or V(vbd).
              returned: always
              type: str
              sample: vif
            id:
              description: Number of the device.
              returned: always
              type: int
              sample: 0
            backend_domid:
              description: The domain that serves the device. V(0) is the host itself.
              returned: always
              type: int
              sample: 0
            state:
              description: State of the guest's side. V(4) is connected.
              returned: always
              type: int
              sample: 4
    config_files:
      description:
        - The files that C(xl create) would make the domain from, those in C(/etc/xen) and in the folder of
          C(xendomains) that have its UUID, or its name and no UUID. For a domain that can be moved by shutting it down
          there is one.
      returned: always
      type: list
      elements: dict
      contains:
        path: {type: str, description: "Where it is, links followed to what only root can write."}
        name: {type: str, description: "The name that it gives, or null."}
        uuid: {type: str, description: "The UUID that it gives, or null."}
        differs:
          {type: list, elements: str, description: "In what it differs from what runs, of V(type), V(memory), V(vcpus),
              V(disks), V(vifs), V(on_poweroff)."}
        config: {type: dict, description: "What C(xl) makes of one that was named or differs, secrets masked, or null."}
        problem: {type: str, description: "Why C(xl) makes nothing of it, else empty."}
        digest: {type: str, description: "Its SHA-256, or empty."}
    cpu_policy:
      description:
        - The processor that the domain was shown when it was built, as C(xen-cpuid -p) tells it. V(null) where that
          does not tell it, and unless O(domain) is given.
      returned: always
      type: dict
      contains:
        vendor: {type: str, description: Its maker., sample: GenuineIntel}
        features: {type: list, elements: str, description: "Its features as Xen counts them, hexadecimal words."}
        max_leaf: {type: int, description: The highest leaf of CPUID., sample: 13}
        max_subleaf: {type: int, description: "The highest subleaf of leaf 7, or V(null) for one that does not matter."}
        max_extended_leaf: {type: int, description: The highest extended leaf., sample: 2147483681}
        platform_info: {type: int, description: The register MSR_INTEL_PLATFORM_INFO., sample: 2147483648}
problems:
  description: What was in the way. Empty when nothing was.
  returned: always
  type: list
  elements: dict
  contains:
    code: {type: str, description: "What is wrong, in one word, as for M(dom0.xen.host_info).", sample: pyxs_missing}
    message: {type: str, description: "What is wrong, for people."}
    remedy:
      description: What to do about it, for people.
      returned: always
      type: str
      sample: "Install pyxs for the host's Python (Debian and Ubuntu: python3-pyxs)."
looked_up:
  description: The addresses of O(look_up) for this host, in the order of trying. V(null) where that is empty.
  returned: always
  type: list
  elements: str
  sample: ["192.0.2.12"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.domain import domain_facts
from ansible_collections.dom0.xen.plugins.module_utils._facts.names import addresses_of
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner

TEXT = {"type": "str", "default": ""}


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(
        argument_spec=dict(PLACES, domain={"type": "str"}, config_path=dict(TEXT), look_up=dict(TEXT)),
        supports_check_mode=True,
    )
    try:
        domains, problems = domain_facts(module_runner(module), module.params["domain"], module.params["config_path"])
    except Dom0XenError as exc:
        module.fail_json(**exc.as_result())
    module.exit_json(
        changed=False,
        domains=[domain.to_result() for domain in domains],
        problems=[problem.to_result() for problem in problems],
        looked_up=list(addresses_of(module.params["look_up"])) if module.params["look_up"] else None,
    )


if __name__ == "__main__":
    main()
