# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with XenStore (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class XenStoreError(Dom0XenError):
    """XenStore refused a request, or pyxs refused to send it."""

    code = "xenstore_error"
    remedy = "Look at the node that is named with xenstore-ls."


class PyxsMissing(XenStoreError):
    """The Python library pyxs cannot be imported on the host. Details: ``traceback``."""

    code = "pyxs_missing"
    remedy = (
        "Install pyxs for the host's Python (Debian and Ubuntu: python3-pyxs),"
        " for example with the role dom0.xen.prepare."
    )


class XenStoreUnreachable(XenStoreError):
    """No XenStore daemon answers on this host, or the user may not talk to it."""

    code = "xenstore_unreachable"
    remedy = "See that xenstored runs (systemctl status xenstored), and that the connection to the host is root's."


class XenStoreTimeout(XenStoreError):
    """The daemon did not answer in time; the connection cannot be used any more."""

    code = "xenstore_timeout"
    remedy = "See that xenstored runs and is not stuck (systemctl status xenstored)."
