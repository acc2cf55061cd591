#!/bin/sh
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make everything the Makefile's targets need: Debian packages, a virtual environment, the collection's path.
# Run as root or with sudo where packages are missing. Quick when there is nothing to do.
# VENV: folder of the virtual environment. PYTHON: interpreter to make it with, else the newest usable one.
set -eu
cd "$(dirname "$0")/../.."
VENV=${VENV:-.venv}

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else die "these packages are missing and neither root nor sudo is at hand: $missing"
    fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || { say "no dpkg here: the packages of Debian 12 or 13 are assumed to be in place"; return; }
    missing=
    wanted="ca-certificates git iproute2 openssh-client openssh-server python3 python3-venv rsync shellcheck socat zstd"
    # Root needs sudo only for the tests of become, and another user who has none could not install it.
    [ "$(id -u)" != 0 ] || wanted="$wanted sudo"
    for package in $wanted; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    # shellcheck disable=SC2086  # a list of package names
    set -- env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    as_root "$@" >build/setup.log 2>&1 || { as_root apt-get update -qq && as_root "$@"; } >build/setup.log 2>&1 \
        || { tail -n 20 build/setup.log >&2; die "the packages$missing could not be installed"; }
}

# Print the real path of an interpreter that can make virtual environments, or nothing. A pyenv shim may be an empty promise.
usable() { "$1" -c 'import ensurepip, os, sys, venv; print(os.path.realpath(sys.executable))' 2>/dev/null || true; }

newest_python() {
    for version in 3.14 3.13 3.12 3.11; do
        for candidate in "python$version" "/usr/bin/python$version" \
            "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*"/bin/python$version"; do
            found=$(usable "$candidate")
            if [ -n "$found" ]; then printf '%s\n' "$found"; return; fi
        done
    done
}

make_venv() {
    wanted=$(cksum <tests/requirements.txt)
    if [ "$(cat "$VENV/.requirements" 2>/dev/null)" = "$wanted" ] && "$VENV/bin/python" -c pass 2>/dev/null; then return; fi
    if ! "$VENV/bin/python" -c pass 2>/dev/null; then
        if [ -n "${PYTHON:-}" ]; then interpreter=$(usable "$PYTHON"); else interpreter=$(newest_python); fi
        [ -n "$interpreter" ] || die "no Python from 3.11 to 3.14 that can make virtual environments"
        say "making $VENV with $interpreter"
        "$interpreter" -m venv --clear "$VENV"
    fi
    say "installing the tools into $VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade -r tests/requirements.txt >build/setup.log 2>&1 \
        || { tail -n 20 build/setup.log >&2; die "the tools could not be installed (all of it: build/setup.log)"; }
    printf '%s\n' "$wanted" >"$VENV/.requirements"
}

link_collection() {
    mkdir -p build/collections/ansible_collections/dom0
    ln -sfn ../../../.. build/collections/ansible_collections/dom0/xen
}

mkdir -p build
install_packages
link_collection
make_venv
say "ready: $("$VENV/bin/python" -c 'import ansible.release, sys; print("ansible-core %s on Python %d.%d" % ((ansible.release.__version__,) + sys.version_info[:2]))')"
