# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of xl that this collection uses (private to the collection)."""

from __future__ import annotations

import shutil
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import (
    DomainMissing,
    NotRoot,
    NotXen,
    XlFailed,
    XlMissing,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import (
    DomainConfiguration,
    Share,
    Vcpu,
    XenInfo,
    parse_configuration,
    parse_configurations,
    parse_domains,
    parse_info,
    parse_share,
    parse_vcpus,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import SYSTEM_PATH, CommandResult, Runner

# libxl_ctx_alloc (tools/libs/light/libxl.c) and, before it, Debian's /usr/lib/xen-common/bin/xen-utils-wrapper.
_NO_HYPERVISOR = (
    "cannot open libxc handle",
    "cannot init xl context",
    "Can't find hypervisor information",
    "Can't read hypervisor type",
    "Hypervisor is not xen",
)
# tools/xl/xl_utils.c find_domain; tools/xl/xl_info.c main_list.
_NO_DOMAIN = ("is an invalid domain identifier", "does not exist", "No such process")
# The schedulers that give domains weights (tools/xl/xl_cmdtable.c has a command for each).
WEIGHING = ("credit", "credit2")
_LIBXL_ERROR = "libxl: error:"


class Xl:
    """Runs xl and gives back dataclasses. Domains are named by domid wherever something is changed.

    All methods raise XlMissing, NotXen, NotRoot, or XlFailed.
    """

    def __init__(self, run: Runner, binary: str = "xl") -> None:
        self._run = run
        self.binary = binary if "/" in binary else find_binary(binary)

    def info(self) -> XenInfo:
        """Return version, capabilities and memory (``xl info``)."""
        return parse_info(self._ask("info"))

    def domains(self) -> tuple[DomainRow, ...]:
        """Return all domains with UUID and state, dom0 included (``xl list -v``)."""
        return parse_domains(self._ask("list", "-v"))

    def configurations(self, domain: int | str | None = None) -> tuple[DomainConfiguration, ...]:
        """Return the configuration of one domain, by domid or name, or of all (``xl list -l``).

        It is what ``xl migrate`` would send (libxl_retrieve_domain_configuration). Domains that libxl has no
        configuration for are left out. Raises DomainMissing when the domain that was named is not there.
        """
        return parse_configurations(self._ask("list", "-l", *([] if domain is None else [str(domain)])))

    def vcpus(self, domid: int) -> tuple[Vcpu, ...]:
        """Return the domain's virtual processors (``xl vcpu-list``)."""
        return parse_vcpus(self._ask("vcpu-list", str(domid)))

    def share(self, domid: int, scheduler: str) -> Share:
        """Return the domain's share of the processors; ``scheduler`` is one of :data:`WEIGHING`."""
        return parse_share(self._ask(f"sched-{scheduler}", "-d", str(domid)))

    def rename(self, domid: int, name: str) -> None:
        """Give the domain another name; refused by libxl when the name is taken (libxl__domain_rename)."""
        self._ask("rename", str(domid), name)

    def pause(self, domid: int) -> None:
        """Pause the domain. Pauses nest: look at the state afterwards."""
        self._do("pause", str(domid))

    def unpause(self, domid: int) -> None:
        """Take away one pause. Pauses nest: look at the state afterwards."""
        self._do("unpause", str(domid))

    def destroy(self, domid: int) -> None:
        """Destroy the domain. Success does not say that it is gone: look again until its domid is absent."""
        self._ask("destroy", str(domid))

    def resume(self, domid: int) -> None:
        """Resume a suspended domain, from Xen 4.20 on (tools/xl/xl_vmcontrol.c main_resume, which returns 0 always)."""
        self._do("resume", str(domid))

    def save_and_resume_argv(self, domid: int) -> list[str]:
        """Return the command that saves a domain to nowhere and resumes it; without ``-c`` it would destroy it."""
        return [self.binary, "save", "-c", str(domid), "/dev/null"]

    def save_paused_argv(self, domid: int, path: str, config: str = "") -> list[str]:
        """Return the command that saves a domain and leaves it paused; its exit status does not say that it is.

        Where a file ``config`` is given xl writes what that describes, in place of the domain's own configuration.
        """
        return [self.binary, "save", "-p", str(domid), path, *([config] if config else [])]

    def restore_paused_argv(self, path: str) -> list[str]:
        """Return the command that makes a domain of what ``xl save`` has written, and leaves it paused."""
        return [self.binary, "restore", "-p", path]

    def migrate_argv(self, domid: int, transport_command: str, config: str = "") -> list[str]:
        """Return the command that sends a domain through ``sh -c transport_command`` (tools/xl/xl_migrate.c).

        With an empty ``-s`` xl adds nothing to the command and passes none of its own flags to the receiving xl. Where
        a file ``config`` is given xl sends what that describes, in place of the domain's own configuration.
        """
        return [self.binary, "migrate", "-s", "", *(["-C", config] if config else []), str(domid), transport_command]

    def receive_argv(self, leave_paused: bool = False) -> list[str]:
        """Return the command of the receiving side, which speaks the protocol on its stdin and stdout.

        With ``leave_paused`` it gives the domain its name and does not unpause it (tools/xl/xl_migrate.c
        migrate_receive), and reports that as a success.
        """
        return [self.binary, "migrate-receive", *(["-p"] if leave_paused else [])]

    def shutdown_argv(self, domid: int) -> list[str]:
        """Return the command that asks the guest to shut down, an HVM guest without drivers for Xen by its ACPI button.

        It fails when the guest has not agreed within 60 s, and leaves its request where it is
        (tools/libs/light/libxl_domain.c libxl__domain_pvcontrol, pvcontrol_cb).
        """
        return [self.binary, "shutdown", "-F", str(domid)]

    def create_argv(self, path: str, *, paused: bool = False) -> list[str]:
        """Return the command that makes a domain from a configuration file; it leaves a process that watches it."""
        return [self.binary, "create", "-q", *(["-p"] if paused else []), path]

    def create(self, path: str, *, paused: bool = False, run: Runner | None = None) -> None:
        """Make a domain from a configuration file; ``run`` in place of a runner that has a limit."""
        self._result(self.create_argv(path, paused=paused)[1:], run)

    def understood(self, path: str) -> t.Mapping[str, t.Any]:
        """Return what xl makes of a configuration file, as a configuration of ``xl list -l``; nothing is made of it."""
        return parse_configuration(self._ask("create", "-q", "-n", path))

    def _do(self, *arguments: str) -> None:
        """Run a command whose exit status is 0 whatever happened (tools/xl/xl_vmcontrol.c pause_domain)."""
        result = self._result(arguments)
        if _LIBXL_ERROR in result.stderr:
            raise failure([self.binary, *arguments], result)

    def _ask(self, *arguments: str) -> str:
        return self._result(arguments).stdout

    def _result(self, arguments: t.Sequence[str], run: Runner | None = None) -> CommandResult:
        argv = [self.binary, *arguments]
        try:
            result = (run or self._run)(argv)
        except FileNotFoundError as exc:
            raise XlMissing("there is no xl on this host.") from exc
        except PermissionError as exc:
            raise NotRoot(f"this user may not run {self.binary}.") from exc
        except OSError as exc:
            # No memory or no process to be had: a caller that watches over a domain must be able to go on.
            raise XlFailed(f"{self.binary} could not be started: {exc.strerror}", cmd=argv, rc=-1) from exc
        if result.rc != 0:
            raise failure(argv, result)
        return result


def find_binary(name: str) -> str:
    """Return the path of a program, looked up in PATH and then in the usual system folders, or the bare name."""
    return shutil.which(name) or shutil.which(name, path=SYSTEM_PATH) or name


def failure(argv: t.Sequence[str], result: CommandResult) -> Exception:
    """Return the error that a failed command of xl means."""
    command = "xl " + " ".join(argv[1:])
    if result.rc == 127:  # Debian's wrapper: no tools of the version of Xen that runs.
        return XlMissing(f"xl cannot be run: {result.stderr.strip()}", stderr=result.stderr)
    if any(text in result.stderr for text in _NO_HYPERVISOR):
        if "Permission denied" in result.stderr or "Operation not permitted" in result.stderr:
            return NotRoot("xl may not open the hypervisor's interface.", stderr=result.stderr)
        return NotXen("xl cannot reach a Xen hypervisor.", stderr=result.stderr)
    details: dict[str, t.Any] = {"cmd": argv, "rc": result.rc, "stdout": result.stdout, "stderr": result.stderr}
    if any(text in result.stderr for text in _NO_DOMAIN):
        return DomainMissing(f"{command}: the domain does not exist.", **details)
    last = (result.stderr.strip().splitlines() or ["no message"])[-1]
    return XlFailed(f"{command} failed with exit status {result.rc}: {last}", **details)
