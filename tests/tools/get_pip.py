# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the get-pip script that ansible-test downloads: takes the pip that comes with Python, then the index.

ansible-test runs it as ``get_pip_X_Y.py OPTIONS PACKAGES`` with any of the Python versions it supports.
"""

from __future__ import annotations

import subprocess
import sys


def main():  # type: () -> int
    """Return the exit code of ``pip install`` with the arguments that pip itself understands."""
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
    return subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *arguments])


if __name__ == "__main__":
    sys.exit(main())
