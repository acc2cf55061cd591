# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tasks through a real ansible-playbook and look at everything that could betray a secret."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import typing as t
import uuid

import pytest

# A busy machine is no failure; a run that hangs is.
LIMIT_S = 180.0
KEPT = "kept for the test: "
ROOT = pathlib.Path(__file__).resolve().parents[4]


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run of ansible-playbook left: its registered results, its log, and every command line seen meanwhile."""

    rc: int
    log: str
    results: dict[str, t.Any]
    command_lines: frozenset[str]


class Playbook:
    """Runs plays over an inventory of its own; everything it writes lies in one folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Use this folder for plays, temporary files and results."""
        self.folder = folder
        self.remote_tmp = folder / "remote_tmp"
        self.host: dict[str, t.Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        self.environment: dict[str, str] = {}

    def run(
        self,
        *tasks: dict[str, t.Any],
        register: str = "result",
        arguments: t.Sequence[str] = (),
        heed: t.Callable[[str], None] | None = None,
    ) -> Run:
        """Run the tasks on the host ``xen1``, at the highest verbosity; return the registered variable's value.

        ``heed`` is given each line of the log as it comes.
        """
        keep = {
            "name": "Keep the result",
            "ansible.builtin.debug": {"msg": f"{KEPT}{{{{ {register} | default({{}}) | to_json }}}}"},
        }
        inventory = {"all": {"hosts": {"xen1": self.host}}}
        play = {"name": "Test", "hosts": "xen1", "gather_facts": False, "tasks": [*tasks, keep]}
        (self.folder / "inventory.yml").write_text(json.dumps(inventory))
        (self.folder / "play.yml").write_text(json.dumps([play]))
        command = [
            sys.executable,
            "-m",
            "ansible.cli.playbook",
            "-vvvvv",
            "-i",
            str(self.folder / "inventory.yml"),
            str(self.folder / "play.yml"),
            *arguments,
        ]
        process = subprocess.Popen(
            command,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
        )
        seen: set[str] = set()
        over = threading.Event()
        watcher = threading.Thread(target=_collect_command_lines, args=(seen, over))
        watcher.start()
        log = ""
        limit = threading.Timer(LIMIT_S, process.kill)
        limit.start()
        try:
            for line in process.stdout or ():
                log += line
                if heed is not None:
                    heed(line)
            process.wait()
        finally:
            limit.cancel()
            process.kill()
            over.set()
            watcher.join()
        return Run(process.returncode, log, _kept(log), frozenset(seen))

    def _environment(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_CONFIG": str(self.folder / "none.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local_tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self.remote_tmp),
            "ANSIBLE_KEEP_REMOTE_FILES": "1",
            "ANSIBLE_DEBUG": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "LC_ALL": "C.UTF-8",
            **self.environment,
        }


def _kept(log: str) -> dict[str, t.Any]:
    for line in log.splitlines():
        if line.strip().startswith(f'"msg": "{KEPT}'):
            text: str = json.loads("{" + line.strip().rstrip(",") + "}")["msg"]
            kept: dict[str, t.Any] = json.loads(text.removeprefix(KEPT))
            return kept
    return {}


def _collect_command_lines(seen: set[str], over: threading.Event) -> None:
    while not over.wait(0.01):
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    seen.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue


@pytest.fixture
def playbook(tmp_path: pathlib.Path) -> Playbook:
    """A playbook over one host on this machine."""
    return Playbook(tmp_path)


@pytest.fixture
def runtime_path() -> t.Iterator[pathlib.Path]:
    """A runtime root in memory that does not exist yet."""
    parent = pathlib.Path("/dev/shm") / f"dom0-xen-test-{uuid.uuid4().hex}"
    parent.mkdir(mode=0o777)
    parent.chmod(0o777)
    yield parent / "run"
    shutil.rmtree(parent)


@pytest.fixture
def sshd(tmp_path: pathlib.Path) -> t.Iterator[dict[str, t.Any]]:
    """An sshd of our own on the loopback interface; yields the host variables that reach it."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or shutil.which("ssh") is None:
        pytest.skip("needs ssh and sshd")
    folder = tmp_path / "sshd"
    folder.mkdir(mode=0o700)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
    port = _free_port()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\n"
    )
    if os.geteuid() == 0:
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.PIPE) as process:
        if not process.stderr or b"listening" not in process.stderr.readline():
            process.kill()
            pytest.skip("sshd does not start here")
        yield {
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_private_key_file": str(folder / "user_key"),
            "ansible_ssh_common_args": (
                "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ControlMaster=no -o ControlPath=none"
            ),
            "ansible_python_interpreter": sys.executable,
        }
        process.terminate()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
