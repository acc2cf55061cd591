# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of one host: started by the driver, ends with the host."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal

from ..paths import HostPaths
from ..processes import of_host
from ..settings import Settings
from .hypercalls import Hypercalls
from .hypervisor import Hypervisor
from .loop import Loop
from .store import Store


def main(ready: int, lifeline: int | None = None) -> None:
    """Serve until killed. Writes one byte to ``ready`` once both sockets listen.

    ``lifeline`` is the read end of a pipe: when the process that holds the other end is gone, so is the host.
    """
    paths = HostPaths.from_environment()
    memory = paths.run.resolve()
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

    def abandoned() -> None:
        shutil.rmtree(memory, ignore_errors=True)
        with contextlib.suppress(OSError):
            memory.parent.rmdir()
        power_loss()

    signal.signal(signal.SIGTERM, lambda *dummy: power_loss())
    hypercalls = Hypercalls(hypervisor, paths, power_loss)
    loop.listen(str(paths.store_socket), store.accept)
    loop.listen(str(paths.hypercall_socket), hypercalls.accept)
    os.write(ready, b"1")
    os.close(ready)
    if lifeline is not None:
        loop.watch(lifeline, selectors.EVENT_READ, lambda dummy: abandoned())
    loop.run()
