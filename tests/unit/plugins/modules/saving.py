# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dom0 of the double on which the module that saves is run."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.modules import domain_save

UUID, NAME = GuestConfig.uuid, GuestConfig.name
COLLECTIONS = pathlib.Path(domain_save.__file__).parents[5]
PROGRAM = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dom0.xen.plugins.modules import domain_save
with patch_module_args(json.loads(sys.argv[1])):
    domain_save.main()
"""
Result = dict[str, t.Any]


class Saving:
    """The host, a folder for images, and the module."""

    def __init__(self, host: Host, folder: pathlib.Path, memory: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.host, self.folder = host, folder
        self.path = folder / "centos.xen"
        self.manifest_path = folder / "centos.xen.json"
        self.xl = Xl(subprocess_runner(), str(host.paths.bin / "xl"))
        self._memory = memory
        self._capsys = capsys

    def start(self, **changes: t.Any) -> int:
        """Start the guest."""
        values = {"memory_mib": 8, "compact": True, **changes}
        return self.host.start_guest(GuestConfig(**values))

    def arguments(self, **options: t.Any) -> Result:
        """The task's options."""
        places = {"runtime_path": self._memory, "journal_path": str(self.folder.parent / "journals")}
        return {"domain": NAME, "path": str(self.path), "reserve_mib": 0, **places, **options}

    def run(self, **options: t.Any) -> Result:
        """Run the module; return its result."""
        self._capsys.readouterr()
        with patch_module_args(self.arguments(**options)), pytest.raises(SystemExit):
            domain_save.main()
        result: Result = json.loads(self._capsys.readouterr().out)
        return result

    def saved(self, **options: t.Any) -> Result:
        """Run the module, which must succeed."""
        result = self.run(**options)
        assert not result.get("failed"), result
        return result

    def refused(self, **options: t.Any) -> Result:
        """Run the module, which must fail, with a message that names cause, host and remedy."""
        result = self.run(**options)
        assert result.get("failed"), result
        assert result["msg"].startswith(f"{self.host.name}: ") and result["remedy"] in result["msg"], result
        assert result["remedy"] and result["code"] not in ("error", "refused")
        return result

    def spawn(self, *prefix: str, **options: t.Any) -> subprocess.Popen[bytes]:
        """Start the module as a process of its own; ``prefix`` goes before its command."""
        environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
        return subprocess.Popen(
            [*prefix, sys.executable, "-c", PROGRAM, json.dumps(self.arguments(**options))],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def guardians(self) -> list[int]:
        """Processes that this one, or a module that was killed, has left behind to see to the guest."""
        own = [pid for pid in _procfs.pids() if _procfs.parent_of(pid) == os.getpid()]
        forked = [pid for pid in own if _procfs.command_line(pid) == _procfs.command_line(os.getpid())]
        words = ("domain_save", "domain_restore")
        lines = {pid: " ".join(_procfs.command_line(pid)) for pid in self.host.pids}
        modules = [pid for pid, line in lines.items() if any(word in line for word in words)]
        return [*forked, *modules]

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until nobody is left who sees to the guest."""
        deadline = time.monotonic() + seconds
        while self.guardians():
            assert time.monotonic() < deadline, self.guardians()
            time.sleep(0.05)

    def state(self) -> str | None:
        """The domain's state, None when it is gone."""
        return next((row.state.word for row in self.xl.domains() if row.uuid == UUID), None)

    def files(self) -> list[str]:
        """What lies in the folder."""
        return sorted(os.listdir(self.folder))

    def untouched(self, boot_id: str) -> None:
        """The guest goes on, and nothing lies in the folder; who watches over it ends."""
        self.wait()
        assert self.files() == []
        guest = self.host.guest()
        assert guest is not None and (guest["boot_id"], guest["running"]) == (boot_id, True)
        assert self.host.left_over() == []

    def boot_id(self) -> str:
        """The guest's boot."""
        guest = self.host.guest()
        assert guest is not None
        return str(guest["boot_id"])

    def digest(self, *command: str) -> str:
        """SHA-256 of the image, after a command that reads it from its input."""
        data = self.path.read_bytes()
        if command:
            data = subprocess.run(command, input=data, capture_output=True, check=True).stdout
        return hashlib.sha256(data).hexdigest()
