#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_save
short_description: Save a running Xen domain to a file
version_added: 0.1.0
description:
  - Suspends a domain with C(xl save), writes its state to an image, and writes a manifest beside it, from which can be
    told whose image it is and whether it is whole and unaltered.
  - The image is written aside, under a name that begins with a dot, in the same folder. It is followed byte for byte
    while it is written. Only when it is complete and sound, and is on the disk with its manifest, do both get their
    names. Only then is the domain destroyed, or let go on.
  - A domain that somebody has unpaused by then is not destroyed. The save fails, and the manifest says V(checkpoint),
    since the image does not fit the disks any more. In the folder from which the host restores images at its boot the
    image is removed.
  - Whatever fails before that, a full disk, an C(xl) or a module that is killed, a guest that does not suspend, ends
    with the domain running as before and with nothing left on the disk. The failure says so in C(details.guest).
  - A power loss leaves the earlier image with its manifest, or the new one with its, or files that begin with a dot,
    which the next save to the same path removes, or puts in place when they are complete.
  - The domain stands still while the image is written, and goes on standing still until it is on the disk. Nothing of
    it may be written to a slow file system in a hurry.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._claimant
  - dom0.xen._places
options:
  domain:
    description:
      - Name or UUID of the domain, which must run. A domid is refused, since it means another domain after each start.
    type: str
    required: true
  path:
    description:
      - The image. The manifest gets the same name with C(.json) behind it. The folder must be there.
      - Both are readable by their owner only, since all of the guest's memory is in the image.
      - An image of the same domain that this module has written is replaced. Anything else that is there is refused
        unless O(force=true). Links, folders and devices are never replaced.
    type: path
    required: true
  after:
    description:
      - What becomes of the domain when its image is complete and on the disk.
      - V(shut_down) destroys it, as C(xl save) does.
      - V(checkpoint) lets it go on. Its disks go on too, so such an image is of use only together with copies of the
        disks from the same moment. With V(leave_paused) they can be made before C(xl unpause).
      - V(leave_paused) leaves it paused.
    type: str
    choices: [shut_down, checkpoint, leave_paused]
    default: shut_down
  compression:
    description:
      - How the image is compressed. M(dom0.xen.domain_restore) reads them all. A plain C(xl restore) reads only what is
        not compressed; the others have to go through C(zcat) or C(zstdcat) first.
      - V(zstd) needs the program of that name on the host.
    type: str
    choices: [none, gzip, zstd]
    default: none
  force:
    description:
      - Whether a file at O(path) may be replaced that is no image of this domain, or has no manifest of this module.
    type: bool
    default: false
  reserve_mib:
    description:
      - How much is to stay free on the file system, in MiB. Before the save there must be room for this and all of the
        domain's memory, with O(compression) too, as nobody knows how small it will get. While the image is written this
        much must stay free.
    type: int
    default: 512
  liveness_timeout:
    description:
      - For how long to look, with O(after=checkpoint), whether the guest goes on, in seconds; V(0) for not at all. A
        guest that shows a sign of life ends that at once. One that shows none has been saved all the same, and there is
        a warning.
    type: int
    default: 15
attributes:
  check_mode:
    support: full
    details:
      - Refuses what would be refused, and touches nothing.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - With O(after=shut_down) nothing is changed when the domain is gone and its image is at O(path), whole, and was
        not restored since.
      - With O(after=leave_paused) nothing is changed when the domain is paused and has not run since it was saved.
      - With O(after=checkpoint) each run saves the domain anew.
  platform:
    support: full
    platforms: posix
notes:
  - Up to Xen 4.19 a suspend ends the process of C(xl) that looks after the domain, as with a plain C(xl save -c); see
    RV(monitor).
  - An HVM guest whose disks QEMU caches is refused unless O(after=shut_down). QEMU then ends with all disks flushed, as
    with a plain C(xl save), so the image may be restored on this host. Before it is restored on another host, that host
    must not have old blocks of these disks in its memory.
  - A PV or PVH guest with a disk that QEMU serves from an image that is not raw is refused unless O(after=shut_down).
    Copies of that image, with which V(checkpoint) and V(leave_paused) are of use, would lack what QEMU has in memory.
  - A domain that a cluster manager looks after is refused. It would be started again.
  - A domain with PCI or USB devices of the host, or with a virtual TPM, is refused. Their state is in no image.
  - A guest that has not suspended in time is watched for two minutes after the failure, by a process that outlives the
    module, and is resumed should it suspend after all. The same process does what is left to do when the module is
    killed. As long as it is at work another save, or a migration from this host, is refused.
seealso:
  - module: dom0.xen.domain_restore
  - module: dom0.xen.stream_info
  - module: dom0.xen.domain_info
"""

EXAMPLES = r"""
- name: Save a domain before the host is switched off
  dom0.xen.domain_save:
    domain: centos
    path: /srv/saved/centos.xen

- name: Save it compressed and leave it paused while its disk is copied
  dom0.xen.domain_save:
    domain: 1c2d3e4f-0000-4000-8000-00000000002a
    path: /backup/centos.xen.zst
    compression: zstd
    after: leave_paused
    reserve_mib: 4096

- name: See whether it could be saved
  dom0.xen.domain_save:
    domain: centos
    path: /srv/saved/centos.xen
  check_mode: true
"""

RETURN = r"""
path:
  description: The image. Ansible itself adds its C(owner), C(group), C(mode), C(uid), C(gid), C(size) and C(state).
  returned: success
  type: str
  sample: /srv/saved/centos.xen
manifest_path:
  description: The manifest.
  returned: success
  type: str
  sample: /srv/saved/centos.xen.json
manifest:
  description: What the manifest says. Null in check mode when there would be a new one.
  returned: success
  type: dict
  contains:
    format: {type: int, description: Version of the manifest., sample: 1}
    uuid: {type: str, description: UUID of the domain., sample: 1c2d3e4f-0000-4000-8000-00000000002a}
    name: {type: str, description: Name of the domain., sample: centos}
    type: {type: str, description: "Its kind, V(pv), V(pvh) or V(hvm).", sample: pvh}
    xen_version: {type: str, description: The Xen that has written the image., sample: "4.17"}
    stream_bytes: {type: int, description: "Length of what C(xl) has written, in bytes.", sample: 128616608}
    file_bytes: {type: int, description: "Size of the image, in bytes.", sample: 17825792}
    compression: {type: str, description: How the image is compressed., sample: zstd}
    sha256:
      description: SHA-256 of what C(xl) has written, before compression.
      type: str
      sample: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    saved_at: {type: str, description: "When it was complete, UTC.", sample: "2026-11-23T04:05:06Z"}
    after: {type: str, description: What has become of the domain., sample: shut_down}
    boot_id: {type: str, description: The boot of the host., sample: 5e1e8f51-6513-48e3-a9c6-d2d0263407a2}
    domid: {type: int, description: The domid that the domain had., sample: 7}
    cpu_time_s: {type: float, description: "Processor time that it had used here, in seconds.", sample: 43.9}
    xen_commandline: {type: str, description: "What Xen was booted with here.", sample: "dom0_mem=1024M,max:1024M"}
domain:
  description: The domain that was saved, or would be.
  returned: success
  type: dict
  contains:
    uuid: {type: str, description: Its UUID., sample: 1c2d3e4f-0000-4000-8000-00000000002a}
    name: {type: str, description: Its name., sample: centos}
    domid: {type: int, description: The domid that it had., sample: 7}
    type: {type: str, description: "Its kind, V(pv), V(pvh) or V(hvm).", sample: pvh}
stream_bytes:
  description: As in the manifest, in bytes. Null in check mode when there would be a new one.
  returned: success
  type: int
  sample: 128616608
file_bytes:
  description: As in the manifest, in bytes. Null in check mode when there would be a new one.
  returned: success
  type: int
  sample: 17825792
seconds:
  description: How long it took, in seconds. Null when nothing was saved.
  returned: success
  type: float
  sample: 4.2
stop_ms:
  description:
    - How long the guest stood still, in milliseconds, from the first page of memory until it was seen running.
    - Null unless O(after=checkpoint).
  returned: success
  type: int
  sample: 3900
monitor:
  description:
    - Whether C(xl)'s monitor still looks after the domain, V(kept) or V(lost). Before Xen 4.20 a suspend ends it, and
      a reboot from within the guest then leaves the domain standing until somebody starts it.
    - Null with O(after=shut_down), and when nothing was saved.
  returned: success
  type: str
  sample: lost
liveness:
  description:
    - Whether the guest was seen to go on with O(after=checkpoint), as in M(dom0.xen.migration_settle). Null where
      nobody looked.
  returned: success
  type: dict
code:
  description: Stable name of the error.
  returned: failure
  type: str
  sample: no_room
remedy:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Make room, give a path on another file system, or lower reserve_mib.
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import AFTER
from ansible_collections.dom0.xen.plugins.module_utils._saving.sinks import COMPRESSIONS
from ansible_collections.dom0.xen.plugins.module_utils._saving.task import Asked, run
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import CLAIMANT, PLACES


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **CLAIMANT,
            **PLACES,
            "domain": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "after": {"type": "str", "choices": list(AFTER), "default": "shut_down"},
            "compression": {"type": "str", "choices": list(COMPRESSIONS), "default": "none"},
            "force": {"type": "bool", "default": False},
            "reserve_mib": {"type": "int", "default": 512},
            "liveness_timeout": {"type": "int", "default": 15},
        },
        supports_check_mode=True,
    )
    params: dict[str, t.Any] = module.params
    asked = Asked(
        domain=params["domain"],
        path=os.path.abspath(params["path"]),
        after=params["after"],
        compression=params["compression"],
        force=params["force"],
        reserve_mib=max(0, params["reserve_mib"]),
        liveness_timeout=params["liveness_timeout"],
        runtime_path=params["runtime_path"],
        journal_path=params["journal_path"],
        zstd=module.get_bin_path("zstd"),
        check=module.check_mode,
    )
    try:
        with claims.held(asked.journal_path, "" if asked.check else params["token"]):
            result = run(asked, module.warn)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    if result["changed"] and not asked.check:
        module.log("dom0.xen: saved {} to {}".format(result["domain"]["name"], asked.path))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
