# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an sshd says of itself, and one that is of no use."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.transport import sshd
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport.doors import ME
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd


def test_what_sshd_says(tmp_path: pathlib.Path) -> None:
    """Its host keys and its AuthorizedKeysFile, with the tokens replaced."""
    server = Sshd(tmp_path / "sshd", "AuthorizedKeysFile %h/keys.d/%u-%U-100%% /nowhere")
    seen = sshd.look(subprocess_runner(20.0), server.user, str(server.config))
    assert seen.host_keys == (server.host_key,)
    home = os.path.expanduser("~" + server.user)
    assert seen.keys_file == f"{home}/keys.d/{server.user}-{os.getuid()}-100%"
    assert seen.further_files == ("/nowhere",)
    assert seen.account == ME


def test_an_sshd_that_is_of_no_use(tmp_path: pathlib.Path) -> None:
    """Each with what is wrong: no such account, no such configuration, no keys file, no host key to know it by."""
    server = Sshd(tmp_path / "sshd")
    run = subprocess_runner(20.0)
    with pytest.raises(sshd.SshdUnusable, match="no account nobody-here"):
        sshd.look(run, "nobody-here", str(server.config))
    with pytest.raises(sshd.SshdUnusable, match="No such file"):
        sshd.look(run, server.user, str(tmp_path / "nowhere"))
    with pytest.raises(sshd.SshdUnusable, match="without any AuthorizedKeysFile"):
        none = Sshd(tmp_path / "none", "AuthorizedKeysFile none")
        sshd.look(run, server.user, str(none.config))
    (server.folder / "host_key.pub").unlink()
    with pytest.raises(sshd.SshdUnusable, match="no public host key"):
        sshd.look(run, server.user, str(server.config))
