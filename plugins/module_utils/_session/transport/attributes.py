# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extended attributes of a file that another one takes the place of (private to the collection)."""

from __future__ import annotations

import errno
import os

_ACL = "system.posix_acl_access"
# Without these somebody who could read the file could not any more, or the other way round.
_OF_ACCESS = ("security.selinux", "security.SMACK64", _ACL, "system.nfs4_acl")
# These are about the contents, which become others; the kernel makes them anew.
_OF_CONTENTS = ("security.ima", "security.evm")


def copy(old: int, new: int) -> None:
    """Give an open file those of another. Raises :class:`OSError` when one that decides on access cannot be given."""
    wanted, there = _all(old), _all(new)
    if _ACL in there and _ACL not in wanted:
        # It comes from the default ACL of the folder.
        os.removexattr(new, _ACL)
    for name, value in wanted.items():
        if name not in _OF_CONTENTS and there.get(name) != value:
            try:
                os.setxattr(new, name, value)
            except OSError:
                if name in _OF_ACCESS:
                    raise


def _all(fd: int) -> dict[str, bytes]:
    found = {}
    for name in _names(fd):
        try:
            found[name] = os.getxattr(fd, name)
        except OSError:
            if name in _OF_ACCESS:
                raise
    return found


def _names(fd: int) -> list[str]:
    try:
        return os.listxattr(fd)
    except OSError as exc:
        if exc.errno != errno.ENOTSUP:
            raise
        return []
