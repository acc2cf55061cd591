#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_maintenance
short_description: Note on a dom0 how far its maintenance has come
version_added: 0.1.0
description:
  - Keeps on the host what a run over many hosts has to know when it is cut off and started again, which are the domains
    that the host had, and the stage that its maintenance has reached. The note survives controller and host.
  - What the host was like stays as it was noted first, and a stage does not go back.
  - In check mode it only tells what is noted.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  state:
    description: V(present) notes, V(absent) takes the note away.
    type: str
    choices: [present, absent]
    default: present
  run:
    description:
      - The run that does it, in words that the same command gives again.
      - The module fails when the note is of another one.
    type: str
    default: ""
  stage:
    description:
      - V(begun), V(empty) when the domains have left, V(worked) when the caller's tasks have ended, V(back) when the
        host was seen to be as it is to be, V(done), and V(over) when all hosts of the run are done.
    type: str
    choices: [begun, empty, worked, back, done, over]
    default: begun
  boot_id:
    description: Boot of the host before. Once O(stage) is V(empty) it stays as it is.
    type: str
  bridges:
    description: Bridges of the host before. Only the first ones are kept.
    type: list
    elements: str
  domains:
    description:
      - Domains of the host before, as RV(dom0.xen.fleet_info#module:domains).
      - They are kept with C(uuid), C(name) and C(macs). Those that are not noted yet are added, as long as O(stage) is
        not behind V(empty).
    type: list
    elements: dict
  stopped:
    description: UUIDs of domains that are shut down for it. They are added to those that are noted.
    type: list
    elements: str
    default: []
  journal_path:
    description: Folder on the dom0 that survives a restart of the host.
    type: path
    default: /var/lib/dom0-xen
seealso:
  - module: dom0.xen.host_claim
  - module: dom0.xen.host_arrivals
"""

EXAMPLES = r"""
- name: Note that the host is empty
  dom0.xen.host_maintenance:
    run: maintain xen1,xen2 with upgrade.yml
    stage: empty
"""

RETURN = r"""
maintenance:
  description: What is noted, by the names of the options, and C(begun_s), in seconds since 1970. V(null) for nothing.
  returned: success
  type: dict
  sample:
    run: maintain xen1,xen2 with upgrade.yml
    stage: empty
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import maintenance
from ansible_collections.dom0.xen.plugins.module_utils._places import JOURNAL_PATH, PlaceError

_NOTED = ("stage", "boot_id", "bridges", "domains", "stopped")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "run": {"type": "str", "default": ""},
            "stage": {"type": "str", "choices": list(maintenance.STAGES), "default": maintenance.BEGUN},
            "boot_id": {"type": "str"},
            "bridges": {"type": "list", "elements": "str"},
            "domains": {"type": "list", "elements": "dict"},
            "stopped": {"type": "list", "elements": "str", "default": []},
            "journal_path": {"type": "path", "default": JOURNAL_PATH},
        },
        supports_check_mode=True,
    )
    given = module.params
    root = given["journal_path"]
    before = maintenance.noted(root)
    if module.check_mode:
        module.exit_json(changed=given["state"] == "present" or before is not None, maintenance=before)
    values = {key: given[key] for key in _NOTED if given[key] is not None}
    try:
        if given["state"] == "present":
            changed, after = maintenance.note(root, given["run"], values)
            module.exit_json(changed=changed, maintenance=after)
        module.exit_json(changed=maintenance.forget(root), maintenance=None)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    except OSError as exc:
        error = PlaceError(f"the note in {root} cannot be kept: {exc.strerror}", remedy="Look at its file system.")
        module.fail_json(exception=exc, **error.as_result())


if __name__ == "__main__":
    main()
