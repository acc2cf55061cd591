# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts one side of a session as its module does; runs on a host with the interpreter of modules.

Reads a JSON document from standard input: ``role``, ``runtime``, ``journal``, ``session``, ``key``, ``certificate``,
``settings`` (all that :class:`Settings` has but the folders) and ``timeout``. Writes what the daemon told.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

document = json.load(sys.stdin)
sys.path.insert(0, document["code"])

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._session.launch import launch, prepare  # noqa: E402
from ansible_collections.dom0.xen.plugins.module_utils._session.settings import (  # noqa: E402
    ReceiverSettings,
    SenderSettings,
    Settings,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import find_binary  # noqa: E402


def _credentials() -> None:
    folder = os.path.join(document["runtime"], f"{document['session']}.{document['role']}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for name in ("key", "certificate"):
        with open(os.path.join(folder, f"{name}.pem"), "w", encoding="ascii") as handle:
            handle.write(document[name])


def main() -> dict[str, t.Any]:
    """Start it."""
    os.umask(0o077)
    role, session = document["role"], document["session"]
    kind: type[Settings] = SenderSettings if role == "sender" else ReceiverSettings
    try:
        _credentials()
        places = prepare(document["runtime"], document["journal"], session, role)
        settings = kind.from_document(
            {
                **document["settings"],
                "session": session,
                "runtime_folder": places.runtime,
                "journal_folder": places.journal,
                "xl": find_binary("xl"),
            }
        )
        return launch(places, role, settings, document["timeout"])
    except Dom0XenError as exc:
        return {"error": exc.as_result()}


print(json.dumps(main()))
