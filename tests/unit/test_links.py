# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of the documentation is looked through for what is broken in it."""

from __future__ import annotations

import pathlib

from ansible_collections.dom0.xen.tests.tools.links import problems


def write(folder: pathlib.Path, **pages: str) -> pathlib.Path:
    """Write pages and return their folder."""
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return folder


def test_links_within_the_site_and_to_others_are_well(tmp_path: pathlib.Path) -> None:
    """A link to another host is not fetched before the reader wants it."""
    page = '<h1 id="top">a</h1><a href="#top">b</a><a href="b.html#x%20y">c</a><a href="https://example.org/">d</a>'
    other = '<p id="x y">a</p><a href="../">up</a><img src="data:,">'
    assert problems(write(tmp_path, a=page, b=other)) == []


def test_what_leads_nowhere_is_told_with_its_page(tmp_path: pathlib.Path) -> None:
    """A file that is not there, and a place that is not in it."""
    found = problems(write(tmp_path, a='<a href="c.html">x</a>', b='<a href="a.html#gone">x</a>'))
    assert found == ["a.html: c.html leads nowhere", "b.html: a.html#gone has no such place"]


def test_nothing_is_loaded_from_another_host(tmp_path: pathlib.Path) -> None:
    """The site is read where there is no way out, and nobody is told who reads it."""
    found = problems(write(tmp_path, a='<script src="//cdn.example/x.js"></script><img src="http://example/x.png">'))
    assert found == [f"a.html: {url} comes from another host" for url in ("//cdn.example/x.js", "http://example/x.png")]
