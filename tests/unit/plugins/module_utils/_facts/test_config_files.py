# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a domain was made from is found, or it is told that there are several or none."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import Roots, moved_name
from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import ConfigFiles, digest, read_config
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlFailed

UUID = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
OTHER = "11111111-5c99-4441-b5fd-ac266d0e1ffe"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder like /etc/xen."""
    (tmp_path / "auto").mkdir()
    (tmp_path / "xl.conf").write_text('vif.default.script="vif-bridge"\n')
    return tmp_path


def found(folder: pathlib.Path, given: str = "") -> list[str]:
    """The names of the files that are found for the domain."""
    files = ConfigFiles(Roots(str(folder / "auto"), None))
    return [pathlib.Path(each.path).name for each in files.of(UUID, "centos", {}, given)]


def test_by_uuid_before_the_name(folder: pathlib.Path) -> None:
    """A file of that name without a UUID may be an old one."""
    (folder / "a.cfg").write_text(f'name="renamed"\nuuid="{UUID.upper()}"\n')
    (folder / "b.cfg").write_text('name="centos"\n')
    assert found(folder) == ["a.cfg"]


def test_by_name_only_where_it_has_no_other_uuid(folder: pathlib.Path) -> None:
    """Another UUID is another domain."""
    (folder / "a.cfg").write_text(f'name="centos"\nuuid="{OTHER}"\n')
    assert found(folder) == []
    (folder / "b.cfg").write_text('name="centos"\n')
    assert found(folder) == ["b.cfg"]


def test_a_link_and_a_copy_are_one_file(folder: pathlib.Path) -> None:
    """What xendomains starts is a link to it, as a rule."""
    (folder / "a.cfg").write_text('name="centos"\n')
    (folder / "auto" / "10-centos").symlink_to(folder / "a.cfg")
    (folder / "auto" / "copy").write_text('name="centos"\n')
    assert found(folder) == ["a.cfg"]
    (folder / "auto" / "copy").write_text('name="centos"\nmemory=64\n')
    assert found(folder) == ["a.cfg", "copy"]


def test_a_link_leads_to_one(folder: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """People keep configurations elsewhere; each counts once, however many links lead to it."""
    elsewhere = tmp_path_factory.mktemp("srv") / "web.cfg"
    elsewhere.write_text('name="centos"\n')
    (folder / "centos.cfg").symlink_to(elsewhere)
    (folder / "again.cfg").symlink_to("centos.cfg")
    (folder / "auto" / "centos.cfg").symlink_to("../centos.cfg")
    (folder / "nothing.cfg").symlink_to("/nonexistent")
    (folder / "itself.cfg").symlink_to("itself.cfg")
    (file,) = ConfigFiles(Roots(str(folder / "auto"), None)).of(UUID, "centos", {})
    assert file.path == str(elsewhere)
    # What lies there itself and is another one is told beside it.
    (folder / "other.cfg").write_text('name="centos"\nmemory=64\n')
    assert sorted(found(folder)) == ["other.cfg", "web.cfg"]


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_link_to_what_others_can_write_leads_to_none(
    folder: pathlib.Path, tmp_path_factory: pytest.TempPathFactory, mode: int
) -> None:
    """xl would run as root what they have written; who wants that names the file."""
    elsewhere = tmp_path_factory.mktemp("srv") / "web.cfg"
    elsewhere.write_text('name="centos"\n')
    elsewhere.chmod(mode)
    (folder / "centos.cfg").symlink_to(elsewhere)
    assert found(folder) == []
    assert found(folder, str(folder / "centos.cfg")) == ["centos.cfg"]
    elsewhere.chmod(0o644)
    assert found(folder) == ["web.cfg"]


def test_a_link_to_what_a_session_has_kept_is_none(folder: pathlib.Path) -> None:
    """The domain it was of has left."""
    kept = folder / moved_name("a.cfg", "0123456789abcdef")
    kept.write_text('name="centos"\n')
    (folder / "link.cfg").symlink_to(kept)
    assert found(folder) == []


def test_what_a_session_has_kept_is_none(folder: pathlib.Path) -> None:
    """The domain has been here before, and its file was given another name when it left."""
    (folder / "a.cfg").write_text('name="centos"\n')
    (folder / moved_name("a.cfg", "0123456789abcdef")).write_text('name="centos"\nmemory=64\n')
    assert found(folder) == ["a.cfg"]


def test_the_one_that_is_given(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Whatever else there is."""
    (folder / "a.cfg").write_text('name="centos"\n')
    given = tmp_path / "given"
    assert found(folder, str(given)) == []
    given.write_text("memory = 64\n")
    assert found(folder, str(given)) == ["given"]


CARDS = {"nics": [{"mac": "00:16:3e:00:00:64"}]}


def test_xl_is_asked_what_it_makes_of_the_one_that_is_given(folder: pathlib.Path) -> None:
    """Of its text with what makes it the same domain, in a file that is gone afterwards; secrets are not told."""
    given = folder / "given"
    given.write_text('name="old"\nvif=["bridge=br-lan"]\nvncpasswd="geheim"')
    seen: dict[str, str] = {}

    def understood(path: str) -> dict[str, object]:
        seen[path] = pathlib.Path(path).read_text()
        assert pathlib.Path(path).stat().st_mode & 0o077 == 0
        return {"b_info": {"vnc": {"passwd": "geheim"}}}

    (file,) = ConfigFiles(Roots(None, None)).of(UUID, "centos", CARDS, str(given), understood)
    assert len(seen) == 1
    path, text = seen.popitem()
    assert not pathlib.Path(path).exists()
    assert text.startswith(given.read_text())
    assert f'uuid="{UUID}"' in text and 'name="centos"' in text and "mac=00:16:3e:00:00:64" in text
    assert "on_poweroff" not in text
    assert (file.config, file.problem) == ({"b_info": {"vnc": {"passwd": "********"}}}, "")
    assert file.digest == digest(given.read_text()) and len(file.digest) == 64
    (file,) = ConfigFiles(Roots(None, None)).of(UUID, "centos", CARDS, str(given))
    assert (file.config, file.digest) == (None, "")


def test_xl_is_asked_of_one_that_differs_from_what_runs(folder: pathlib.Path) -> None:
    """Where it says the same, nothing is gained by that."""
    path = folder / "a.cfg"
    running = {"b_info": {"max_memkb": 65536}}
    files = ConfigFiles(Roots(str(folder / "auto"), None))
    path.write_text('name="centos"\nmemory=64\n')
    (same,) = files.of(UUID, "centos", running, understood=lambda path: {"asked": True})
    assert (same.differs, same.config) == ((), None)
    path.write_text('name="centos"\nmemory=128\n')
    (other,) = files.of(UUID, "centos", running, understood=lambda path: {"asked": True})
    assert (other.differs, other.config) == (("memory",), {"asked": True})


def test_what_xl_does_not_take(folder: pathlib.Path) -> None:
    """Its words are told, about the file that was given."""
    given = folder / "given"
    given.write_text("memory = [\n")

    def understood(path: str) -> dict[str, object]:
        lines = f"one\ntwo\n{path}:2: config parsing error near `]'\nFailed to parse config: Invalid argument\n"
        raise XlFailed("xl create failed", cmd=["xl"], rc=1, stderr=lines)

    (file,) = ConfigFiles(Roots(None, None)).of(UUID, "centos", {}, str(given), understood)
    assert file.config is None
    assert file.problem.endswith(f"{given}:2: config parsing error near `]'; Failed to parse config: Invalid argument")


def test_what_no_person_wrote_is_none(folder: pathlib.Path) -> None:
    """Neither of any size, nor bytes."""
    for content in (b"#" * (256 * 1024 + 1), b'name="centos"\n\0', b"\xff"):
        (folder / "a.cfg").write_bytes(content)
        assert read_config(str(folder / "a.cfg")) is None
    assert read_config(str(folder)) is None
