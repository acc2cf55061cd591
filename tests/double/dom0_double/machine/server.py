# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of one host: started by the driver, ends with the host."""

from __future__ import annotations

import contextlib
import os
import signal

from ..paths import HostPaths
from ..processes import of_host
from ..settings import Settings
from .hypercalls import Hypercalls
from .hypervisor import Hypervisor
from .loop import Loop
from .store import Store


def main(ready: int) -> None:
    """Serve until killed. Writes one byte to ``ready`` once both sockets listen."""
    paths = HostPaths.from_environment()
    loop = Loop()
    store = Store()
    hypervisor = Hypervisor(paths.name, Settings.load(paths.settings), store, loop, paths.run_log)

    def power_loss() -> None:
        hypervisor.power_off()
        for pid in of_host(paths.root):
            if pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, lambda *dummy: power_loss())
    hypercalls = Hypercalls(hypervisor, paths, power_loss)
    loop.listen(str(paths.store_socket), store.accept)
    loop.listen(str(paths.hypercall_socket), hypercalls.accept)
    os.write(ready, b"1")
    os.close(ready)
    loop.run()
