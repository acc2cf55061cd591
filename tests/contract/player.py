# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays one end of an ``xl`` migration by a script; runs on the host, with nothing but Python 3.8.

``player.py SCRIPT RESULT`` is the command of ``xl migrate -s ''`` and plays the destination.
``player.py SCRIPT RESULT -- xl migrate-receive ...`` starts that command and plays the source.

The script is a JSON list of steps, each an object with ``do`` and what it needs. The result is a JSON object: ``steps``
holds one object for each step done, ``error`` why it stopped early, ``status`` and ``stderr`` how the command ended.
"""

from __future__ import annotations

import contextlib
import json
import operator
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import typing as t

# Evaluated when the module is loaded, so in the way of Python 3.8.
Step = t.Dict[str, t.Any]  # noqa: UP006


class Stopped(Exception):
    """A step could not be done; the script ends here."""


class Player:
    """Does steps on two descriptors: what the other end writes, and what it reads."""

    def __init__(self, receive: int, send: int, process: subprocess.Popen[bytes] | None) -> None:
        self.receive = receive
        self.send = send
        self.process = process
        self.total = 0
        self.position = 0

    def read(self, size: int) -> bytes:
        parts = []
        while size:
            data = os.read(self.receive, min(size, 1 << 20))
            if not data:
                raise Stopped(f"end of file, {size} bytes missing")
            self.total += len(data)
            size -= len(data)
            parts.append(data)
        return b"".join(parts)

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.send, view) :]
            except OSError as exc:
                raise Stopped(f"write: {exc.strerror}") from None

    # -- steps -----------------------------------------------------------------------------------------------------

    def do_send(self, hex: str) -> Step:  # noqa: A002
        self.write(bytes.fromhex(hex))
        return {}

    def do_send_file(self, path: str, bytes: int = -1) -> Step:  # noqa: A002
        """Send a file from where the last time ended, whole or a number of bytes of it."""
        sent = 0
        with open(path, "rb") as file:
            file.seek(self.position)
            while bytes < 0 or sent < bytes:
                data = file.read(1 << 20 if bytes < 0 else min(1 << 20, bytes - sent))
                if not data:
                    break
                self.write(data)
                sent += len(data)
        self.position += sent
        return {"bytes": sent}

    def do_read(self, bytes: int) -> Step:  # noqa: A002
        return {"hex": self.read(bytes).hex()}

    def do_header(self) -> Step:
        """Read xl's header and the configuration."""
        magic, order, mandatory, optional, length = struct.unpack("<32s4I", self.read(48))
        data = self.read(length)
        (size,) = struct.unpack_from("<I", data)
        return {
            "magic": magic.hex(), "order": order, "mandatory": mandatory, "optional": optional, "length": length,
            "config_length": size, "config": data[4:].decode(),
        }  # fmt: skip

    def do_stream(self) -> Step:
        """Read the libxl stream up to and with its END record, and say what it was made of."""
        return Stream(self.read).walk()

    def do_take(self, bytes: int) -> Step:  # noqa: A002
        """Read a number of bytes, and forget them."""
        left = bytes
        while left:
            left -= len(self.read(min(left, 1 << 20)))
        return {}

    def do_silence(self, seconds: float) -> Step:
        """Look whether anything comes within a time."""
        ready = select.select([self.receive], [], [], seconds)[0]
        return {"silent": not ready}

    def do_rest(self) -> Step:
        """Read until the other end closes."""
        count, first = 0, b""
        while True:
            data = os.read(self.receive, 1 << 20)
            if not data:
                return {"bytes": count, "hex": first.hex()}
            count += len(data)
            first = (first + data)[:256]

    def do_close(self, what: str) -> Step:
        """Close ``send`` or ``receive``."""
        os.close(self.send if what == "send" else self.receive)
        return {}

    def do_run(self, argv: list[str]) -> Step:
        """Run a command on the host at this moment."""
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return {"status": done.returncode, "output": done.stdout.decode(errors="replace")}

    def do_wait(self, seconds: float) -> Step:
        time.sleep(seconds)
        return {}

    def do_terminate_helper(self) -> Step:
        """Send SIGTERM to the save helper of the xl that runs this, and read on until it closes the stream."""
        found = children_of(os.getppid(), b"libxl-save-helper")
        for pid in [number for number, line in found]:
            os.kill(pid, signal.SIGTERM)
        return {"helpers": [line for dummy, line in found], **self.do_rest()}

    def do_kill(self, whom: str) -> Step:
        """Kill with SIGKILL: ``me``, ``parent``, or the ``command``."""
        if whom == "command" and self.process is not None:
            self.process.kill()
            return {}
        os.kill(os.getpid() if whom == "me" else os.getppid(), signal.SIGKILL)
        return {}

    def do_bridge(self, listen: int | None = None, connect: list[t.Any] | None = None) -> Step:
        """Carry everything over TCP to another player, both ways, until both ways have ended."""
        if connect is not None:
            peer = connect_within(str(connect[0]), int(connect[1]), 60.0)
        else:
            server = socket.create_server(("0.0.0.0", int(listen or 0)))  # noqa: S104
            peer, dummy = server.accept()
            server.close()
        there = threading.Thread(target=self._forward, args=(self.receive, peer.sendall, lambda: half_close(peer)))
        there.start()
        self._forward(peer.fileno(), self.write, lambda: os.close(self.send))
        there.join()
        return {}

    def _forward(self, source: int, sink: t.Callable[[bytes], None], end: t.Callable[[], None]) -> None:
        try:
            while True:
                data = os.read(source, 1 << 20)
                if not data:
                    break
                sink(data)
        except (OSError, Stopped):
            pass
        end()

    def do_wait_exit(self, seconds: float) -> Step:
        """Wait for the command to end."""
        if self.process is None:
            raise Stopped("there is no command")
        return {"status": self.process.wait(seconds)}


class Stream:
    """Walks the records of a libxl stream (docs/specs/libxl-migration-stream.pandoc), and sums up."""

    def __init__(self, read: t.Callable[[int], bytes]) -> None:
        self._read = read
        self._records: list[str] = []
        self._batches: list[dict[str, int]] = []
        self._count = 0

    def _take(self, size: int) -> bytes:
        self._count += size
        return self._read(size)

    def walk(self) -> Step:
        ident, version, options = struct.unpack(">QII", self._take(16))
        summary: Step = {"ident": ident, "version": version, "options": options}
        while True:
            kind, dummy = self._record()
            self._records.append(f"libxl {kind}")
            if kind == 1:
                summary.update(self._libxc())
            if kind == 0:
                break
        summary.update(records=self._records, rounds=self._rounds(), bytes=self._count)
        return summary

    def _record(self) -> tuple[int, bytes]:
        kind, length = struct.unpack("<II", self._take(8))
        body = self._take(length + -length % 8)
        if any(body[length:]):
            raise Stopped(f"padding of record {kind:#x} is not zero")
        return kind, body[:length]

    def _libxc(self) -> Step:
        marker, ident, version, options, dummy1, dummy2 = struct.unpack(">QIIHHI", self._take(24))
        kind, shift, dummy3, major, minor = struct.unpack("<IHHII", self._take(16))
        while True:
            record, body = self._record()
            if record == 1:
                self._pages(body)
            else:
                self._records.append(f"libxc {record:#x}")
            if record == 0:
                return {"libxc_version": version, "guest": kind, "xen": [major, minor], "page_shift": shift}

    def _pages(self, body: bytes) -> None:
        (count,) = struct.unpack_from("<I", body)
        entries = struct.unpack_from(f"<{count}Q", body, 8)
        pfns = [entry & ((1 << 52) - 1) for entry in entries]
        data = sum(1 for entry in entries if entry >> 60 not in (13, 14, 15))
        if len(body) != 8 + 8 * count + 4096 * data or count > 1024 or not all(map(operator.lt, pfns, pfns[1:])):
            raise Stopped(f"bad PAGE_DATA: {count} entries, {data} with data, {len(body)} bytes")
        if not self._records or self._records[-1] != "pages":
            self._records.append("pages")
        self._batches.append({"count": count, "data": data, "first": pfns[0], "last": pfns[-1]})

    def _rounds(self) -> list[dict[str, int]]:
        rounds: list[dict[str, int]] = []
        last, short = -1, True
        for batch in self._batches:
            if short or batch["first"] <= last:
                rounds.append({"entries": 0, "data": 0})
            rounds[-1]["entries"] += batch["count"]
            rounds[-1]["data"] += batch["data"]
            last, short = batch["last"], batch["count"] < 1024
        return rounds


def children_of(parent: int, word: bytes) -> list[tuple[int, str]]:
    """Return pid and command line of the children of a process whose program's name ends in a word."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                above = int(file.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{entry}/cmdline", "rb") as binary:
                line = binary.read()
        except (OSError, ValueError, IndexError):
            continue
        if above == parent and line.split(b"\0")[0].endswith(word):
            found.append((int(entry), line.replace(b"\0", b" ").decode()))
    return found


def connect_within(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to a listener that may not be there yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection((host, port))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def half_close(peer: socket.socket) -> None:
    """Say that nothing more will be sent."""
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_WR)


def play(player: Player, script: list[Step], result: Step) -> None:
    """Do all steps, or as many as can be done."""
    for step in script:
        name = step.pop("do")
        started = time.monotonic()
        try:
            outcome = getattr(player, "do_" + name)(**step)
        except (Stopped, OSError, subprocess.TimeoutExpired, struct.error) as exc:
            result["error"] = f"{name}: {exc}"
            return
        result["steps"].append({"do": name, "seconds": round(time.monotonic() - started, 3), **outcome})


def main(arguments: list[str]) -> int:
    """Play a script; the result is written in one go at the end."""
    with open(arguments[0]) as file:
        script = json.load(file)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    result: Step = {"steps": [], "error": None, "status": None, "stderr": ""}
    process = None
    if arguments[2:]:
        with open(arguments[1] + ".stderr", "wb") as errors:
            process = subprocess.Popen(arguments[3:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        if process.stdin is None or process.stdout is None:
            return 1
        player = Player(os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()), process)
        process.stdin.close()
        process.stdout.close()
    else:
        player = Player(0, 1, None)
    play(player, script, result)
    if process is not None:
        for descriptor in (player.send, player.receive):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        try:
            result["status"] = process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            result["error"] = (result["error"] or "") + " the command did not end"
        with open(arguments[1] + ".stderr", "rb") as written:
            result["stderr"] = written.read().decode(errors="replace")
    part = arguments[1] + ".part"
    with open(part, "w") as output:
        json.dump(result, output)
    os.rename(part, arguments[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
