# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A XenStore daemon that speaks the real protocol, with two domains in it."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
NODES = {
    "/local/domain/0/name": "Domain-0",
    "/local/domain/0/vm": "/vm/00000000-0000-0000-0000-000000000000",
    "/local/domain/3/name": "centos",
    "/local/domain/3/vm": f"/vm/{UUID}",
    "/local/domain/3/control/shutdown": "",
    "/local/domain/3/memory/target": "131072",
    "/local/pool/0/name": "Pool-0",
    "/libxl/3/device/vif/0/mac": "00:16:3e:5e:00:01",
    "/libxl/3/device/vif/1/bridge": "xenbr0",
    "/local/domain/12/name": "other",
    "/local/domain/12/vm": "/vm/99999999-3f5d-4c65-9e1a-0123456789ab",
    "/vm/99999999-3f5d-4c65-9e1a-0123456789ab/uuid": UUID,
}


class Daemon:
    """The process of the daemon and its socket."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.socket = str(folder / "socket")
        script = str(pathlib.Path(__file__).with_name("server.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, self.socket, json.dumps(NODES)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if self.process.stdout is None or self.process.stdout.readline() != b"listening\n":
            raise RuntimeError("the XenStore daemon for the test did not start")

    def freeze(self) -> None:
        """Let it stop answering without closing anything."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it; its connections close."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
