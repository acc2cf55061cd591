# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real receiver, its xl, and everything that must be refused before a byte reaches that xl."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import stat
import struct
import time
import typing as t
from contextlib import ExitStack

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import Host

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    LinkError,
    LinkLost,
    PeerNotPinned,
    PeerRefused,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import MAX_DATA, Kind, encode_header
from ansible_collections.dom0.xen.plugins.module_utils._link.listener import GUEST_LIMIT
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

__all__ = ["make_site"]

MIB = 1 << 20
HEAD = streams.xl_header(streams.config())
IN_LIBXC = HEAD + streams.libxl_header() + streams.frame(1) + streams.libxc_headers(2)
CROWD, AT_ONCE = 10_000, 100


@pytest.fixture(name="host")
def one_host(make_site: MakeSite) -> Host:  # noqa: F811  # pytest finds fixtures by their names
    """A destination without any domain."""
    return make_site("xen2")["xen2"]


def refused(receiver: receiving.Running, code: str) -> dict[str, t.Any]:
    """The session ended with this error, on both sides, and the host has no copy of anything."""
    result = receiver.result()
    assert result["error"]["code"] == code, result["error"]
    assert receiver.host.run("xl", "list").stdout.count("\n") == 2
    return result


def config(**changes: t.Mapping[str, t.Any]) -> bytes:
    """The header of the guest with these fields changed."""
    content = json.loads(streams.config())
    for section, values in changes.items():
        content[section].update(values)
    return streams.xl_header(json.dumps(content).encode())


@pytest.mark.parametrize(
    "begin",
    [
        config(c_info={"uuid": "00000000-5c99-4441-b5fd-ac266d0e1ffe"}),
        config(c_info={"name": "another"}),
        config(b_info={"max_memkb": receiving.MEMORY_KIB + 1}),
        config(b_info={"target_memkb": receiving.MEMORY_KIB + 1}),
    ],
    ids=["uuid", "name", "memory", "target"],
)
def test_config_naming_another_domain(host: Host, begin: bytes) -> None:
    """It is refused by name, the sender learns why, and xl has got nothing, not even the header."""
    receiver = receiving.start(host)
    with receiving.sender(receiver) as link:
        link.send_data(begin + IN_LIBXC[len(HEAD) :])
        receiving.until(receiver, link, lambda: bool(receiver.arrived))
        assert receiver.arrived[0]["type"] == "failed"
        assert receiver.arrived[0]["failure"]["code"] == "another_domain"
    assert refused(receiver, "another_domain")["written_bytes"] == 0


@pytest.mark.parametrize(
    "record",
    [
        IN_LIBXC + struct.pack("<II", 9, (128 << 20) + 1),
        IN_LIBXC + struct.pack("<II", 1, 0x7FFFFFFF),
        IN_LIBXC + streams.frame(0) + struct.pack("<II", 3, 0xFFFFFFFF),
    ],
    ids=["libxc", "page data", "libxl"],
)
def test_oversized_record(host: Host, record: bytes) -> None:
    """A record longer than Xen's limit is refused by its header, before a byte of it came, in next to no memory."""
    receiver = receiving.start(host)
    before = receiver.resident()
    with receiving.sender(receiver) as link:
        link.send_data(record)
        receiving.until(receiver, link, lambda: bool(receiver.arrived))
        assert receiver.resident() - before < 8 * MIB
        assert receiver.arrived[0]["failure"]["code"] == "stream_record_too_long"
    refused(receiver, "stream_record_too_long")


@pytest.mark.parametrize(
    "frame",
    [
        encode_header(Kind.DATA, MAX_DATA + 1, 0),
        encode_header(Kind.DATA, 0xFFFFFFFF, 0),
        encode_header(Kind.MESSAGE, 0xFFFFFFFF, 0),
        encode_header(Kind.DATA, 1, 5) + b"x",
    ],
    ids=["data", "4 GiB", "message", "gap"],
)
def test_frame_that_breaks_the_rules(host: Host, frame: bytes) -> None:
    """It ends the session with its name, before memory was taken for it."""
    receiver = receiving.start(host)
    before = receiver.resident()
    with receiving.sender(receiver) as link:
        receiving.until(receiver, link, lambda: link.up)
        assert link.connection is not None
        link.connection.send(frame)
        with pytest.raises(LinkError):
            receiving.until(receiver, link, lambda: False)
        with contextlib.suppress(OSError):
            assert receiver.resident() - before < 8 * MIB
    assert refused(receiver, "link_frame")["written_bytes"] == 0


def test_permission_sent_by_the_sender(host: Host) -> None:
    """What follows the stream is no business of the sender's: the permission is written by the receiver, or never."""
    receiver = receiving.start(host)
    with receiving.sender(receiver) as link:
        link.send_data(IN_LIBXC + streams.frame(0) + streams.frame(0) + streams.GO)
        receiving.until(receiver, link, lambda: bool(receiver.arrived))
        assert receiver.arrived[0]["failure"]["code"] == "another_domain"
    refused(receiver, "another_domain")


def test_replayed_frame(host: Host) -> None:
    """A frame that is sent again, by whoever has the keys, reaches xl once."""
    receiver = receiving.start(host)
    with receiving.sender(receiver) as link:
        receiving.until(receiver, link, lambda: link.up)
        connection = link.connection
        assert connection is not None
        link.send_data(HEAD)
        for _dummy in range(3):
            connection.send(encode_header(Kind.DATA, len(HEAD), 0), HEAD)
        receiving.until(receiver, link, lambda: link.delivered)
        link.send_data(IN_LIBXC[len(HEAD) :])
        receiving.until(receiver, link, lambda: link.delivered)
        deadline = time.monotonic() + 10
        while receiver.status()["written_bytes"] < len(IN_LIBXC) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert receiver.status()["written_bytes"] == len(IN_LIBXC)
        link.send_message({"type": "failed", "failure": {"code": "enough"}})
        receiving.until(receiver, link, lambda: bool(receiver.arrived) or not link.up)
    receiver.result()


@pytest.mark.parametrize("who", ["receiver", "somebody"])
def test_wrong_certificates_and_another_session(host: Host, who: str) -> None:
    """They get nowhere, they are counted, and the session goes on waiting for its sender, who then gets in."""
    receiver = receiving.start(host)
    with receiving.sender(receiver, who) as link, pytest.raises(PeerNotPinned):
        receiving.until(receiver, link, lambda: False)
    with receiving.sender(receiver, session="f" * 16) as link, pytest.raises(PeerRefused, match="another session"):
        receiving.until(receiver, link, lambda: False)
    with receiving.sender(receiver) as link:
        receiving.until(receiver, link, lambda: link.up)
        with receiving.sender(receiver) as second, pytest.raises(PeerRefused, match="another process"):
            receiving.until(receiver, second, lambda: False)
        assert link.up
        link.send_message({"type": "failed", "failure": {"code": "enough"}})
        receiving.until(receiver, link, lambda: bool(receiver.arrived) or not link.up)
    assert receiver.result()["refused_connections"] == 3


def test_listens_on_one_address_while_the_session_lives(host: Host) -> None:
    """One socket, on the migration address alone; after the session nobody answers there."""
    receiver = receiving.start(host)
    assert receiver.listening() == {f"0100007F:{receiver.port:04X}"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", receiver.port), timeout=5)
    os.kill(receiver.pid, 15)
    receiver.result()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", receiver.port), timeout=5)


def test_session_folder_after_the_start(host: Host) -> None:
    """The key is gone from the disk as soon as TLS has it; what is left is for root alone and holds no secret."""
    receiver = receiving.start(host)
    for folder in (receiver.runtime, receiver.journal):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert not path.stat().st_mode & 0o077, path
    assert not {"key.pem", "certificate.pem"} & {path.name for path in receiver.runtime.iterdir()}
    secret = receiver.key.split(b"\n")[1]
    assert len(secret) > 60
    assert _holding(receiver.host.paths.root, secret) == []
    assert _holding(receiver.runtime, secret) == []
    for name in ("cmdline", "environ"):
        assert secret not in pathlib.Path(f"/proc/{receiver.pid}/{name}").read_bytes()
    os.kill(receiver.pid, 15)
    receiver.result()
    assert _holding(receiver.host.paths.root, secret) == []


def _holding(folder: pathlib.Path, secret: bytes) -> list[pathlib.Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_crowd_at_a_real_receiver(host: Host) -> None:
    """10,000 connections without a certificate: few descriptors, little memory, and the transfer goes on among them."""
    receiver = receiving.start(host)
    with receiving.sender(receiver) as link:
        receiving.until(receiver, link, lambda: link.up)
        link.send_data(IN_LIBXC + streams.records([streams.CPUID_POLICY, streams.MSR_POLICY, streams.STATIC_DATA_END]))
        receiving.until(receiver, link, lambda: link.delivered)
        base, memory = receiver.descriptors(), receiver.resident()
        most = largest = 0
        longest = 0.0
        for _dummy in range(CROWD // AT_ONCE):
            with ExitStack() as stack:
                for number in range(AT_ONCE):
                    sock = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port), timeout=30))
                    if number % 2:
                        sock.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
                started = time.monotonic()
                link.send_data(streams.page_data(streams.normal(range(4))))
                receiving.until(receiver, link, lambda: link.delivered)
                longest = max(longest, time.monotonic() - started)
                most = max(most, receiver.descriptors() - base)
                largest = max(largest, receiver.resident() - memory)
        assert most <= GUEST_LIMIT + 1
        assert largest < 16 * MIB
        assert longest < 5.0
        assert link.losses == 0
        link.send_message({"type": "failed", "failure": {"code": "enough"}})
        with contextlib.suppress(LinkLost):
            receiving.until(receiver, link, lambda: bool(receiver.arrived) or not link.up)
    assert receiver.result()["refused_connections"] >= CROWD - GUEST_LIMIT
