# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the link over loopback against bare TLS, as CPU seconds and wall clock. Run it as a module; no test.

``python -m ...measure [MIB]`` prints MiB/s of both, each side in a process of its own; ``profile`` as the second
argument prints where the link's sender and receiver spend their time instead.
"""

from __future__ import annotations

import cProfile
import multiprocessing
import os
import pstats
import selectors
import socket
import sys
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkLost
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.link import WINDOW, Link
from ansible_collections.dom0.xen.plugins.module_utils._link.listener import Listener
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback

PIECE = 256 * 1024


def cpu() -> float:
    """CPU seconds of this process."""
    spent = os.times()
    return spent.user + spent.system


def bare_receiver(listening: socket.socket, total: int, result: t.Any) -> None:
    """Receive ``total`` bytes with nothing but TLS."""
    peer = loopback.credentials("sender").certificate
    context = loopback.context(loopback.credentials("receiver"), server=True, peer=peer)
    with context.wrap_socket(listening.accept()[0], server_side=True) as sock:
        buffer, left, before = bytearray(PIECE), total, cpu()
        while left:
            left -= sock.recv_into(buffer)
        result.put(cpu() - before)
        sock.send(b"x")


def bare(total: int) -> tuple[float, float, float]:
    """Seconds, and CPU seconds of the sending and the receiving process."""
    result: t.Any = multiprocessing.Queue()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child = multiprocessing.Process(target=bare_receiver, args=(listening, total, result))
        child.start()
        peer = loopback.credentials("receiver").certificate
        context = loopback.context(loopback.credentials("sender"), server=False, peer=peer)
        with context.wrap_socket(socket.create_connection(listening.getsockname())) as sock:
            data, started, before = os.urandom(PIECE), time.monotonic(), cpu()
            for _dummy in range(total // PIECE):
                sock.sendall(data)
            sock.recv(1)
            seconds, spent = time.monotonic() - started, cpu() - before
        child.join()
    return seconds, spent, result.get()


def link_receiver(port: t.Any, total: int, result: t.Any, profiled: bool) -> None:
    """Receive ``total`` bytes over the link, using each frame at once."""
    clock = loopback.Clock()
    link, peer = Link(clock), loopback.credentials("sender").certificate
    listener = Listener(
        link,
        session=loopback.SESSION,
        address="127.0.0.1",
        ports=range(0, 1),
        cover=loopback.cover(loopback.credentials("receiver"), server=True, peer=peer),
        clock=clock,
    )
    port.put(listener.port)
    while not link.up:
        listener.accept()
        listener.progress()
        time.sleep(0.001)
    profile = cProfile.Profile()
    if profiled:
        profile.enable()
    left, before = total, cpu()
    while left:
        wait(link)
        for frame in link.progress():
            if frame.kind is Kind.DATA:
                left -= len(frame.payload)
            link.use(frame)
        link.acknowledge()
        link.tick()
    spent = cpu() - before
    if profiled:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(12)
    while link.up:
        # The last acknowledgement is still to leave; the sender then closes.
        wait(link)
        try:
            link.progress()
        except LinkLost:
            break
    result.put(spent)
    listener.close()


def wait(link: Link) -> None:
    """Wait as the session's loop does."""
    connection = link.connection
    if connection is None:
        raise RuntimeError("the link broke")
    with selectors.PollSelector() as selector:
        selector.register(connection.fileno(), connection.interest())
        selector.select(0.5)


def link(total: int, profiled: bool = False) -> tuple[float, float, float]:
    """Seconds, and CPU seconds of the sending and the receiving process."""
    port: t.Any = multiprocessing.Queue()
    result: t.Any = multiprocessing.Queue()
    child = multiprocessing.Process(target=link_receiver, args=(port, total, result, profiled))
    child.start()
    with loopback.Ends(window=WINDOW) as ends:
        ends.dialer._route = Direct("127.0.0.1", port.get())
        while not ends.near.up:
            ends.dialer.progress()
            time.sleep(0.001)
        data, left, started, before = os.urandom(PIECE), total, time.monotonic(), cpu()
        profile = cProfile.Profile()
        if profiled:
            profile.enable()
        while left or not ends.near.delivered:
            if left and not ends.near.full:
                ends.near.send_data(data)
                left -= PIECE
            else:
                wait(ends.near)
            for frame in ends.near.progress():
                ends.near.use(frame)
            ends.near.acknowledge()
            ends.near.tick()
        seconds, spent = time.monotonic() - started, cpu() - before
        if profiled:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(12)
    received = result.get()
    child.join()
    return seconds, spent, received


def main() -> None:
    """Print the best of five runs for each figure."""
    for who in ("sender", "receiver"):
        # Made before the processes part.
        loopback.credentials(who)
    total = int(sys.argv[1] if len(sys.argv) > 1 else 512) * 1024 * 1024
    if sys.argv[2:] == ["profile"]:
        link(total, profiled=True)
        return
    for name, measure in (("bare TLS", bare), ("link", link)):
        runs = [measure(total) for _dummy in range(5)]
        seconds, sending, receiving = (min(figures) for figures in zip(*runs, strict=True))
        rate = total / seconds / 1024 / 1024
        print(f"{name}: {rate:.0f} MiB/s, CPU {sending:.2f} s sending, {receiving:.2f} s receiving")


if __name__ == "__main__":
    main()
