#!/usr/bin/python
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: moves_info
short_description: Look at what is being moved from and to a host
version_added: 0.1.0
description:
  - Returns the sessions of migrations on this host that are not over, with how far they are, and the run that has
    claimed the host. What has ended with an owner of the domain is left out.
  - Reads files only. C(xl) and XenStore are not asked, so it answers also where these are busy, and while a guest
    stands still for its move.
  - M(dom0.xen.moves_seen) makes moves of what several hosts returned. M(dom0.xen.migration_info) is about one domain,
    and has what has ended.
author:
  - dom0.xen contributors (@dom0-xen)
extends_documentation_fragment:
  - dom0.xen._attributes
  - dom0.xen._attributes.actiongroup_xen
  - dom0.xen._attributes.info_module
  - dom0.xen._places
attributes:
  platform:
    support: full
    platforms: posix
seealso:
  - module: dom0.xen.moves_seen
  - module: dom0.xen.migration_info
"""

EXAMPLES = r"""
- name: Look what is being moved
  dom0.xen.moves_info:
  register: moves
"""

RETURN = r"""
sessions:
  description:
    - The sessions that run, were killed, or have ended without an owner of the domain, newest first, with the keys of
      RV(dom0.xen.migration_info#module:sessions).
  returned: success
  type: list
  elements: dict
  sample:
    - session: 0123456789abcdef
      role: sender
      phase: streaming
      owner: source
      alive: true
      bytes: 60397977
claim:
  description:
    - The run that empties or fills this host (M(dom0.xen.host_claim)), with the keys of
      RV(dom0.xen.host_claim#module:claim). V(null) when there is none. A single move has none.
  returned: success
  type: dict
  contains:
    silent_s: {type: float, description: Seconds since the run was last heard of., sample: 3.2}
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.module_utils._places import PlaceError, resolve_runtime_root
from ansible_collections.dom0.xen.plugins.module_utils._session.found.found import over, sessions_of
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=dict(PLACES), supports_check_mode=True)
    journal = module.params["journal_path"]
    try:
        runtime = resolve_runtime_root(module.params["runtime_path"])
        for root in (runtime, journal):
            _require_readable(root)
        sessions = [session for session in sessions_of(runtime, journal, None, None) if not over(session)]
    except Dom0XenError as exc:
        module.fail_json(exception=exc, **exc.as_result())
    module.exit_json(changed=False, sessions=sessions, claim=_claim(journal))


def _require_readable(root: str) -> None:
    """Raise PlaceError for a folder that is closed to this user: nothing seen would look like nothing there."""
    if os.path.lexists(root) and not os.access(root, os.R_OK | os.X_OK):
        raise PlaceError(f"{root} cannot be read, so what is being moved is not known", remedy="Become root.")


def _claim(journal_path: str) -> dict[str, t.Any] | None:
    claim = claims.there(journal_path)
    return None if claim is None else {**claim.to_result(), "silent_s": round(claims.silence(journal_path, claim), 1)}


if __name__ == "__main__":
    main()
