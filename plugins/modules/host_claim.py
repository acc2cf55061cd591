#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_claim
short_description: Have a dom0 to oneself among the runs that empty hosts
version_added: 0.1.0
description:
  - Two runs that empty the same host, or one that empties it and one that fills it, would undo each other's work. So
    each claims its hosts first, and a host that another run has claimed is refused, with who that is and since when.
  - A claim is that of a run that lives. The run is heard of while it works on the host; after O(stale_after) seconds
    of silence, or when its process on this controller is gone, the next run takes the claim over.
  - It does not keep single domains from being moved.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.action
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
    description:
      - With V(claimed) the host is claimed, or the claim of this run is kept alive.
      - With V(released) it is given up, if it is this run's.
    type: str
    choices: [claimed, released]
    required: true
  token:
    description: Identity of this run, 16 hexadecimal digits.
    type: str
    required: true
  run:
    description: What is done, in words that the same command gives again.
    type: str
    default: ""
  stale_after:
    description: Seconds of silence after which a run counts as dead.
    type: float
    default: 300.0
  patience:
    description: Seconds for which this run may be silent, where that is more than O(stale_after) of whoever comes next.
    type: float
    default: 0.0
  take_over:
    description: Whether the claim of another run is taken over though that may live.
    type: bool
    default: false
  holder:
    description: Who claims. The action plugin fills it in.
    type: dict
    default: {}
    suboptions:
      by: {type: str, default: "", description: User on the controller.}
      controller: {type: str, default: "", description: Name of the controller.}
      machine: {type: str, default: "", description: "What tells its processes from those of others, empty if unknown."}
      pid: {type: int, default: 0, description: Process of the run.}
      started: {type: int, default: 0, description: When that was started.}
  dead:
    description: Identity of a run whose process is known to have ended. The action plugin fills it in.
    type: str
    default: ""
  journal_path:
    description: Folder on the dom0 that survives a restart of the host.
    type: path
    default: /var/lib/dom0-xen
"""

EXAMPLES = r"""
- name: Have the host to ourselves
  dom0.xen.host_claim:
    state: claimed
    token: 0123456789abcdef
    run: evacuate xen1
"""

RETURN = r"""
claimed:
  description: True when the host is this run's.
  returned: when it was claimed
  type: bool
  sample: true
claim:
  description: Who has the host; V(null) when nobody has.
  returned: success, and when it is refused
  type: dict
  contains:
    token: {type: str, description: Identity of the run., sample: 0123456789abcdef}
    run: {type: str, description: What is done., sample: evacuate xen1}
    by: {type: str, description: "User on the controller, in AWX the one of the job, and its number.", sample: alice}
    controller: {type: str, description: Name of the controller., sample: ctl1}
    machine: {type: str, description: What tells its processes from those of others.}
    pid: {type: int, description: Process of the run., sample: 4711}
    started: {type: int, description: When that was started.}
    since_s: {type: float, description: "Since when, in seconds since 1970 (UTC).", sample: 1795448672.5}
    patience_s: {type: float, description: Seconds for which it may be silent.}
before:
  description: The claim of a dead run that was taken over, with the same keys. V(null) when there was none.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.module_utils._marks.specs import CLAIM
from ansible_collections.dom0.xen.plugins.module_utils._places import PlaceError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=dict(CLAIM), supports_check_mode=True)
    given = module.params
    root, token = given["journal_path"], given["token"]
    holder = {key: value for key, value in given["holder"].items() if value is not None}
    try:
        there = claims.there(root)
        if module.check_mode:
            mine = there is not None and there.token == token
            changed = not mine if given["state"] == "claimed" else mine
            module.exit_json(changed=changed, claim=there.to_result() if there else None, before=None)
        if given["state"] == "released":
            changed = claims.release(root, token)
            left = None if changed or there is None else there.to_result()
            module.exit_json(changed=changed, claim=left, before=None)
        wanted = claims.Claim(token=token, run=given["run"], by="", controller="", patience_s=given["patience"])
        wanted = claims.Claim.from_result({**wanted.to_result(), **holder})
        taken = claims.claim(root, wanted, given["stale_after"], given["dead"], given["take_over"])
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    except OSError as exc:
        error = PlaceError(f"the claim in {root} cannot be kept: {exc.strerror}", remedy="Look at its file system.")
        module.fail_json(exception=exc, **error.as_result())
    before = taken.before.to_result() if taken.before else None
    module.exit_json(changed=taken.changed, claimed=True, claim=taken.claim.to_result(), before=before)


if __name__ == "__main__":
    main()
