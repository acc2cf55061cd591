#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Tell what a Xen dom0 is, what it has free, and what runs on it
version_added: 0.1.0
description:
  - Gathers in one go what a migration and an audit have to know of a host, such as the version and the abilities of
    Xen, memory, bridges, addresses, domains, and the sessions of migrations that left something on the host.
  - Never fails because something is missing on the host. What is missing is listed in RV(host.problems).
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._attributes.info_module
  - dom0.xen._places
attributes:
  async:
    support: full
  platform:
    support: full
    platforms: posix
seealso:
  - module: dom0.xen.domain_info
"""

EXAMPLES = r"""
- name: Gather the facts of a dom0
  dom0.xen.host_info:
  register: dom0

- name: Fail unless the host is fit for migrations
  ansible.builtin.assert:
    that: dom0.host.problems | length == 0
    fail_msg: "{{ dom0.host.problems | map(attribute='message') | join(' ') }}"
"""

RETURN = r"""
host:
  description: What is known of the host.
  returned: always
  type: dict
  contains:
    hostname: {type: str, description: "Name of the host, from C(xl info), else from the kernel.", sample: xen1}
    uid: {type: int, description: "The user that the module ran as. V(0) is needed.", sample: 0}
    boot_id: {type: str, description: Identity of this boot., sample: 60c181fd-6513-48e3-a9c6-d2d0263407a2}
    python: {type: str, description: The version of Python that modules run with., sample: 3.11.2}
    paramiko: {type: bool, sample: false, description: "Whether paramiko is there, for the transport V(ssh)."}
    zstandard: {type: bool, sample: true, description: "Whether zstandard is there, for packing the stream with zstd."}
    pyxs:
      {type: str, sample: 0.4.2.dev0, description: "Version of pyxs, V(unknown) if it does not tell, null without it."}
    systemd: {type: bool, description: Whether the host was booted with systemd., sample: true}
    xen:
      description: The hypervisor. V(null) where C(xl) cannot reach one.
      returned: always
      type: dict
      contains:
        version: {type: str, description: The full version., sample: 4.17.7}
        major: {type: int, description: First part of the version., sample: 4}
        minor: {type: int, description: Second part of the version., sample: 17}
        extra: {type: str, description: The rest of the version., sample: ".7"}
        caps:
          description: Kinds of domains that Xen can run (C(xen_caps) of C(xl info)).
          returned: always
          type: list
          elements: str
          sample: ["xen-3.0-x86_64", "hvm-3.0-x86_32", "hvm-3.0-x86_32p", "hvm-3.0-x86_64"]
        virt_caps:
          description: Abilities of Xen and the hardware together (C(virt_caps) of C(xl info)).
          returned: always
          type: list
          elements: str
          sample: ["pv", "hvm", "hap", "gnttab-v1", "gnttab-v2"]
        commandline: {type: str, description: The command line of Xen., sample: "placeholder dom0_mem=1024M,max:1024M"}
    cpus: {type: int, description: "Number of processors. V(null) without Xen.", sample: 8}
    memory_mib: {type: int, description: "Memory of the machine in MiB. V(null) without Xen.", sample: 32437}
    free_memory_mib: {type: int, description: "Memory in MiB of no domain. V(null) without Xen.", sample: 20121}
    dom0_memory_mib: {type: int, description: "Memory of dom0 in MiB. V(null) without Xen.", sample: 1024}
    autoballoon: {type: bool, description: Whether C(xl) shrinks dom0 to make room for a domain., sample: false}
    bridges:
      {type: list, elements: str, sample: [xenbr0], description: Bridges that network cards of domains can be put on.}
    addresses:
      description: IPv4 and IPv6 addresses of the host that others can reach, with the interface that has them.
      returned: always
      type: list
      elements: dict
      sample:
        - interface: xenbr0
          address: 192.0.2.11
    cpupools:
      description: Names of the pools of processors. Empty where XenStore could not be asked.
      type: list
      elements: str
      sample: ["Pool-0"]
    clock_s: {type: float, description: "The host's clock, in seconds since 1970 (UTC).", sample: 1795448672.57}
    asked_s: {type: float, description: The controller's clock before the host read its own., sample: 1795448672.03}
    answered_s: {type: float, description: The controller's clock after that., sample: 1795448673.1}
    runtime_path:
      description:
        - The folder in memory that sessions of this host use.
        - It is O(runtime_path) where that is on a C(tmpfs), else the one in C(/dev/shm), else V(null).
      returned: always
      type: str
      sample: /run/dom0-xen
    domains:
      description:
        - All domains, the host's own included.
        - The keys mean what they mean in RV(dom0.xen.domain_info#module:domains). C(cpu_time_s) is the processor time
          that the domain has used on this host, in seconds, in steps of 0.1.
      returned: always
      type: list
      elements: dict
      sample:
        - domid: 3
          uuid: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab
          name: centos
          state:
            running: false
            blocked: true
            paused: false
            shutdown: false
            crashed: false
            dying: false
            reason: null
          memory_mib: 2048
          vcpus: 2
          cpu_time_s: 43.9
    sessions:
      description: The newest 20 sessions that left something here, and all without an owner or owing, newest first.
      returned: always
      type: list
      elements: dict
      contains:
        session: {type: str, description: Identity of the session., sample: 0123456789abcdef}
        role: {type: str, description: "The part of this host in it, V(sender) or V(receiver).", sample: sender}
        phase:
          description: How far it has come, such as V(streaming) or V(ended). V(unknown) when only its journal is left.
          type: str
          sample: ended
        owner:
          description: Whose copy of the domain counts, V(source), V(destination) or V(unsettled).
          type: str
          sample: destination
        end_state: {type: str, description: "How it ended, V(moved), V(stayed) or V(unsettled). V(null) when not yet."}
        domain:
          description: UUID and name of the domain that it was about. They are V(null) when only the journal is left.
          type: dict
          sample: {uuid: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab, name: centos}
        pid:
          description: The process of the session on this host. V(null) when it is not known.
          type: int
          sample: 4711
        alive: {type: bool, description: Whether that process still runs., sample: false}
        waits: {type: bool, description: "Whether its process says that only dom0.xen.settle can bring it to its end."}
        peer_host: {type: str, description: "The other host, as the inventory calls it. V(null) when it is not known."}
        after_tasks: {type: str, description: "Of a caller's tasks after the move, V(owed) or V(done); else V(null)."}
    autostart:
      description:
        - What the host makes a domain of when it boots, as C(xendomains) does.
        - The folders are those that C(/etc/default/xendomains) or C(/etc/sysconfig/xendomains) names, else
          C(/etc/xen/auto) and C(/var/lib/xen/save).
      returned: always
      type: list
      elements: dict
      contains:
        path: {type: str, description: The file., sample: /etc/xen/auto/centos.cfg}
        kind: {type: str, description: "V(config) for one that is started, V(image) for one that is restored."}
        name: {type: str, description: "Name of the domain, from the file, else from the file's own name."}
        uuid: {type: str, description: "UUID of the domain, V(null) where the file gives none."}
        set_aside: {type: str, description: "The session that has taken it out of force, V(null) for one in force."}
    configs:
      description: The configurations of domains in C(/etc/xen), with the keys of RV(host.autostart), of kind V(file).
      returned: always
      type: list
      elements: dict
    hands:
      description: The processes that save, send, stop or rename domains at this moment and belong to no session.
      returned: always
      type: list
      elements: dict
      contains:
        pid: {type: int, description: The process., sample: 4711}
        command: {type: str, description: What it does., sample: xl save}
        target: {type: str, description: "The domain, by name or number as it was given. V(null) for all domains."}
    monitors:
      description: The processes that make domains, or wait to handle their end, such as the one C(xl create) leaves.
      returned: always
      type: list
      elements: dict
      contains:
        pid: {type: int, description: The process., sample: 4711}
        command: {type: str, description: What it was started as., sample: xl create}
        watching: {type: bool, description: Whether the domain is made and it waits for its end.}
        domid: {type: int, description: "The domain, from its log. V(null) where that cannot be told.", sample: 3}
        name: {type: str, description: "What the domain was called when it was made. V(null) where not known."}
    cluster:
      description: The cluster manager that runs on the host. V(null) when none does. Pacemaker is known.
      returned: always
      type: dict
      contains:
        manager: {type: str, description: Its name., sample: pacemaker}
        known: {type: bool, description: Whether its configuration could be read.}
        resources:
          description: Its resources that run domains of Xen.
          type: list
          elements: dict
          contains:
            id: {type: str, description: Name of the resource., sample: vm-centos}
            agent: {type: str, description: The agent., sample: "ocf:heartbeat:Xen"}
            name: {type: str, description: "Name of the domain, V(null) where it is not known."}
            uuid: {type: str, description: "UUID of the domain, V(null) where it is not known."}
            managed: {type: bool, description: Whether the cluster starts and stops it at this moment.}
    equipment:
      description: What the host has that a domain may need there. A list is empty where nothing could be seen.
      type: dict
      contains:
        disks:
          description:
            - Block devices, with their paths under C(/dev), size, and what identifies them. C(lvm) is the UUID of group
              and volume, C(wwn) and C(serial) are the device's own, C(filesystem) is that of what is on it.
          type: list
          elements: dict
          sample: [{number: "253:3", names: [/dev/dm-3, /dev/vg/centos], size_bytes: 1073741824, ids: {lvm: LVM-Zd3}}]
        read_only: {type: list, elements: str, description: "C(number) of each of C(disks) that nobody can write to."}
        mounts:
          description:
            - The file systems that files can be on. C(root) is the folder of it at C(path). By its options C(cached) is
              V(false) where this host keeps nothing of its files, C(read_only) V(true) where nobody writes to them.
          type: list
          elements: dict
          sample: [{path: /vm, type: nfs4, source: "nas:/xen", root: /, number: "0:44", cached: true, read_only: false}]
        scripts: {type: list, elements: str, description: "Names of the programs in C(/etc/xen/scripts)."}
        emulators: {type: list, elements: str, description: Device models (QEMU) in the usual places.}
        emulator_versions: {type: dict, description: The versions of those that tell., sample: {/usr/bin/qemu: 7.2.9}}
        boot: {type: list, elements: str, description: "Kernels and boot loaders. V(null) where it cannot be seen."}
        firmware: {type: list, elements: str, description: What HVM domains boot with in the usual places.}
        users: {type: list, elements: str, description: "Users in C(/etc/passwd)."}
        processor:
          description:
            - The maker, the words of C(hw_caps) of C(xl info), and the clock's rate in MHz. C(pv_max), C(hvm_max),
              C(pv_default) and C(hvm_default) are what Xen gives a PV domain, and any other, at most and unless asked,
              as C(cpu_policy) of RV(dom0.xen.domain_info#module:domains). V(null) where C(xen-cpuid -p) does not tell.
          type: dict
          sample:
            {vendor: AuthenticAMD, features: ["078bfbfd", "80802001"], mhz: 2599.998, pv_max: null, hvm_max: null,
             pv_default: null, hvm_default: null}
        recent_domids: {type: list, elements: int, description: Domids not given out since they were just in use.}
        mtus: {type: dict, description: The MTU of each bridge., sample: {xenbr0: 1500}}
        ipv4: {type: list, elements: str, description: "Interfaces with an IPv4 address of any kind, C(lo) too."}
        cards: {type: list, elements: dict, description: "C(domid) and C(mac) of the network cards of domains."}
    closed: {type: dict, description: "As RV(dom0.xen.host_arrivals#module:mark). V(null) where it takes domains."}
    restored: {type: list, elements: dict, description: "C(sha256), C(saved_at), C(at) of images restored here."}
    problems:
      description: What keeps the host from taking part in a migration. Empty when nothing does.
      returned: always
      type: list
      elements: dict
      contains:
        code:
          description:
            - What is wrong, one of V(no_xen), V(xl_missing), V(xl_failed), V(xl_output), V(not_root), V(pyxs_missing),
              V(xenstore_unreachable), V(xenstore_timeout), V(xenstore_error), V(no_runtime_path).
          returned: always
          type: str
          sample: pyxs_missing
        message: {type: str, description: "What is wrong, for people."}
        remedy:
          description: What to do about it, for people.
          returned: always
          type: str
          sample: "Install pyxs for the host's Python (Debian and Ubuntu: python3-pyxs)."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import module_runner


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=dict(PLACES), supports_check_mode=True)
    try:
        facts = host_facts(module_runner(module), module.params["runtime_path"], module.params["journal_path"])
    except Dom0XenError as exc:
        module.fail_json(**exc.as_result())
    module.exit_json(changed=False, host=facts.to_result())


if __name__ == "__main__":
    main()
