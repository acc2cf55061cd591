#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_arrivals
short_description: Close a dom0 to domains that would come, or open it again
version_added: 0.1.0
description:
  - A host that is closed takes no domains from the playbooks of this collection, whoever runs them and from wherever,
    until it is opened. The mark lies on the host, and survives the controller and a restart of the host.
  - Domains that are on their way when it is closed arrive. Domains may leave it, and be started on it.
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
    description: V(closed) or V(open).
    type: str
    choices: [closed, open]
    required: true
  reason:
    description: Why it is closed, for whoever is refused.
    type: str
    default: ""
  by:
    description: Who closes it.
    type: str
    default: ""
  run:
    description: What it is closed for, such as the run that empties it, in words that the same command gives again.
    type: str
    default: ""
  own:
    description:
      - Whether a mark counts only when it is that of O(run). What a person, or another run, has closed then stays as it
        is, neither written over nor taken away.
    type: bool
    default: false
  journal_path:
    description: Folder on the dom0 that survives a restart of the host.
    type: path
    default: /var/lib/dom0-xen
seealso:
  - module: dom0.xen.host_info
"""

EXAMPLES = r"""
- name: Close a host for repairs
  dom0.xen.host_arrivals:
    state: closed
    reason: memory module 3 is being replaced
    by: alice

- name: Let domains come again
  dom0.xen.host_arrivals:
    state: open
"""

RETURN = r"""
mark:
  description: The mark, which is gone when the host was opened (RV(closed)). V(null) when there was none.
  returned: success
  type: dict
  contains:
    reason: {type: str, description: Why it is closed., sample: it is being emptied}
    by: {type: str, description: Who closed it., sample: alice on ctl1}
    run: {type: str, description: What it is closed for., sample: evacuate xen1}
    since_s: {type: float, description: "Since when, in seconds since 1970 (UTC).", sample: 1795448672.5}
    since: {type: str, description: The same for people., sample: 2026-11-24 03:44 UTC}
closed:
  description: Whether the host is closed now.
  returned: success
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import closed_mark
from ansible_collections.dom0.xen.plugins.module_utils._marks import arrivals
from ansible_collections.dom0.xen.plugins.module_utils._places import JOURNAL_PATH, PlaceError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["closed", "open"], "required": True},
            "reason": {"type": "str", "default": ""},
            "by": {"type": "str", "default": ""},
            "run": {"type": "str", "default": ""},
            "own": {"type": "bool", "default": False},
            "journal_path": {"type": "path", "default": JOURNAL_PATH},
        },
        supports_check_mode=True,
    )
    given = module.params
    root, words, own = given["journal_path"], (given["reason"], given["by"], given["run"]), given["own"]
    closes = given["state"] == "closed"
    if module.check_mode:
        before = closed_mark(root)
        kept = own and arrivals.foreign(before, given["run"])
        same = before is not None and words == (before["reason"], before["by"], before["run"])
        changed = not kept and (not same if closes else before is not None)
        module.exit_json(changed=changed, mark=before, closed=closes or kept)
    try:
        changed, mark = arrivals.close(root, *words, own) if closes else arrivals.open_again(root, given["run"], own)
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    except OSError as exc:
        error = PlaceError(f"the mark in {root} cannot be written: {exc.strerror}", remedy="Look at its file system.")
        module.fail_json(exception=exc, **error.as_result())
    module.exit_json(changed=changed, mark=mark, closed=closes or (mark is not None and not changed))


if __name__ == "__main__":
    main()
