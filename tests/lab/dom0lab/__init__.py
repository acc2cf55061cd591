# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Xen lab inside QEMU, for tests and demonstrations. See README.md beside this package."""

from __future__ import annotations

from .errors import LabError
from .guest import Guest
from .host import Host
from .lab import Lab, silent
from .observer import Observation, Observer
from .outside import Outside
from .start import Settings
from .timeline import Timeline, TimelineWatch

__all__ = [
    "Guest",
    "Host",
    "Lab",
    "LabError",
    "Observation",
    "Observer",
    "Outside",
    "Settings",
    "Timeline",
    "TimelineWatch",
    "silent",
]
