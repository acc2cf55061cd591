# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What processes share that stand in for an ``xl``: :mod:`saver`, :mod:`shutter`, :mod:`starter` (private)."""

from __future__ import annotations

import array
import os
import socket
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import read_exactly
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import SavedOtherwise
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl


class GivenUp(Exception):
    """Whoever started this has closed a pipe: the migration is off."""


class Answers:
    """What comes over a pipe, a blocking descriptor; its end is a :class:`GivenUp`."""

    def __init__(self, source: int) -> None:
        self.source = source

    def read(self, size: int) -> bytes:
        """Return so many bytes. Raises :class:`GivenUp`, or OSError as ``read`` does."""
        data = read_exactly(self.source, size)
        if len(data) < size:
            raise GivenUp("the migration was given up")
        return data

    def expect(self, text: bytes) -> None:
        """Read this text. Raises :class:`GivenUp` for another one as well."""
        seen = self.read(len(text))
        if seen != text:
            raise GivenUp(f"the sender said {seen!r} in place of {text!r}")


def connect(shim_socket: str) -> tuple[int, int]:
    """Make both pipes and hand their other ends to the sender, as the shim does with those of ``xl``."""
    stream, ours = os.pipe()
    answers, theirs = os.pipe()
    with socket.socket(socket.AF_UNIX) as sock:
        # sun_path is short, and the folder may be deep.
        os.chdir(os.path.dirname(shim_socket))
        sock.connect(os.path.basename(shim_socket))
        os.chdir("/")
        sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [stream, theirs]))])
    os.close(stream)
    os.close(theirs)
    return ours, answers


def configuration(xl: Xl, domid: int, uuid: str, name: str) -> dict[str, t.Any]:
    """Return the domain's configuration as ``xl`` sends it. Raises SavedOtherwise and the errors of :class:`Xl`."""
    found = [one.config for one in xl.configurations(domid) if one.domid == domid]
    created = found[0].get("c_info") if found else None
    if not created or str(created.get("uuid")).lower() != uuid:
        raise SavedOtherwise(f"xl has no configuration of {name} with domid {domid}")
    return as_sent(found[0])


def as_sent(config: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a configuration as ``xl`` sends it: without the domid, which is 0 unless it is to be kept."""
    created = {key: value for key, value in config.get("c_info", {}).items() if key != "domid"}
    return {**config, "c_info": created}
