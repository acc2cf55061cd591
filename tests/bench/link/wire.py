# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wire that takes its time, between two network namespaces, for kernels without netem.

``python -m ...wire NEAR FAR NEAR_ADDRESS FAR_ADDRESS DELAY_S`` makes a TUN device in each namespace, says ``up`` and
passes packets from one to the other, each so many seconds after it came. It ends with its standard input.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

# linux/if_tun.h, linux/sched.h
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
DEVICE = "wire0"
_MOST = 65536


def _device(namespace: str, address: str) -> int:
    """Make the device in a namespace; return its descriptor, which stays with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as there:
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    for words in (
        ("address", "add", f"{address}/30", "dev", DEVICE),
        ("link", "set", DEVICE, "up", "txqueuelen", "5000"),
        ("link", "set", "lo", "up"),
    ):
        subprocess.run(["ip", *words], check=True)
    return descriptor


def main() -> None:
    """Pass packets until standard input ends."""
    near, far, near_address, far_address, delay_s = sys.argv[1:]
    ends = (_device(near, near_address), _device(far, far_address))
    other, delay = {ends[0]: ends[1], ends[1]: ends[0]}, float(delay_s)
    waiting: collections.deque[tuple[float, int, bytes]] = collections.deque()
    poll = select.epoll()
    for descriptor in (*ends, 0):
        poll.register(descriptor, select.EPOLLIN)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        wait = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
        for descriptor, dummy in poll.poll(wait):
            if descriptor == 0:
                return
            _take(descriptor, other[descriptor], time.monotonic() + delay, waiting)
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            dummy_at, target, packet = waiting.popleft()
            # As a switch does whose buffer is full.
            with contextlib.suppress(BlockingIOError):
                os.write(target, packet)


def _take(source: int, target: int, due: float, waiting: collections.deque[tuple[float, int, bytes]]) -> None:
    for _dummy in range(64):
        try:
            waiting.append((due, target, os.read(source, _MOST)))
        except BlockingIOError:
            return


if __name__ == "__main__":
    main()
