# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every command of one run of xl shares: the host, its machine, its faults, and the calls of libxl."""

from __future__ import annotations

import os
import time
import typing as t

from ..faults import Fault, Faults
from ..machine.client import Machine
from ..machine.domain import HypercallError, Json, target_fudge
from ..paths import HostPaths
from ..settings import Settings
from . import history, log
from .log import Exit, Log
from .store_client import StoreClient


class Session:
    """One run of xl."""

    def __init__(self, log_: Log) -> None:
        self.paths = HostPaths.from_environment()
        self.log = log_
        self.machine = Machine(self.paths.hypercall_socket)
        self.settings = Settings.load(self.paths.settings)
        self.faults = Faults(self.paths, lambda: self.machine.call("power_loss"))

    def say(self, text: str) -> None:
        """Print a line of xl's own on standard error."""
        self.log.line(text)

    def fail(self, text: str, status: int = 1) -> t.NoReturn:
        """Print a line and end."""
        self.say(text)
        raise Exit(status)

    def hit(self, point: str) -> Fault | None:
        """Pass a fault point."""
        return self.faults.hit(point)

    def store(self) -> StoreClient:
        """Open a connection to XenStore."""
        return StoreClient(self.paths.store_socket)

    def reconnect(self) -> None:
        """Use connections of its own, after a fork."""
        self.machine = Machine(self.paths.hypercall_socket)
        self.faults = Faults(self.paths, lambda: self.machine.call("power_loss"))

    # -- libxl -----------------------------------------------------------------------------------------------------

    def domains(self) -> list[Json]:
        """Return all domains (libxl_list_domain)."""
        return list(self.machine.call("list"))

    def domain(self, domid: int) -> Json | None:
        """Return a domain, None when there is none."""
        return next((info for info in self.domains() if info["domid"] == domid), None)

    def find(self, text: str) -> int:
        """Return the domid of a name or number (xl_utils.c find_domain). A number is not looked up."""
        if text.isascii() and text.isdigit() or not text:
            return int(text or 0)
        for info in self.domains():
            if info["name"] == text:
                return int(info["domid"])
        self.fail(f"{text} is an invalid domain identifier (rc={log.RC_INVAL})")

    def name(self, domid: int) -> str | None:
        """Return a domain's name, None when there is none."""
        info = self.domain(domid)
        return info["name"] if info else None

    def configuration(self, domid: int) -> Json | None:
        """Return a domain's configuration as it is now (libxl_retrieve_domain_configuration), None on failure."""
        try:
            config: Json = self.machine.call("config", domid=domid)
        except HypercallError:
            return None
        store = self.store()
        try:
            base = f"/local/domain/{domid}"
            config["c_info"]["name"] = store.read(f"{base}/name") or config["c_info"]["name"]
            target = store.read(f"{base}/memory/target")
            if target is not None:
                config["b_info"]["target_memkb"] = int(target) + target_fudge(config)
        finally:
            store.close()
        return config

    def rename(self, domid: int, old: str | None, new: str) -> int:
        """Rename a domain (libxl_domain_rename)."""
        try:
            self.machine.call("rename", domid=domid, old=old, new=new)
        except HypercallError as exc:
            where = "libxl_domain.c:81:libxl__domain_rename"
            if exc.name == "EEXIST":
                self.log.libxl(log.ERROR, where, f'Domain with name "{new}" already exists.', domid)
                return log.RC_INVAL
            text = f"Allegedly named `{old}' is actually named `{exc.text}' - racing ?"
            self.log.libxl(log.ERROR, "libxl_domain.c:101:libxl__domain_rename", text, domid)
            return log.RC_FAIL
        return 0

    def pause(self, domid: int) -> int:
        """Pause a domain (libxl_domain_pause)."""
        return self._simple("pause", domid, "libxl_domain.c:587:libxl_domain_pause", "Pausing domain")

    def unpause(self, domid: int) -> int:
        """Unpause a domain (libxl_domain_unpause)."""
        return self._simple("unpause", domid, "libxl_domain.c:688:domain_unpause_done", "Unpausing domain")

    def _simple(self, operation: str, domid: int, where: str, text: str) -> int:
        try:
            self.machine.call(operation, domid=domid)
        except HypercallError as exc:
            self.log.libxl(log.ERROR, where, text, domid, _TEXTS.get(exc.name, exc.name))
            return log.RC_FAIL
        return 0

    def resume(self, domid: int) -> int:
        """Resume a suspended domain (libxl_domain_resume with suspend_cancel)."""
        kind = (self.domain(domid) or {}).get("kind", "")
        try:
            self.machine.call("resume", domid=domid, anew=self.settings.resumes_anew(kind))
        except HypercallError as exc:
            if exc.name == "EINVAL":
                shutdown, reason = exc.text.split()
                self.log.libxc(log.ERROR, f"Dom {domid} not suspended: (shutdown {shutdown}, reason {reason})")
            where = "libxl_dom_suspend.c:666:domain_resume_done"
            self.log.libxl(log.ERROR, where, "xc_domain_resume failed", domid, _TEXTS.get(exc.name, exc.name))
            return log.RC_FAIL
        store = self.store()
        try:
            store.resume(domid)
        finally:
            store.close()
        return 0

    def destroy(self, domid: int) -> int:
        """Destroy a domain (libxl_domain_destroy)."""
        if self.domain(domid) is None:
            self.log.libxl(log.ERROR, "libxl_domain.c:1183:libxl__destroy_domid", "Non-existant domain", domid)
            self.log.libxl(log.ERROR, "libxl_domain.c:1137:domain_destroy_callback", "Unable to destroy guest", domid)
            self.log.libxl(log.ERROR, "libxl_domain.c:1064:domain_destroy_cb", "Destruction of domain failed", domid)
            return log.RC_DOMAIN_NOTFOUND
        time.sleep(self.settings.destroy_s)
        if self.settings.gives_domids:
            history.mark(self.paths, domid)
        try:
            self.machine.call("destroy", domid=domid)
        except HypercallError:
            return log.RC_FAIL
        return 0

    # -- whole messages --------------------------------------------------------------------------------------------

    def read_exactly(self, descriptor: int, size: int, source: str, what: str) -> bytes | None:
        """Read a number of bytes (libxl_read_exactly); None after saying why not."""
        data = b""
        while len(data) < size:
            try:
                more = os.read(descriptor, size - len(data))
            except OSError as exc:
                text = f"failed to read {what} from {source}"
                self.log.libxl(log.ERROR, "libxl_utils.c:505:libxl_read_exactly", text, error=exc.strerror)
                return None
            if not more:
                text = f"file/stream truncated reading {what} from {source}"
                self.log.libxl(log.ERROR, "libxl_utils.c:505:libxl_read_exactly", text)
                return None
            data += more
        return data

    def write_exactly(self, descriptor: int, data: bytes, source: str, what: str) -> str | None:
        """Write bytes (libxl_write_exactly); returns the error's text after saying it."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(descriptor, view) :]
            except OSError as exc:
                text = f"failed to write {what} from {source}"
                self.log.libxl(log.ERROR, "libxl_utils.c:506:libxl_write_exactly", text, error=exc.strerror)
                return exc.strerror
        return None


_TEXTS = {"ESRCH": "No such process", "EINVAL": "Invalid argument"}
