# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of a host that is no machine: a planned move."""

from __future__ import annotations

DOCUMENTATION = r"""
name: move
short_description: Refuse to connect to a planned move
version_added: 0.1.0
description:
  - The playbooks of this collection make one host of the inventory, in memory, for each domain to be moved.
    Its tasks are delegated to the two dom0s. The inventory plugin P(dom0.xen.domains#inventory) lists domains as such
    hosts.
  - A task that is not delegated must not end up on some machine by accident, so this connection always fails.
options: {}
author:
  - dom0.xen contributors (@dom0-xen)
"""

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    """A connection that never comes up."""

    transport = "dom0.xen.move"
    has_pipelining = False

    def _connect(self) -> t.NoReturn:
        self._refuse()

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> t.NoReturn:
        """Refuse."""
        self._refuse()

    def put_file(self, in_path: str, out_path: str) -> t.NoReturn:
        """Refuse."""
        self._refuse()

    def fetch_file(self, in_path: str, out_path: str) -> t.NoReturn:
        """Refuse."""
        self._refuse()

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _refuse(self) -> t.NoReturn:
        raise AnsibleConnectionFailure(
            f"{self._play_context.remote_addr} is a domain or its move, and no machine: delegate the task to the"
            " dom0 that it is on, or to the one that it goes to."
        )
