# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the lab that does what it is asked without Ansible, in a second where a module takes five to ten."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import select
import shlex
import subprocess
import tarfile
import time
import typing as t
from pathlib import Path

from dom0_faults.rounds import Answer, Silent
from dom0lab import Host, LabError
from proof.playbook import ROOT

FOLDER = "/opt/lab-breaks"
PLACES = {"runtime": "/run/dom0-xen", "journal": "/var/lib/dom0-xen"}
ANSWER_S = 150.0
_HERE = Path(__file__).parent
_ASKED = ROOT / "tests" / "faults" / "dom0_faults" / "inside" / "asked.py"
_CODE = ROOT / "plugins" / "module_utils"
_IN_COLLECTION = "ansible_collections/dom0/xen/plugins/module_utils"


def packed() -> bytes:
    """The collection's code for dom0 and what answers there, as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(_CODE.rglob("*.py")):
            archive.add(path, f"{_IN_COLLECTION}/{path.relative_to(_CODE)}")
        archive.add(_ASKED, "dom0_faults/inside/asked.py")
        archive.add(_HERE / "on_host" / "agent.py", "agent.py")
    return buffer.getvalue()


class Hand:
    """One host's. It is started when it is needed, and again after the host was without power."""

    def __init__(self, host: Host, code: bytes) -> None:
        self._host, self._code = host, code
        self._process: subprocess.Popen[str] | None = None

    def ask(self, **request: t.Any) -> Answer:
        """Return the answer to a request of ``asked.py``. Raises :class:`Silent`."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        process = t.cast("subprocess.Popen[str]", self._process)
        stdin, stdout = t.cast(t.IO[str], process.stdin), t.cast(t.IO[str], process.stdout)
        line = ""
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps({**PLACES, **request}) + "\n")
            stdin.flush()
            # One answer a request: nothing is kept in the buffer that select would not see.
            line = stdout.readline() if select.select([stdout], [], [], ANSWER_S)[0] else ""
        if not line:
            self.close()
            raise Silent(self._host.name)
        answer: Answer = json.loads(line)
        return answer

    def sh(self, line: str) -> str:
        """Run a line of bash there; returns what it printed. Raises Silent, or LabError when it failed."""
        return self._printed(line, self.ask(do="sh", line=line))

    def py(self, program: Path) -> str:
        """Run a program of Python there; the rest as :meth:`sh`."""
        return self._printed(program.name, self.ask(do="py", text=program.read_text()))

    def _printed(self, what: str, answer: Answer) -> str:
        if answer.get("status") != 0:
            raise LabError(f"{self._host.name}: {what!r} failed: {answer}")
        return str(answer["stdout"])

    def _start(self) -> None:
        mark = f"{FOLDER}/{hashlib.sha256(self._code).hexdigest()}"
        unpack = f"test -e {mark} || {{ mkdir -p {FOLDER} && tar -xzf - -C {FOLDER} && touch {mark}; }}"
        try:
            # Without -C: an archive that is not wanted is read by nobody.
            subprocess.run(
                [*self._host.ssh(), unpack], input=self._code, capture_output=True, timeout=ANSWER_S, check=True
            )
        except (subprocess.SubprocessError, OSError) as exc:
            raise Silent(self._host.name) from exc
        command = f"exec python3 -I {shlex.quote(FOLDER + '/agent.py')}"
        self._process = self._host.start(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def close(self) -> None:
        """Let it end."""
        if self._process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            t.cast(t.IO[str], self._process.stdin).close()
        deadline = time.monotonic() + 2
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None
