# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong when a domain is saved to a file (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import CopyChanged


class Refused(Dom0XenError):
    """A check speaks against it; nothing was touched. The code is that of the check. Details: ``findings``."""

    code = "refused"


class FolderMissing(Dom0XenError):
    """The folder that the image is to lie in is not there."""

    code = "image_folder_missing"
    remedy = "Create the folder, or mount the file system that it lies on, then run this again."


class ImageNotRegular(Dom0XenError):
    """Something other than a regular file has the image's name, or its manifest's."""

    code = "image_not_regular"
    remedy = "Give the path of a regular file, or of one that is not there yet; links and devices are not replaced."


class ImageTaken(Dom0XenError):
    """There is an image or a file already that a save of this domain has not written."""

    code = "image_exists"
    remedy = "Give another path, or move the file away; with force: true it is replaced."


class ImageWouldStart(Dom0XenError):
    """The host would restore the image at its next boot, though the domain goes on after the save."""

    code = "image_in_autostart"
    remedy = "Give a path in another folder: this one is XENDOMAINS_SAVE of the host's xendomains."


class ImageBusy(Dom0XenError):
    """Another process writes an image to this path."""

    code = "image_busy"
    remedy = "Wait until it has ended, or give another path."


class NoRoom(Dom0XenError):
    """The file system has not enough room, or would have too little left."""

    code = "no_room"
    remedy = "Make room, give a path on another file system, or lower reserve_mib."


class ImageUnwritable(Dom0XenError):
    """The image or its manifest could not be written."""

    code = "image_unwritable"
    remedy = "Look at the file system that the path lies on, and at the kernel's log."


class CompressionFailed(Dom0XenError):
    """The program that compresses has ended early."""

    code = "compression_failed"
    remedy = "See what the program says; compression: none does without it."


class GuestWentOn(CopyChanged):
    """The guest was to be destroyed with its image complete, and has run since. Details: ``guest``, its state."""

    code = "guest_went_on"
    remedy = "Find out who has unpaused it; if it is paused now, xl unpause lets it go on. Then save it again."


class Interrupted(Dom0XenError):
    """The module was told to end."""

    code = "interrupted"
    remedy = "Run it again when the host has time for it."
