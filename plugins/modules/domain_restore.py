#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_restore
short_description: Restore a Xen domain from an image that domain_save has written
version_added: 0.1.0
description:
  - Feeds C(xl restore -p) from an image of M(dom0.xen.domain_save), compressed or not, and lets the domain run when
    every byte was right and it is on the disk that the image was restored.
  - Image and manifest are compared first, see O(verify). The very bytes that C(xl) gets are hashed, and it gets the
    last ones only when the hash is the manifest's. So a file that changes between check and restore never becomes a
    domain.
  - Refused, each with one message that names cause, host and remedy, is an image that is truncated, was altered, is
    of a newer Xen, has no manifest, or was restored before; one whose domain went on after it was saved; one whose
    domain is on this or any other dom0 of O(inventory), or may be on one that does not answer; and one whose domain is
    being migrated, or was when that was interrupted, since settling may start it.
  - Compared with what the host has, as before a migration, are the processor that the guest was shown, limits of
    grants, scripts, the device model and its user, memory, bridges, pools of processors and disks.
  - An image is good for one restore only, since the disks of its domain belong to a later moment when it has run on.
    That it was restored is put on record in a file beside it, whose name has C(.restored.json) behind the image's,
    and below O(journal_path) of the host. So a copy of an image that any of O(hosts) has restored is refused as well.
  - Whatever fails before the domain may run, an C(xl) or a module that is killed among it, ends with no copy here and
    the image as if nothing had been. A power loss in between is told by the next run, as a restore that was cut off.
  - Disks are not in an image. They must be there as they were when it was saved.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
  - dom0.xen._places
options:
  path:
    description:
      - The image on the host. Its manifest must lie beside it, with C(.json) behind its name.
      - The folder must be writable, and must not be the one from which the host restores images at its boot.
    type: path
    required: true
  hosts:
    description:
      - What M(dom0.xen.host_info) returned, by the name of the host, also where it failed or the host did not answer.
      - The domain may be on none of them. One that did not tell its domains refuses, unless it is in O(switched_off).
    type: dict
    required: true
  inventory:
    description:
      - The names of all dom0s. Those that are not in O(hosts) were not asked, which refuses as well.
    type: list
    elements: str
    required: true
  switched_off:
    description:
      - Names of dom0s that have no power, on your word. Only for those it is no hindrance that they do not answer.
      - One that is only cut off from the network may run the domain, and its copy and this one would write to one disk.
    type: list
    elements: str
    default: []
  leave_paused:
    description:
      - Whether the domain is left paused. It is on record as restored then too.
      - A later run without it lets the domain run, if it has not run yet and is on no other dom0 of O(inventory).
    type: bool
    default: false
  verify:
    description:
      - How much is compared before C(xl) is started.
      - V(full) reads the whole image, so nothing is begun with one that is damaged.
      - V(quick) compares its size and reads up to what tells the domain. The rest is compared while it is restored. The
        image is read once instead of twice; damage is found late, and what was built is thrown away.
    type: str
    choices: [full, quick]
    default: full
  waive:
    description:
      - What does not refuse, on your word. Each is told as a warning instead.
      - V(image_restored) the domain has not run since the image was restored, or its disks were put back to the moment
        in which it was saved.
      - V(image_checkpoint) the disks of an image that was saved with O(dom0.xen.domain_save#module:after=checkpoint) or
        V(leave_paused) were put back to that moment, or the domain has not run since.
      - V(domain_elsewhere) the domain is on another dom0 too. Only with O(leave_paused=true); nothing here lets two
        copies of a domain run.
      - V(not_enough_memory), V(bridge_missing), V(cpupool_missing), V(disk_missing), V(script_missing) and
        V(device_model_user_missing) it is there by the time that C(xl) needs it, which else refuses.
      - V(cpu_features_shown) and V(grant_limits) the guest uses nothing of what it was given and is missing here; else
        it breaks.
    type: list
    elements: str
    choices:
      - image_restored
      - image_checkpoint
      - domain_elsewhere
      - not_enough_memory
      - bridge_missing
      - cpupool_missing
      - disk_missing
      - cpu_features_shown
      - grant_limits
      - script_missing
      - device_model_user_missing
    default: []
attributes:
  check_mode:
    support: full
    details:
      - Refuses what would be refused, reads the image as O(verify) says, and touches nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Nothing is changed when the domain runs here and the record beside the image says that it came from it; with
        O(leave_paused=true) also when it is paused.
  platform:
    support: full
    platforms: posix
  async:
    support: full
notes:
  - What other hosts told is as old as O(hosts), and reading a large image takes minutes, in which somebody may start
    the domain elsewhere. So do as the playbook C(dom0.xen.restore) does. It asks all dom0s, restores the domain with
    O(leave_paused=true), asks all again, and runs this module once more, which then takes seconds.
seealso:
  - module: dom0.xen.domain_save
  - module: dom0.xen.stream_info
  - module: dom0.xen.domain_audit
"""

EXAMPLES = r"""
- name: Look at all dom0s
  dom0.xen.host_info:
  register: dom0_xen_host_info
  ignore_errors: true
  ignore_unreachable: true

- name: Restore the domain on xen2, and leave it paused
  dom0.xen.domain_restore:
    path: /srv/saved/centos.xen
    hosts: "{{ dict(asked | zip(asked | map('extract', hostvars, 'dom0_xen_host_info'))) }}"
    inventory: "{{ groups['dom0'] }}"
    leave_paused: true
  when: inventory_hostname == 'xen2'
  vars:
    asked: "{{ ansible_play_hosts_all }}"

- name: Look at all dom0s again, since reading the image has taken its time
  dom0.xen.host_info:
  register: dom0_xen_host_info
  ignore_errors: true
  ignore_unreachable: true

- name: Let it run, if it still is nowhere else
  dom0.xen.domain_restore:
    path: /srv/saved/centos.xen
    hosts: "{{ dict(asked | zip(asked | map('extract', hostvars, 'dom0_xen_host_info'))) }}"
    inventory: "{{ groups['dom0'] }}"
  when: inventory_hostname == 'xen2'
  vars:
    asked: "{{ ansible_play_hosts_all }}"
"""

RETURN = r"""
path:
  description: The image. Ansible itself adds its C(owner), C(group), C(mode), C(uid), C(gid), C(size) and C(state).
  returned: success
  type: str
  sample: /srv/saved/centos.xen
manifest:
  description: What the manifest says, as RV(dom0.xen.domain_save#module:manifest).
  returned: success
  type: dict
  sample: {uuid: 1c2d3e4f-0000-4000-8000-00000000002a, name: centos, saved_at: "2026-11-23T04:05:06Z"}
domain:
  description: The domain.
  returned: success
  type: dict
  contains:
    uuid: {type: str, description: Its UUID., sample: 1c2d3e4f-0000-4000-8000-00000000002a}
    name: {type: str, description: Its name., sample: centos}
    type: {type: str, description: "Its kind, V(pv), V(pvh) or V(hvm).", sample: pvh}
    domid: {type: int, description: Its domid here. Null in check mode when it would be restored., sample: 9}
    state: {type: str, description: "V(running) or V(paused). Null as the domid.", sample: running}
accepted:
  description: Findings that did not refuse it, warnings and what was waived.
  returned: success
  type: list
  elements: dict
  contains:
    code: {type: str, description: "What it is, in one word.", sample: image_checkpoint}
    severity: {type: str, description: "V(warning) or V(waived).", sample: waived}
    host: {type: str, description: The host that it is about., sample: xen2}
    message: {type: str, description: "What was found, for people.", sample: centos went on after this image was saved.}
    remedy: {type: str, description: What to do about it., sample: Put its disks back to copies from that very moment.}
    details: {type: dict, description: "The same for programs, by code.", sample: {after: checkpoint}}
seconds:
  description: How long it took from the start of C(xl), in seconds. Null when nothing was restored.
  returned: success
  type: float
  sample: 6.4
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: image_altered
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Copy the image and its manifest again from where they come from, or use an older image.
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._restoring.task import Asked, run
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import RESTORE


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=RESTORE, supports_check_mode=True)
    params: dict[str, t.Any] = module.params
    asked = Asked(
        path=os.path.abspath(params["path"]),
        hosts=params["hosts"],
        inventory=tuple(params["inventory"]),
        switched_off=tuple(params["switched_off"]),
        leave_paused=params["leave_paused"],
        verify=params["verify"],
        waive=tuple(params["waive"]),
        runtime_path=params["runtime_path"],
        journal_path=params["journal_path"],
        zstd=module.get_bin_path("zstd"),
        check=module.check_mode,
    )
    try:
        result = run(asked, module.warn)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    if result["changed"] and not asked.check:
        module.log("dom0.xen: restored {} from {}".format(result["domain"]["name"], asked.path))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
