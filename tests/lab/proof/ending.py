# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin: a run that is asked to end does so as after an interrupt, with everything put back, and once."""

from __future__ import annotations

import signal

import pytest


def _interrupted(number: int, frame: object) -> None:
    # What puts things back must come to its end; who cannot wait for that kills.
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def pytest_configure(config: pytest.Config) -> None:
    """From now on SIGTERM is an interrupt."""
    signal.signal(signal.SIGTERM, _interrupted)
