# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the site of the documentation: the reference by antsibull-docs, the guides as they are, all of it by Sphinx.

Nothing but what pip has installed is needed. A warning is an error, and so is a link of the site that leads nowhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import yaml

from ansible_collections.dom0.xen.tests.tools import links, tree
from ansible_collections.dom0.xen.tests.tools.places import BUILD, ROOT, environment

DOCS = BUILD / "docs"
PAGES = DOCS / "pages"
SITE = DOCS / "html"
FRAME = ROOT / "docs" / "site"
SECTIONS = ROOT / "docs" / "docsite" / "extra-docs.yml"
# Where the generated front page of a collection goes over from its guides to its plugins.
PLUGINS_BEGIN = ".. _plugin_index_for_dom0.xen:"


def toctree(caption: str, pages: list[str]) -> str:
    """Return one part of the table of contents, which the reader has beside every page."""
    return "\n".join(
        ["", ".. toctree::", f"   :caption: {caption}", "   :hidden:", "", *(f"   {page}" for page in pages), ""]
    )


def front(text: str, sections: list[dict[str, list[str]]]) -> str:
    """Return the first page: what is written for it, and the contents of ``extra-docs.yml`` and the reference."""
    parts = [toctree(str(section["title"]), [f"docsite/{page}" for page in section["toctree"]]) for section in sections]
    return text + "".join(parts) + toctree("Modules, roles, plugins", ["reference"])


def reference(front_page: str) -> str:
    """Return the list of plugins and roles out of the front page that antsibull-docs has made for the collection."""
    before, found, plugins = front_page.partition(PLUGINS_BEGIN)
    if not found:
        raise SystemExit(f"the page that antsibull-docs has made has no {PLUGINS_BEGIN}: {before[-500:]}")
    title = "Modules, roles, plugins"
    # Beside every page there is no room for more than the name.
    named = re.sub(r"^    (\w+)_([a-z]+)$", r"    \1 <\1_\2>", plugins, flags=re.MULTILINE)
    return f".. _plugins_in_dom0.xen:\n\n{title}\n{'=' * len(title)}\n\n{found}{named}"


def run(*command: str) -> None:
    """Run a tool of the virtual environment; its words are shown, and its failure is this one's."""
    env = {**environment("docs"), "ANSIBLE_COLLECTIONS_PATH": str(DOCS), "ANSIBLE_NOCOLOR": "1"}
    status = subprocess.run(command, cwd=DOCS, env=env, check=False).returncode
    if status:
        raise SystemExit(status)


def main() -> int:
    """Make ``build/docs/html`` anew and return 0; every warning ends in an exit status."""
    tree.copy("docs")
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    PAGES.mkdir(mode=0o700)
    made = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(PAGES))
    run("antsibull-docs", "collection", *made, "dom0.xen")
    index = PAGES / "index.rst"
    (PAGES / "reference.rst").write_text(reference(index.read_text(encoding="utf-8")), encoding="utf-8")
    sections = yaml.safe_load(SECTIONS.read_text(encoding="utf-8"))["sections"]
    shutil.copytree(FRAME, PAGES, dirs_exist_ok=True)
    index.write_text(front(index.read_text(encoding="utf-8"), sections), encoding="utf-8")
    run("sphinx-build", "--quiet", "--fail-on-warning", "--jobs", "2", "--builder", "html", str(PAGES), str(SITE))
    broken = links.problems(SITE)
    if broken:
        raise SystemExit("\n".join(broken))
    count = len(list(SITE.rglob("*.html")))
    print(f"{count} pages in {SITE.relative_to(ROOT)}, begin with index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
