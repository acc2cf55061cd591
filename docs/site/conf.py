# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the site; ``make docs`` copies this beside the pages."""

from __future__ import annotations

import pathlib
import re
import typing as t
import zlib

project = "dom0.xen"
copyright = "2026, dom0.xen contributors"  # noqa: A001  # the name that Sphinx asks for
html_title = "dom0.xen"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
highlight_language = "text"
pygments_style = "friendly"
# A link to nothing is an error.
nitpicky = True

# What the generated pages refer to in Ansible's own documentation, in place of an inventory that is fetched.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
REFERRED_TO = {
    "ansible_configuration_settings": (
        "reference_appendices/config.html#ansible-configuration-settings",
        "Ansible Configuration Settings",
    ),
    "action_plugins": ("plugins/action.html#action-plugins", "Action plugins"),
    "callback_plugins": ("plugins/callback.html#callback-plugins", "Callback plugins"),
    "common_return_values": ("reference_appendices/common_return_values.html#common-return-values", "Return Values"),
}


def inventory() -> str:
    """Write an inventory of version 2, as Sphinx makes it for the pages above, and return its path."""
    head = (
        "# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    lines = (f"{name} std:label -1 {place} {title}\n" for name, (place, title) in sorted(REFERRED_TO.items()))
    path = pathlib.Path(__file__).with_name("ansible.inv")
    path.write_bytes(head.encode() + zlib.compress("".join(lines).encode()))
    return str(path)


intersphinx_mapping = {"ansible": (ANSIBLE, inventory())}
# Only the labels above are looked for there.
intersphinx_disabled_reftypes = ["std:doc"]

# Nothing on the pages comes from another host: the theme has its scripts along, and no inventory is fetched.
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options: dict[str, t.Any] = {"top_of_page_buttons": []}
html_show_sphinx = False
html_use_index = False
antsibull_ext_color_scheme = "default-autodark"


def leave_out_contents(app: t.Any, page: str, source: list[str]) -> None:
    """Leave a page's own table of contents out: the theme has it beside the page. Ansible's own site needs it."""
    source[0] = re.sub(r"^\.\. contents::\n(?: +:.*\n)*", "", source[0], flags=re.MULTILINE)


def setup(app: t.Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", leave_out_contents)
