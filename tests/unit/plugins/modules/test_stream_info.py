# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that describes a saved domain: its result, its failures, and the memory that it takes."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils._image import description
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.modules import stream_info
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

MEMORY_MIB = 64
# All but the first two by AnsibleModule.add_path_info, as in every result with a path.
ADDED_BY_ANSIBLE = {"changed", "invocation", "owner", "group", "mode", "uid", "gid", "size", "state"}
MEASURED = """
import sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dom0.xen.plugins.module_utils._procfs import peak_memory_kib
from ansible_collections.dom0.xen.plugins.modules import stream_info
with patch_module_args({"path": sys.argv[1]}):
    try:
        stream_info.main()
    finally:
        print(peak_memory_kib(), file=sys.stderr)
"""

RETURNED: list[tuple[str, type[Record]]] = [
    ("problem", description.StreamProblem),
    ("identity", description.Identity),
    ("records", description.RecordKind),
    ("rounds", description.RoundSeen),
    ("memory", description.Memory),
    ("policies", description.Policies),
    ("policies.cpuid", description.Cpuid),
    ("policies.cpuid.leaves", description.Leaf),
    ("policies.msr", description.Msrs),
    ("policies.msr.registers", description.Msr),
]


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    """Run the module and return its result."""
    with patch_module_args(arguments), pytest.raises(SystemExit):
        stream_info.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


def fields(record: type[Record]) -> set[str]:
    """Names of a record's values."""
    return {field.name for field in dataclasses.fields(record)}


@pytest.mark.parametrize(("path", "record"), RETURNED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_returned_is_documented(path: str, record: type[Record]) -> None:
    """A key that is added to a record appears in ansible-doc, and none is promised that does not come."""
    found = {"contains": yaml.safe_load(stream_info.RETURN)}
    assert set(found["contains"]) == fields(description.Description)
    for name in path.split("."):
        found = found["contains"][name]
    assert set(found["contains"]) == fields(record)


@pytest.mark.parametrize("check_mode", [False, True])
def test_sound_file(check_mode: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is described and nothing is changed; check mode gives the same answer."""
    saved = tmp_path / "saved"
    saved.write_bytes(streams.SMALL["pvh"])
    before = saved.stat().st_mtime_ns
    result = run(capsys, path=str(saved), _ansible_check_mode=check_mode)
    assert result["changed"] is False and "failed" not in result
    assert result["complete"] and result["problem"] is None and result["identity"]["name"] == "centos"
    assert set(result) - ADDED_BY_ANSIBLE == fields(description.Description)
    assert saved.stat().st_mtime_ns == before and os.listdir(tmp_path) == ["saved"]


def test_broken_file_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is what the task was for."""
    saved = tmp_path / "saved"
    saved.write_bytes(streams.SMALL["pv"][:-100])
    result = run(capsys, path=str(saved), pages=False)
    assert "failed" not in result and not result["complete"]
    assert result["problem"]["code"] == "stream_truncated" and result["memory"]["zero_share"] is None


def test_missing_file_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to describe."""
    result = run(capsys, path=str(tmp_path / "none"))
    assert result["failed"] and result["code"] == "file_missing" and "Remedy: " in result["msg"]


def _hostile() -> bytes:
    """Everything that asks for memory: types, policies, frames that are scattered, and fifty MiB in one record."""
    configuration = streams.config(x=[{}] * 25_000).replace(b" ", b"").replace(b"\n", b"")
    head = streams.xl_header(configuration) + streams.libxl_header() + streams.frame(1) + streams.libxc_headers(2)
    policy = streams.frame(0x11, bytes(24 << 21))
    kinds = b"".join(streams.frame(0x80000000 | kind) for kind in range(100, 5_000))
    scattered = b"".join(
        streams.page_data([(15, frame * 7 + start) for frame in range(1024)]) for start in range(0, 1 << 20, 1 << 14)
    )
    return head + policy + kinds + scattered + streams.records([streams.END]) + streams.frame(0)


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Whatever the file says, and Python and Ansible included."""
    saved = tmp_path / "saved"
    saved.write_bytes(gzip.compress(_hostile(), compresslevel=1))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(saved)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert result["complete"] and result["problem"]["code"] == "stream_unknown_record"
    assert int(done.stderr.split()[-1]) < MEMORY_MIB << 10
