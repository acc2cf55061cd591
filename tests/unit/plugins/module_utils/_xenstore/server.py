# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A XenStore daemon for tests, a process of its own that can be stopped or killed: ``server.py SOCKET JSON``."""

from __future__ import annotations

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "double"))

from dom0_double.machine.loop import Loop  # noqa: E402
from dom0_double.machine.store import Store  # noqa: E402

store = Store()
for path, value in json.loads(sys.argv[2]).items():
    store.write(path, value)
loop = Loop()
loop.listen(sys.argv[1], store.accept)
print("listening", flush=True)
loop.run()
