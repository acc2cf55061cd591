# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The metadata with which `pipx run noxfile.py` finds what it needs:
# /// script
# dependencies = ["nox>=2025.2.9", "antsibull-nox>=1.10"]
# ///

"""The sessions of antsibull-nox.toml; `nox --list` names them, and `make nox` runs them."""

from __future__ import annotations

import antsibull_nox
import nox

antsibull_nox.load_antsibull_nox_toml()

if __name__ == "__main__":
    nox.main()
