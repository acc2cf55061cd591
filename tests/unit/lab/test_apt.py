# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages for the images come from the machine's own Debian mirror, and from nowhere else."""

from __future__ import annotations

import typing as t

import pytest
from dom0lab import apt
from dom0lab.errors import LabError

if t.TYPE_CHECKING:
    from pathlib import Path

DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://mirror.example/sources
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb http://mirror.example/debian bookworm main non-free # the mirror
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] http://vendor.example/apt bookworm main
deb [ arch=amd64 ] http://other.example/debian bookworm stable
"""


def test_both_forms_are_read_and_the_release_replaced(tmp_path: Path) -> None:
    """A machine with classic or modern source files builds images of another release from the same mirror."""
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "old.list.disabled").write_text("deb http://disabled.example/debian bookworm main\n")
    (tmp_path / "sources.list").write_text(ONE_LINE)
    lines = apt.debian_sources(apt.machine_sources(tmp_path), "bookworm", "trixie")
    assert lines == [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb http://mirror.example/debian-security trixie-security main",
    ]


def test_foreign_archives_are_left_out() -> None:
    """A vendor's archive must not get its packages into an image, nor stand in for a missing mirror."""
    vendor = apt.parse_one_line(ONE_LINE)[1]
    assert vendor.signed_by == "/etc/apt/keyrings/vendor.gpg"
    with pytest.raises(LabError, match="none of this machine's apt sources"):
        apt.debian_sources([vendor], "bookworm", "bookworm")


def test_proxies_are_passed_on() -> None:
    """A machine that reaches its mirror through a proxy builds images through it, too."""
    dump = (
        'Acquire::http::Proxy "http://proxy.example:3128";\nAPT::Install-Recommends "1";\nAcquire::https::Verify "";\n'
    )
    assert apt.passed_on_settings(dump) == ['Acquire::http::Proxy "http://proxy.example:3128";']
