# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``libxl-save-helper``: owns the stream's descriptor while memory is written or read (libxl_save_helper.c)."""

from __future__ import annotations

import array
import errno
import os
import signal
import sys

from ..faults import Faults
from ..machine.client import Machine, NoMachine
from ..machine.domain import SUSPEND, HypercallError
from ..paths import HostPaths
from ..settings import Settings
from ..stream.layout import Layout
from ..stream.replay import Replay
from ..stream.restore import Restore, RestoreFailed, Truncated
from ..stream.save import Output, Save, SaveFailed
from ..title import show
from . import log
from .ipc import Parent

PATH = "/usr/lib/xen-4.17/bin/libxl-save-helper"
#: libxl_internal.h and xenctrl.h: XCFLAGS_LIVE, XCFLAGS_DEBUG.
LIVE, DEBUG = 1, 2
#: What a guest has whose stream was only replayed.
_LEAST_PAGES = 64


class Domain:
    """The domain to save, through the hypervisor."""

    def __init__(self, machine: Machine, parent: Parent, domid: int, settings: Settings) -> None:
        self._machine = machine
        self._parent = parent
        self._domid = domid
        self._settings = settings
        info = next(info for info in machine.call("list") if info["domid"] == domid)
        memory = machine.call("memory", domid=domid)
        self.kind: str = info["kind"]
        self.vcpus: int = info["vcpus"]
        self.xen = (settings.xen_major, settings.xen_minor)
        self.khz = settings.cpu_khz
        self.tag: int = memory["tag"]
        self.layout = Layout(tuple((first, end) for first, end in memory["ranges"]), memory["p2m_size"])

    def pages(self, pfns: list[int]) -> tuple[array.array[int], bytes]:
        """Return versions, and the guest's state when its page is among them."""
        answer = self._machine.call("pages", domid=self._domid, pfns=pfns)
        versions = array.array("I")
        versions.frombytes(bytes.fromhex(answer["versions"]))
        return versions, (answer["state"] or "").encode()

    def log_dirty(self, enable: bool) -> None:
        """Switch log-dirty mode; PV guests need shadow paging for it."""
        if enable and self.kind == "pv" and not self._settings.shadow:
            raise SaveFailed("Failed to enable logdirty: 95,22,0")
        self._machine.call("log_dirty", domid=self._domid, enable=enable)

    def clean(self) -> list[int]:
        """Return the pages written since the last time."""
        return list(self._machine.call("clean", domid=self._domid))

    def suspend(self) -> None:
        """Let xl suspend the guest, and look whether it did."""
        if not self._parent.ask("suspend"):
            raise SaveFailed("save callback suspend() failed: 0")
        info = next((i for i in self._machine.call("list") if i["domid"] == self._domid), None)
        if info is None or not info["shutdown"] or info["reason"] != SUSPEND:
            shutdown, reason = (int(info["shutdown"]), info["reason"]) if info else (0, 0)
            raise SaveFailed(f"Domain has not been suspended: shutdown {shutdown}, reason {reason}")


class Helper:
    """One run of the helper."""

    def __init__(self) -> None:
        self._paths = HostPaths.from_environment()
        self._machine = Machine(self._paths.hypercall_socket)
        self._faults = Faults(self._paths, lambda: self._machine.call("power_loss"))
        self._parent = Parent()
        self._settings = Settings.load(self._paths.settings)

    def _say(self, level: int, text: str, error: int = 0) -> None:
        self._parent.log(level, text, error)

    def _complete(self, result: int, error: int) -> None:
        self._parent.complete(result, error)

    def save(self, descriptor: int, domid: int, flags: int) -> None:
        """Save a domain. SIGTERM makes the next write fail; SIGPIPE kills."""
        unwritable = os.open("/dev/null", os.O_RDONLY)

        def stop(*dummy: object) -> None:
            os.dup2(unwritable, descriptor)
            self._parent.interrupted()

        signal.signal(signal.SIGTERM, stop)
        position = self._faults.position("save.byte")

        def before(start: int, size: int) -> int:
            if position is None or start + size < position:
                return size
            if start < position:
                return position - start
            self._faults.hit("save.byte")
            return size

        try:
            domain = Domain(self._machine, self._parent, domid, self._settings)
            self._say(log.INFO, f"Saving domain {domid}, type {'x86 PV' if domain.kind == 'pv' else 'x86 HVM'}")
            if self._settings.replay:
                Replay.load(self._settings.replay).write(descriptor, domain.suspend)
                self._complete(0, 0)
                return
            output = Output(descriptor, self._settings.save_rate, before)
            run = Save(domain, output, bool(flags & LIVE), bool(flags & DEBUG), lambda at: self._passed("save", at))
            run.run()
        except SaveFailed as exc:
            self._say(log.ERROR, str(exc))
            self._failed("Save failed", errno.EINVAL)
        except (HypercallError, StopIteration):
            self._failed("Save failed", errno.ESRCH)
        except OSError as exc:
            self._failed("Save failed", exc.errno or errno.EIO)
        else:
            self._complete(0, 0)

    def _failed(self, text: str, error: int) -> None:
        self._say(log.ERROR, f"{text} ({error} = {os.strerror(error)})")
        self._complete(1, error)

    def _passed(self, what: str, at: str) -> None:
        self._faults.hit(f"{what}.{at}")

    def restore(self, descriptor: int, domid: int) -> None:
        """Restore a domain."""
        position = self._faults.position("restore.byte")

        def passed(at: int) -> None:
            if position is not None and at >= position:
                self._faults.hit("restore.byte")

        def populate(pages: int) -> None:
            self._machine.call("populate", domid=domid, pages=pages)

        if self._settings.replay:
            self._replayed(descriptor, domid)
            return
        run = Restore(descriptor, populate, passed)
        try:
            run.headers()
            guest = "PV" if run.kind == "pv" else "HVM"
            self._say(log.INFO, f"Found x86 {guest} domain from Xen {run.xen[0]}.{run.xen[1]}")
            self._say(log.INFO, "Restoring domain")
            found = run.run()
            self._passed("restore", "memory")
            self._machine.call(
                "restore",
                domid=domid,
                ranges=found.layout.ranges,
                p2m_size=found.layout.p2m_size,
                versions=found.versions.tobytes().hex(),
                state=found.state,
                intact=found.intact,
            )
        except Truncated as exc:
            self._say(log.ERROR, str(exc))
            self._failed("Restore failed", 0)
        except RestoreFailed as exc:
            self._say(log.ERROR, str(exc))
            self._failed("Restore failed", errno.EINVAL)
        except HypercallError as exc:
            number = errno.ENOMEM if exc.name == "ENOMEM" else errno.ESRCH
            self._say(log.ERROR, f"Failed to populate physmap ({number} = {os.strerror(number)})")
            self._failed("Restore failed", number)
        except OSError as exc:
            self._failed("Restore failed", exc.errno or errno.EIO)
        else:
            self._say(log.INFO, "Restore successful")
            self._say(log.INFO, "XenStore: mfn 0xfeffc, dom 0, evt 1")
            self._say(log.INFO, "Console: mfn 0xfefff, dom 0, evt 2")
            self._complete(0, 0)

    def _replayed(self, descriptor: int, domid: int) -> None:
        if not Replay.load(self._settings.replay).read(descriptor):
            self._failed("Restore failed", 0)
            return
        pages = _LEAST_PAGES
        self._machine.call("populate", domid=domid, pages=pages)
        versions, ranges = bytes(4 * pages).hex(), [[0, pages]]
        self._machine.call(
            "restore", domid=domid, ranges=ranges, p2m_size=pages, versions=versions, state=None, intact=False
        )
        self._complete(0, 0)


def main() -> None:
    """Run with libxl's arguments: mode, stream descriptor, back channel, domid, then numbers of the mode."""
    show(PATH)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    mode, stream, dummy, domid, *numbers = sys.argv[1:]
    try:
        if mode == "--save-domain":
            Helper().save(int(stream), int(domid), int(numbers[0]))
        elif mode == "--restore-domain":
            Helper().restore(int(stream), int(domid))
        else:
            raise SystemExit(f"unexpected mode argument {mode}")
    except (NoMachine, BrokenPipeError):
        os._exit(255)
