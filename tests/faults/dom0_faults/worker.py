# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker of the campaign: takes names of faults from standard input, answers each with a line of JSON."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import signal
import sys
import traceback

from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import make_credentials

from .judge import BROKEN
from .names import Fault
from .run import Outcome, one


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder = pathlib.Path(sys.argv[1])
    credentials = (make_credentials("sender"), make_credentials("receiver"))
    for number, line in enumerate(sys.stdin):
        name = line.strip()
        try:
            outcome = one(Fault.parse(name), folder / str(number), credentials)
        except Exception:
            outcome = Outcome(name, (BROKEN,), (traceback.format_exc()[-2000:],), 0.0)
        print(json.dumps(dataclasses.asdict(outcome)), flush=True)


main()
