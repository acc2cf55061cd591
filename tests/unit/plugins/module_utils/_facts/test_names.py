# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name is what this host's resolver says, and nobody waits for one that is silent."""

from __future__ import annotations

import socket
import threading
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.names import addresses_of


@pytest.mark.parametrize(
    ("name", "found"),
    [("192.0.2.12", ("192.0.2.12",)), ("2001:DB8::2", ("2001:db8::2",)), ("", ()), ("no name", ()), ("a" * 300, ())],
)
def test_what_needs_no_name_server(name: str, found: tuple[str, ...]) -> None:
    """An address is its own, also in another spelling; what can be no name has none, and is no failure."""
    assert addresses_of(name) == found


def test_this_host() -> None:
    """As a connection would find it."""
    assert set(addresses_of("localhost")) & {"127.0.0.1", "::1"}


def test_a_silent_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver then listens on all addresses; the move is not kept waiting."""
    asked, over = threading.Event(), threading.Event()

    def silent(*dummy: t.Any, **dummies: t.Any) -> list[t.Any]:
        asked.set()
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    assert addresses_of("xen2", limit_s=0.05) == () and asked.is_set()
    over.set()
