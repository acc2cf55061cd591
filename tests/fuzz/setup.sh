#!/bin/sh
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make build/fuzz/venv with atheris in it, and what is fuzzed beside Python. Atheris has packages for some versions of Python only. Quick when it is there.
# PYTHON: interpreter to make it with, else the newest one that there is a package for.
set -eu
cd "$(dirname "$0")/../.."
VENV=build/fuzz/venv
WANTED='atheris>=3.1 zstandard>=0.15'

die() { printf 'fuzz: %s\n' "$*" >&2; exit 1; }

"$VENV/bin/python" -c 'import atheris, zstandard' 2>/dev/null && exit 0
mkdir -p build/fuzz
tried=
for version in ${PYTHON:-3.13 3.12 3.11 3.14}; do
    for candidate in "$version" "python$version" "/usr/bin/python$version" \
        "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*"/bin/python$version"; do
        "$candidate" -c 'import ensurepip, venv' 2>/dev/null || continue
        tried="$tried $candidate"
        "$candidate" -m venv --clear "$VENV"
        # shellcheck disable=SC2086  # a list of requirements
        if "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: $WANTED \
            >build/fuzz/setup.log 2>&1 && "$VENV/bin/python" -c 'import atheris' 2>>build/fuzz/setup.log; then
            printf 'fuzz: ready, with %s\n' "$candidate"
            exit 0
        fi
        break
    done
done
rm -rf "$VENV"
[ -z "$tried" ] || tail -n 5 build/fuzz/setup.log >&2
die "atheris could not be installed (tried:${tried:- nothing}). It needs a Python that it has a package for on the index" \
    "in use, 3.11 to 3.13 at the time of writing: install one, or name it with PYTHON=/path/to/python"
