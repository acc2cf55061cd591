# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong when a domain is restored from an image (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


def waiver(code: str) -> str:
    """Return how a waiver is given, to the playbook and to the module."""
    return f"-e restore_waive={code} (waive: [{code}])"


class ManifestMissing(Dom0XenError):
    """There is no manifest beside the image, or none that is understood."""

    code = "manifest_missing"
    remedy = (
        "Copy the manifest from where the image comes from. An image without one is restored by hand: xl restore FILE,"
        " when dom0.xen.stream_info says that it is whole and dom0.xen.audit that its domain runs nowhere."
    )


class ImageTruncated(Dom0XenError):
    """The image is shorter than its manifest says."""

    code = "image_truncated"
    remedy = (
        "Copy the image again from where it comes from; where it was saved, the disk has lost it: use an older image,"
        " or start the domain from its configuration file."
    )


class ImageAltered(Dom0XenError):
    """The image is not the one that its manifest was written for."""

    code = "image_altered"
    remedy = (
        "Copy the image and its manifest again from where they come from, or use an older image;"
        " dom0.xen.stream_info tells what is in this one."
    )


class NewerXen(Dom0XenError):
    """The image was written by a newer Xen than the host has."""

    code = "image_from_newer_xen"
    remedy = "Restore it on a host with that Xen or a newer one, or upgrade this one."


class MarkerTaken(Dom0XenError):
    """Another restore of the image has begun a moment ago, on this host or on another one."""

    code = "restore_under_way"
    remedy = "Wait until it has ended, and look at where the domain is before this is run again."


class MarkerUnwritable(Dom0XenError):
    """It cannot be put on record beside the image that it was restored."""

    code = "image_unmarkable"
    remedy = (
        "Make the folder of the image writable, or copy the image with its manifest to one that is: what was restored"
        " is put on record beside the image, so that it is not restored twice."
    )


class RestoreFailed(Dom0XenError):
    """``xl restore`` did not make the domain. Details: ``stderr``, ``rc``."""

    code = "restore_failed"
    remedy = "See the lines of xl in details.stderr and in the hypervisor's messages (xl dmesg)."


class WaiverAlone(Dom0XenError):
    """That a domain is somewhere else may be waived only for a copy that stays paused."""

    code = "domain_elsewhere"
    remedy = (
        "End it there first. With leave_paused: true a paused copy can be made beside it; two copies of a domain are"
        " never let run."
    )
