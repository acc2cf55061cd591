# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host starts and restores at boot is found as xendomains finds it, without running anything."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import (
    Roots,
    aside_name,
    config_identity,
    entries,
    roots,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import parse_config_file, parse_image_identity
from ansible_collections.dom0.xen.plugins.module_utils._wire import header
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
SESSION = "0123456789abcdef"


def image(name: str = "centos", uuid: str = UUID) -> bytes:
    """The beginning of what xl save writes."""
    text = f'{{"c_info": {{"type": "pvh", "name": "{name}", "uuid": "{uuid.upper()}"}}, "b_info": {{"name": "no"}}}}'
    return header.encode(text.encode()) + b"LibxlFmt\0\0\0\2" * 100


@pytest.fixture
def where(tmp_path: pathlib.Path) -> Roots:
    """The two folders, empty."""
    (tmp_path / "auto").mkdir()
    (tmp_path / "save").mkdir()
    return Roots(str(tmp_path / "auto"), str(tmp_path / "save"))


def test_host_without_folders_starts_nothing(tmp_path: pathlib.Path) -> None:
    """Most dom0s have no autostart, and some no folder for it."""
    assert entries(Roots(str(tmp_path / "no"), None)) == ()


def test_files_links_and_images_are_found(where: Roots, tmp_path: pathlib.Path) -> None:
    """With the domain that is in them, not the one that their names suggest."""
    configs, auto, save = tmp_path / "configs", pathlib.Path(where.auto or ""), pathlib.Path(where.save or "")
    configs.mkdir()
    (configs / "server.cfg").write_text(f'name="centos"\nuuid="{UUID}"\n')
    (auto / "10-web").symlink_to("../configs/server.cfg")
    (auto / "plain.cfg").write_text("name = 'plain'\n")
    (auto / "link-to-nothing.cfg").symlink_to("/nonexistent")
    (auto / "folder").mkdir()
    (auto / ".hidden.cfg").write_text('name = "hidden"\n')
    (save / "some").write_bytes(image())
    (save / "old").write_bytes(b"an image of long ago")
    (save / "folder").mkdir()
    os.mkfifo(save / "fifo")
    os.mkfifo(auto / "fifo")
    assert [(os.path.basename(entry.path), entry.kind, entry.name, entry.uuid) for entry in entries(where)] == [
        ("old", "image", "old", None),
        ("some", "image", "centos", UUID),
        ("10-web", "config", "centos", UUID),
        ("fifo", "config", "fifo", None),
        ("link-to-nothing.cfg", "config", "link-to-nothing", None),
        ("plain.cfg", "config", "plain", None),
    ]
    assert [entry.path for entry in entries(where) if entry.makes(UUID, "centos")] == [
        f"{where.save}/some",
        f"{where.auto}/10-web",
    ]


def test_what_a_session_set_aside_is_told_with_it(where: Roots) -> None:
    """It is out of force, since a shell's * does not see it, and a person should be able to find it again."""
    path = os.path.join(where.auto or "", aside_name("centos.cfg", SESSION))
    pathlib.Path(path).write_text('name = "centos"\n')
    (entry,) = entries(where)
    assert (entry.path, entry.name, entry.set_aside) == (path, "centos", SESSION)
    assert os.path.basename(path).startswith(".")


SETTINGS = {
    "": Roots(),
    "# XENDOMAINS_AUTO=/a\nOTHER=1\n": Roots(),
    "XENDOMAINS_AUTO=/a # words\nXENDOMAINS_SAVE='/b c'\n": Roots("/a", "/b c"),
    'export XENDOMAINS_AUTO="/a"\n': Roots("/a"),
    'XENDOMAINS_AUTO=\nXENDOMAINS_SAVE=""\n': Roots(None, None),
    "XENDOMAINS_AUTO=/a\nXENDOMAINS_AUTO=/b\n": Roots("/b"),
    'XENDOMAINS_AUTO="$HOME/auto"\n': Roots(),
    "broken='\nXENDOMAINS_SAVE=/b\n": Roots(save="/b"),
}


@pytest.mark.parametrize("text", SETTINGS)
def test_folders_are_those_of_the_hosts_settings(text: str, tmp_path: pathlib.Path) -> None:
    """As /etc/default/xendomains gives them, which is a shell file; an empty one switches its part off."""
    path = tmp_path / "xendomains"
    path.write_text(text)
    assert roots(("/nonexistent", str(path))) == SETTINGS[text]
    assert roots(("/nonexistent",)) == Roots()


CONFIGS = {
    'name = "centos"': ("centos", None),
    f"name='centos'; uuid = \"{UUID}\"": ("centos", UUID),
    'name = "old"\nname = "centos"': ("centos", None),
    '# name = "no"\n  name="centos" # name = "no"': ("centos", None),
    'name = "centos"\ndisk = [ "name = 1" ,\n name = "no" ]\n': ("centos", None),
    'name = "centos"\nname = # nothing\n': ("centos", None),
    'extra = "# name=no"\nname = "centos"': ("centos", None),
    'extra = "name = \\"no\\""\nname = "a\\"b"': ('a"b', None),
    'name = "a"\r\nuuid = "nonsense"\r\n': ("a", None),
    "name = 7": ("7", None),
    'name += "x"': None,
    'vif = [ "" ]': None,
    "\0\xff[[[": None,
    "": None,
}


@pytest.mark.parametrize("text", CONFIGS)
def test_configuration_files_are_read_as_xl_reads_them(text: str, tmp_path: pathlib.Path) -> None:
    """Without running xl for each of them: the last setting counts, comments, lists and texts do not."""
    path = tmp_path / "a.cfg"
    path.write_text(text)
    assert config_identity(str(path)) == CONFIGS[text]
    assert config_identity(str(tmp_path)) is None


def test_settings_of_a_whole_file() -> None:
    """Lists are left out, everything else is there."""
    text = 'type = "pvh"\nmemory = 512\nvif = [ "bridge=xenbr0", ]\non_crash = "destroy"\n'
    assert parse_config_file(text) == {"type": "pvh", "memory": "512", "on_crash": "destroy"}


@pytest.mark.parametrize(
    "damage", [b"", image()[:40], image()[:80], b"x" + image()[1:], image().replace(b"c_info", b"x")]
)
def test_what_is_no_image_has_no_identity(damage: bytes) -> None:
    """And raises nothing: the folder may hold anything."""
    assert parse_image_identity(image()) == ("centos", UUID)
    assert parse_image_identity(damage) is None


@pytest.mark.parametrize("value", [b"5", b"[]", b"null", b"{}", b"1e999", b"[" * 300 + b"]" * 300])
def test_identity_of_another_kind(value: bytes) -> None:
    """A name and a UUID that are no words are none; whoever compares them would end with an error."""
    text = b'{"c_info":{"name":' + value + b',"uuid":' + value + b"}}"
    assert parse_image_identity(streams.xl_header(text)) == (None, None)


def test_image_that_is_nested() -> None:
    """A damaged image is no reason to end the search for what starts a domain."""
    assert parse_image_identity(streams.xl_header(b"[" * 200_000)) is None
