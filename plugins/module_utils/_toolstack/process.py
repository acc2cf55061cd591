# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting xl outside of a module (private to the collection)."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tempfile
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import XlTimeout

# The messages of xl are read, so they have to be in English.
ENGLISH = {"LC_ALL": "C", "LANGUAGE": "C"}

# More than any command that is run so has to say.
_OUTPUT_BYTES = 1024 * 1024

# What non-root users and non-login shells often lack in PATH.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


@dataclasses.dataclass(frozen=True)
class CommandResult:
    """Exit status and output of a command that has ended."""

    rc: int
    stdout: str
    stderr: str


Runner = t.Callable[[t.Sequence[str]], CommandResult]


def subprocess_runner(timeout_s: float = 120.0) -> Runner:
    """Return a runner for daemons: no shell, English messages, no standard input.

    The command is killed after ``timeout_s`` seconds, and XlTimeout raised: xl waits for its lock without a limit.
    """

    def run(argv: t.Sequence[str]) -> CommandResult:
        try:
            done = subprocess.run(  # pylint: disable=ansible-bad-function  # a daemon has no AnsibleModule
                list(argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=environment(),
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            message = "{} did not end within {:g} s.".format(" ".join(argv), timeout_s)
            raise XlTimeout(message, cmd=argv, rc=-1, stderr=_text(exc.stderr)) from exc
        return CommandResult(done.returncode, _text(done.stdout), _text(done.stderr))

    return run


def patient_runner() -> Runner:
    """Return a runner for daemons without a limit, for what may wait for xl's lock: an arrival holds it to its end.

    The command is never killed, nor does it end because this process does: half way it would leave half a domain.
    """

    def run(argv: t.Sequence[str]) -> CommandResult:
        # A pipe that nobody reads any more would end it at the next line that it writes.
        files = [_scratch() for dummy in range(2)]
        try:
            stdout, stderr = files
            with spawn(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr) as process:
                rc = process.wait()
            texts = [_text(os.pread(fd, _OUTPUT_BYTES, 0)) for fd in files]
        finally:
            for fd in files:
                os.close(fd)
        return CommandResult(rc, *texts)

    return run


def module_runner(module: t.Any) -> Runner:
    """Return a runner for modules, over ``AnsibleModule.run_command``."""

    def run(argv: t.Sequence[str]) -> CommandResult:
        rc, stdout, stderr = module.run_command(
            list(argv), check_rc=False, handle_exceptions=False, environ_update=ENGLISH
        )
        return CommandResult(rc, stdout, stderr)

    return run


def spawn(
    argv: t.Sequence[str],
    *,
    stdin: t.Any,
    stdout: t.Any,
    stderr: t.Any,
    mark: t.Mapping[str, str] | None = None,
    leads: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a command and leave it running; the caller owns the process. Streams as for Popen.

    ``mark`` is put into its environment, by which it and what it starts can be found again. With ``leads`` it has a
    session of its own, so that what it has left behind can be ended.

    xl expects blocking descriptions: libxl clears O_NONBLOCK on them (libxl_domain_suspend), so do not share one that
    an event loop uses.
    """
    return subprocess.Popen(  # pylint: disable=ansible-bad-function  # a daemon has no AnsibleModule
        list(argv),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={**environment(), **(mark or {})},
        start_new_session=leads,
    )


def _scratch() -> int:
    """Return a file without a name, in memory where this Python can make one there (glibc 2.27)."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("xl")
    fd, path = tempfile.mkstemp()
    os.unlink(path)
    return fd


def environment() -> dict[str, str]:
    """Return this process' environment with English messages."""
    result = dict(os.environ)
    result.update(ENGLISH)
    return result


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")
