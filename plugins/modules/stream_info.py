#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stream_info
short_description: Describe a saved Xen domain or a capture of a migration
version_added: 0.1.0
description:
  - Reads a file that C(xl save) has written, or what C(xl migrate) writes to the other side and somebody has kept, and
    tells which domain it is, what it was saved by, how its memory is laid out, and whether the file is whole and sound.
  - A broken file is described as far as it can be read, and RV(problem) says what is wrong with it. The module fails
    only when the file cannot be read at all.
  - It needs neither Xen nor C(xl), so a file can be looked at on any host with Python.
  - Files that were compressed with C(gzip), C(xz), or C(zstd) are recognised by their first bytes, not by their name.
    For C(zstd) the program of that name has to be on the host.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.info_module
options:
  path:
    description:
      - The file on the host. A regular file, or a symbolic link to one.
    type: path
    required: true
  pages:
    description:
      - Whether to read the content of the guest's pages, to count those that hold nothing but zeros.
      - With V(false) they are jumped over, which takes a small part of the time with a file that is not compressed.
    type: bool
    default: true
attributes:
  platform:
    support: full
    platforms: posix
notes:
  - Less than 64 MiB of memory is used, whatever the file says. The module fails on a file whose decompression takes
    more, as after C(xz -8) or C(zstd --long), and says what to do about it.
  - What is sound is what Xen's own C(verify-stream-v2 -f xl) finds sound, with these exceptions.
  - "Stricter: the xl header, the configuration, and all bits of the options in both layers' headers are checked too.
    At most 1024 entries may be in a PAGE_DATA record and 128 MiB in any record, as Xen writes them. libxl's END may
    not come before libxc's, libxc's part not twice, and CHECKPOINT_END only in a checkpoint; COLO's CHECKPOINT_STATE
    has 8 bytes. Behind the stream, where C(verify-stream-v2) ends, there may be nothing but the permission of
    C(xl migrate), which must be whole.
    What Xen 4.5 and older have written is not read."
  - "Laxer: checkpoints of Remus are understood. So is the device model's XenStore data of HVM guests, which
    C(verify-stream-v2) refuses whenever it runs with Python 3 (C(verify_record_emulator_xenstore_data) in
    tools/python/xen/migration/libxl.py compares a number with a text)."
  - Whether this host's Xen would restore the domain is not looked at.
seealso:
  - module: dom0.xen.domain_info
"""

EXAMPLES = r"""
- name: Describe a saved domain
  dom0.xen.stream_info:
    path: /var/lib/xen/save/centos
  register: saved

- name: Require that it is whole before the host is switched off
  ansible.builtin.assert:
    that:
      - saved.complete
      - saved.problem is none
    fail_msg: "{{ (saved.problem | default({}, true)).message | default('') }}"

- name: Look at a file of many GiB without reading its pages
  dom0.xen.stream_info:
    path: /backup/centos
    pages: false
"""

RETURN = r"""
path:
  description: The file. Ansible itself adds its C(owner), C(group), C(mode), C(uid), C(gid), C(size) and C(state).
  returned: success
  type: str
  sample: /var/lib/xen/save/centos
size_bytes: {returned: success, type: int, description: "Size of the file, in bytes.", sample: 128616608}
compression:
  description: How the file is compressed, V(none), V(gzip), V(xz) or V(zstd).
  returned: success
  type: str
  sample: none
complete:
  description:
    - Whether the stream goes on to its end record and the file does not end in the middle of something after it.
    - A file with RV(problem) can be complete. It is sound when it is complete and there is none.
  returned: success
  type: bool
  sample: true
permission:
  description: Whether the permission to run the guest follows, as in a capture of C(xl migrate) but not of C(xl save).
  returned: success
  type: bool
  sample: false
problem:
  description: The first thing that is wrong with the file, or null.
  returned: success
  type: dict
  contains:
    code: {type: str, description: "What is wrong, in one word.", sample: stream_truncated}
    message: {type: str, description: "What is wrong, for people.", sample: the stream ended in the middle}
    position: {type: int, description: "Where in the stream, in bytes from its beginning, decompressed.", sample: 70000}
    remedy: {type: str, description: "What to do about it, for people.", sample: Copy the file again.}
identity:
  description: Which domain it is, or null when the configuration does not say.
  returned: success
  type: dict
  contains:
    uuid: {type: str, description: Its UUID., sample: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab}
    name: {type: str, description: Its name., sample: centos}
    type: {type: str, description: "Its kind, V(pv), V(pvh) or V(hvm).", sample: pvh}
    memory_max_kib: {type: int, description: "The most memory that it may get, in KiB.", sample: 131072}
    memory_target_kib: {type: int, description: "Memory that it was to use, in KiB.", sample: 131072}
    video_memory_kib: {type: int, description: "Memory of its graphics card, in KiB. V(0) without one.", sample: 0}
config:
  description:
    - The configuration in the file, by which C(xl) would make the domain, or null when it cannot be read.
    - Passwords of VNC and SPICE are replaced by V(********), and so are the values of settings that name a password,
      secret, token or key inside texts, such as arguments of the device model and the path of a Ceph disk.
    - Memory is in KiB. A configuration of more than 128 KiB is not read.
  returned: success
  type: dict
  sample:
    c_info: {type: pvh, name: centos, uuid: 2c1a7b9e-3f5d-4c65-9e1a-0123456789ab}
    b_info: {max_vcpus: 1, max_memkb: 131072, target_memkb: 131072}
guest_type:
  description: Kind of the guest in the stream, V(pv), or V(hvm), which includes PVH. Null when it ends before that.
  returned: success
  type: str
  sample: hvm
stream_version:
  description: Version of libxc's format, V(2) up to Xen 4.13 and V(3) since, or null.
  returned: success
  type: int
  sample: 3
xen_version:
  description: The Xen that has written the stream, or null. V(0.x) when it was converted from that of Xen 4.5 or older.
  returned: success
  type: str
  sample: "4.17"
stream_bytes:
  description: Length of the stream in bytes, decompressed, without the permission. Null when its end is missing.
  returned: success
  type: int
  sample: 128616608
records:
  description: The types of records in the order in which they first come.
  returned: success
  type: list
  elements: dict
  contains:
    layer: {type: str, description: "Whose record it is, V(libxl) or V(libxc).", sample: libxc}
    name: {type: str, description: "Its name in Xen's specification, or its type in hex.", sample: PAGE_DATA}
    type: {type: int, description: Its type. Null for all types together that come after the first 64., sample: 1}
    count: {type: int, description: How many there are., sample: 1022}
    bytes: {type: int, description: "Bytes of all of them, with headers and padding.", sample: 128611512}
rounds:
  description:
    - The passes over the guest's memory, oldest first, and only the last 256 if there are more. Nothing in a stream
      marks them. They are told by frame numbers that begin anew.
    - What C(xl save) writes has one, V(final).
  returned: success
  type: list
  elements: dict
  contains:
    number: {type: int, description: Number of the round. The first one is 0., sample: 0}
    kind: {type: str, description: "V(live) while the guest ran, V(final) when it stood still.", sample: live}
    entries: {type: int, description: "Frame numbers, those without content included.", sample: 1044480}
    pages: {type: int, description: "Pages, of 4096 bytes each.", sample: 28688}
    bytes: {type: int, description: Bytes of the PAGE_DATA records., sample: 125878208}
    distinct: {type: int, description: Frames that came for the first time., sample: 1044480}
    again: {type: int, description: Entries for frames that had come before., sample: 0}
verify:
  description:
    - The passes which C(xl migrate --debug) sends only to compare, with the keys of RV(rounds) and kind V(verify).
    - They count in RV(records), but not in RV(memory).
  returned: success
  type: list
  elements: dict
  sample: []
memory:
  description: All rounds together.
  returned: success
  type: dict
  contains:
    entries: {type: int, description: "Frame numbers, those without content included.", sample: 1045147}
    pages: {type: int, description: "Pages, of 4096 bytes each.", sample: 29354}
    bytes: {type: int, description: Bytes of the PAGE_DATA records., sample: 128611512}
    distinct: {type: int, description: Different frames., sample: 1044480}
    again: {type: int, description: Entries for frames that had come before., sample: 667}
    exact: {type: bool, description: "V(false) when C(distinct) is only an upper bound, since frames were scattered."}
    zero_pages: {type: int, description: Pages of nothing but zeros. Null with O(pages=false)., sample: 12557}
    zero_share:
      description: Their share of the pages, from 0 to 1. Null with O(pages=false), and without pages.
      type: float
      sample: 0.4278
policies:
  description: The processor that the guest was shown. Registers and numbers are hexadecimal, with V(0x).
  returned: success
  type: dict
  contains:
    cpuid:
      description: What CPUID answers, or null when the stream does not say, as before Xen 4.14.
      type: dict
      contains:
        vendor: {type: str, description: "The vendor's name in leaf 0, or null.", sample: AuthenticAMD}
        max_leaf: {type: str, description: "The highest leaf, or null.", sample: "0x0000000d"}
        max_extended_leaf: {type: str, description: "The highest extended leaf, or null.", sample: "0x80000021"}
        count: {type: int, description: Number of leaves in the stream., sample: 51}
        leaves:
          description: The leaves, at most 512.
          type: list
          elements: dict
          contains:
            leaf: {type: str, description: Number of the leaf., sample: "0x00000001"}
            subleaf: {type: str, description: Number of the subleaf. Null without one., sample: null}
            eax: {type: str, description: Register EAX., sample: "0x00060fb1"}
            ebx: {type: str, description: Register EBX., sample: "0x00020800"}
            ecx: {type: str, description: Register ECX., sample: "0x80202001"}
            edx: {type: str, description: Register EDX., sample: "0x178bfbfd"}
    msr:
      description: Model specific registers, or null when the stream does not say.
      type: dict
      contains:
        count: {type: int, description: Number of registers in the stream., sample: 2}
        registers:
          description: The registers, at most 512.
          type: list
          elements: dict
          contains:
            index: {type: str, description: Number of the register., sample: "0x000000ce"}
            value: {type: str, description: Its value., sample: "0x0000000080000000"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._image.reading import describe_file


def main() -> None:
    """Describe the file."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "pages": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    try:
        found = describe_file(module.params["path"], pages=module.params["pages"], zstd=module.get_bin_path("zstd"))
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.exit_json(changed=False, **found.to_result())


if __name__ == "__main__":
    main()
