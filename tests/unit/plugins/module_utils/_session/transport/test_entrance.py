# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver that cannot open its way in says what is in its way, and what to do about it."""

from __future__ import annotations

import os
import pathlib
import resource
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import NotListening
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.entrance import Entrance
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback


def test_no_socket_is_to_be_had(tmp_path: pathlib.Path) -> None:
    """As where a process has too many files open; what the system says alone would leave a person without a remedy."""
    mine, peer = loopback.credentials("receiver"), loopback.credentials("sender").certificate
    paths = [tmp_path / "certificate.pem", tmp_path / "key.pem"]
    for path, content in zip(paths, (mine.certificate.encode(), bytes(mine.key)), strict=True):
        path.write_bytes(content)
    settings = ReceiverSettings(
        session=loopback.SESSION, uuid="u", name="centos", runtime_folder=str(tmp_path), journal_folder=str(tmp_path),
        peer_certificate=peer, xl="xl", link_timeout=1.0, peer_host="xen1", memory_max_kib=1,
        listen_address="127.0.0.1", port_first=0, port_last=0, admission_timeout=1.0, banner_timeout=1.0,
    )  # fmt: skip
    entrance = Entrance(settings, *map(str, paths))
    link = Link(time.monotonic)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.dup(0)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, hard))
    try:
        with pytest.raises(NotListening) as caught:
            entrance.open(link, time.monotonic)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    error = caught.value.as_result()
    assert error["code"] == "not_listening" and "Too many open files" in error["msg"] and "Mend" in error["remedy"]
    listener = entrance.open(link, time.monotonic)
    assert listener.port
    entrance.close()
