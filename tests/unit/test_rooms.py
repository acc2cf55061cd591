# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each room of the collection knows only the rooms it may, so that what runs on a dom0 stays small and testable."""

from __future__ import annotations

import ast
import pathlib

import pytest

from ansible_collections.dom0.xen.tests.tools.imports import Imports, rooms, session_rooms

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMPORTS = Imports(ROOT)

# Read by every run on every host: each file they bring along costs CPU there.
FACTS_MODULES = ("modules/host_info.py", "modules/domain_info.py")
MOST_FACTS_FILES = 26
# What both of them take along, and itself.
FLEET_MODULE = "modules/fleet_info.py"

# What the files of a room must not import, directly or through others.
FORBIDDEN = {
    "_wire": {
        "_link",
        "_session",
        "_toolstack",
        "_xenstore",
        "_ownership",
        "_checks",
        "_image",
        "_saving",
        "_restoring",
    },
    "_link": {
        "_wire",
        "_session",
        "_toolstack",
        "_xenstore",
        "_ownership",
        "_checks",
        "_image",
        "_saving",
        "_restoring",
    },
    "_image": {"_link", "_session", "_toolstack", "_xenstore", "_ownership", "_checks", "_saving", "_restoring"},
    "_toolstack": {"_wire", "_link", "_session", "_saving", "_restoring"},
    "_facts": {"_wire", "_link", "_session", "_checks", "_image", "_saving", "_restoring"},
    "_xenstore": {"_wire", "_link", "_session", "_saving", "_restoring"},
    "_ownership": {"_wire", "_link", "_session", "_toolstack", "_xenstore", "_saving", "_restoring"},
    "_session": {"_saving", "_restoring"},
    "_saving": {"_link", "_restoring"},
    "_restoring": {"_link"},
    "_checks": {"_wire", "_link", "_session", "_toolstack", "_xenstore", "_saving", "_restoring"},
}

# The rooms of a session by level, from the lowest. A file imports from its own room and from rooms of a lower level;
# those of one level do not know each other: what decides knows no journal, and the sides meet only in the link.
SESSION_ROOMS = (
    {"terms"},
    {"deciding", "journal", "stream"},
    {"observing", "process", "belongings", "transport"},
    {"found"},
    {"copies"},
    {"stand_ins"},
    {"gate", "budget"},
    {"sending", "receiving", "settling"},
)
# Beside the rooms lies what starts a session.
SESSION_STARTS = {"__init__.py", "daemon.py", "launch.py"}
PURE_SESSION_ROOMS = ("terms", "deciding", "stream")

# Facts in, verdict out: no I/O, and no clock but the one they are given.
PURE_ROOMS = ("_wire", "_ownership", "_checks")
IMPURE = {
    "os",
    "pathlib",
    "socket",
    "select",
    "selectors",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "datetime",
    "ssl",
}

XL_COMMANDS = {
    *("config-update", "create", "destroy", "domid", "domname", "dmesg", "info", "list", "mem-set", "migrate"),
    *(
        "migrate-receive",
        "pause",
        "reboot",
        "rename",
        "restore",
        "resume",
        "save",
        "shutdown",
        "sysrq",
        "unpause",
        "uptime",
        "vcpu-list",
    ),
}


def _files(room: str) -> list[str]:
    return [file for file in IMPORTS.files if rooms([file]) == {room}]


def _imports(file: str) -> set[str]:
    return {name.partition(".")[0] for name in IMPORTS.names(file)} & IMPURE


def _is_xl_command(node: ast.AST) -> bool:
    if not isinstance(node, (ast.List, ast.Tuple)) or len(node.elts) < 2:
        return False
    first, second = (element.value if isinstance(element, ast.Constant) else None for element in node.elts[:2])
    return isinstance(first, str) and first.rpartition("/")[2] == "xl" and second in XL_COMMANDS


@pytest.mark.parametrize("module", [module for module in FACTS_MODULES if module in IMPORTS.files])
def test_facts_modules_stay_light(module: str) -> None:
    """A facts module takes few files along in its payload, and none of the migration's own rooms."""
    payload = IMPORTS.payload(module)
    assert not rooms(payload) & {"_wire", "_link", "_session"}, sorted(payload)
    files = sorted(file for file in payload if not file.endswith("__init__.py"))
    assert len(files) <= MOST_FACTS_FILES, files


def test_the_module_for_a_fleet_takes_along_what_the_two_others_do() -> None:
    """One run for both costs no more than both, and knows none of the migration's own rooms."""
    both = set().union(*(IMPORTS.payload(module) for module in FACTS_MODULES)) - set(FACTS_MODULES)
    assert IMPORTS.payload(FLEET_MODULE) - {FLEET_MODULE} <= both


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_rooms_know_only_what_they_may(room: str) -> None:
    """Formats know nothing of the link, the link nothing of Xen, and neither knows who uses it."""
    found = {file: rooms(IMPORTS.payload(file)) & FORBIDDEN[room] for file in _files(room)}
    assert not {file: known for file, known in found.items() if known}


def test_only_the_session_knows_formats_and_link() -> None:
    """What joins the stream and the link lies in one place."""
    both = {"_wire", "_link"}
    found = [file for file in IMPORTS.files if rooms(IMPORTS.direct(file)) >= both and rooms([file]) != {"_session"}]
    assert not found


def test_each_file_of_a_session_lies_in_a_room() -> None:
    """Folder names alone lead a reader to where a byte goes, and to where it is decided who owns a domain."""
    files = [file for file in IMPORTS.files if rooms([file]) == {"_session"}]
    assert session_rooms(files) == set().union({""}, *SESSION_ROOMS)
    assert {file.rpartition("/")[2] for file in files if session_rooms([file]) == {""}} == SESSION_STARTS


@pytest.mark.parametrize(
    ("place", "room"), [(place, room) for place, level in enumerate(SESSION_ROOMS) for room in sorted(level)]
)
def test_rooms_of_a_session_know_only_those_below_them(place: int, room: str) -> None:
    """Imports go one way, so no two rooms need each other, and neither side of a transfer knows the other."""
    allowed = set().union({room}, *SESSION_ROOMS[:place])
    files = [file for file in IMPORTS.files if session_rooms([file]) == {room}]
    found = {file: session_rooms(IMPORTS.direct(file)) - allowed for file in files}
    assert not {file: known for file, known in found.items() if known}


@pytest.mark.parametrize("room", PURE_SESSION_ROOMS)
def test_what_decides_in_a_session_does_no_io(room: str) -> None:
    """Every order of events can be tried on the two machines, and any bytes on the stream, without a host."""
    found = {file: _imports(file) for file in IMPORTS.files if session_rooms([file]) == {room}}
    assert found and not {file: names for file, names in found.items() if names}


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_pure_rooms_do_no_io(room: str) -> None:
    """Formats, verdicts and findings can be tested with nothing but values."""
    found = {file: _imports(file) for file in _files(room)}
    assert not {file: names for file, names in found.items() if names}


def test_describing_a_stream_does_no_io() -> None:
    """Of what describes a file only these two touch it."""
    assert {file.rpartition("/")[2] for file in _files("_image") if _imports(file)} == {"opening.py", "decoders.py"}


def test_only_the_toolstack_runs_xl() -> None:
    """There is one door to xl, which knows its locks, its exit codes and its formats."""
    found = [
        f"{file}:{node.lineno}"
        for file, tree in IMPORTS.files.items()
        if rooms([file]) != {"_toolstack"}
        for node in ast.walk(tree)
        if isinstance(node, (ast.List, ast.Tuple)) and _is_xl_command(node)
    ]
    assert not found


def test_what_runs_on_a_dom0_does_not_import_what_runs_on_the_controller() -> None:
    """The payload of a module holds only modules and module_utils."""
    on_dom0 = [file for file in IMPORTS.files if file.startswith(("modules/", "module_utils/"))]
    found = {file: {other.split("/")[0] for other in IMPORTS.payload(file)} for file in on_dom0}
    assert not {file: kinds for file, kinds in found.items() if not kinds <= {"modules", "module_utils"}}


def test_nothing_is_imported_by_name() -> None:
    """Ansible ships what is imported by statements only; a file imported by its name would be missing on the host."""
    found = [file for file in IMPORTS.files if any(name.startswith("importlib") for name in IMPORTS.names(file))]
    assert not found
