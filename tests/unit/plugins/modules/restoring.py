# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dom0 of the double on which a guest was saved, and the module that restores."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils._facts.host import host_facts
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.modules import domain_restore
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import COLLECTIONS, Result, Saving

PROGRAM = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dom0.xen.plugins.modules import domain_restore
with patch_module_args(json.loads(sys.argv[1])):
    domain_restore.main()
"""


class Restoring:
    """The host and its image."""

    def __init__(self, saving: Saving) -> None:
        self.saving, self.host, self.folder, self.path = saving, saving.host, saving.folder, saving.path
        self.manifest_path = saving.manifest_path
        self.mark_path = pathlib.Path(f"{saving.path}.restored.json")
        self.boot = ""

    def save(self, guest: t.Mapping[str, t.Any], options: t.Mapping[str, t.Any]) -> None:
        """Start a guest and save it."""
        self.saving.start(**{"untouched": 0.0, **guest})
        self.boot = self.saving.boot_id()
        self.saving.saved(**options)
        self.host.record_points()

    def facts(self) -> Result:
        """What ``host_info`` returns for the host."""
        places = self.saving.arguments()
        return {"host": host_facts(subprocess_runner(), places["runtime_path"], places["journal_path"]).to_result()}

    def arguments(self, **options: t.Any) -> Result:
        """The task's options."""
        places = {key: value for key, value in self.saving.arguments().items() if key.endswith("_path")}
        hosts = {self.host.name: self.facts()}
        return {
            "path": str(self.path),
            "hosts": hosts,
            "inventory": list(options.get("hosts", hosts)),
            **places,
            **options,
        }

    def run(self, **options: t.Any) -> Result:
        """Run the module; return its result."""
        arguments = self.arguments(**options)
        self.saving._capsys.readouterr()
        with patch_module_args(arguments), pytest.raises(SystemExit):
            domain_restore.main()
        result: Result = json.loads(self.saving._capsys.readouterr().out)
        return result

    def restored(self, **options: t.Any) -> Result:
        """Run the module, which must succeed."""
        result = self.run(**options)
        assert not result.get("failed"), result
        return result

    def refused(self, host: str | None = None, **options: t.Any) -> Result:
        """Run the module, which must fail, with a message that names cause, host and remedy."""
        result = self.run(**options)
        assert result.get("failed"), result
        assert result["msg"].startswith(f"{host or self.host.name}: ") and result["remedy"] in result["msg"], result
        assert result["remedy"] and result["code"] not in ("error", "refused")
        return result

    def refused_before(self, code: str, host: str | None = None, **options: t.Any) -> Result:
        """It must fail before xl is started, in check mode too, with nothing touched."""
        before = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        for check in (True, False):
            result = self.refused(host, **options, _ansible_check_mode=check)
            assert result["code"] == code, result
        assert "restore.start" not in self.host.points()
        assert {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()} == before
        return result

    def spawn(self, **options: t.Any) -> subprocess.Popen[bytes]:
        """Start the module as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(self.arguments(**options))],
            env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextlib.contextmanager
    def held_at(self, point: str) -> t.Iterator[None]:
        """Spawned from within: xl, or its helper, waits at this point until the block ends."""
        path = str(self.folder.parent / "ask")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            self.host.faults({"point": point, "at": 2_000_000, "action": "ask", "socket": path})
            yield
        os.unlink(path)

    def until(self, happened: t.Callable[[], t.Any], seconds: float = 60.0) -> None:
        """Wait for something."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def until_nobody_is_left(self) -> None:
        """Wait until no guardian and no xl is left."""
        self.saving.wait()
        self.until(lambda: self.host.left_over() == [])

    def mark(self) -> Result | None:
        """The record beside the image."""
        return json.loads(self.mark_path.read_text()) if self.mark_path.exists() else None

    def intact(self) -> None:
        """The guest goes on from where it was saved, and on record is that it does."""
        guest = self.host.guest()
        assert guest is not None and guest["verified"]
        assert (guest["boot_id"], guest["running"], self.saving.state()) == (self.boot, True, "running")
        mark = self.mark()
        assert mark is not None and mark["state"] == "restored"
        assert self.host.left_over() == []

    def as_before(self) -> None:
        """No copy is here, nobody is at work, and the image is as if nothing had been."""
        assert self.saving.state() is None
        assert self.facts()["host"]["restored"] == []
        assert self.saving.files() == ["centos.xen", "centos.xen.json"]
        assert self.host.left_over() == []
