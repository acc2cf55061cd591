# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what xl prints, and the files that it reads (private to the collection): pure, text in, dataclasses out.

Formats: tools/xl/xl_info.c (``print_info``, ``list_domains``, ``list_domains_details``), the same in Xen 4.14 to 4.22
except for fields that were added; tools/libs/util/libxlu_cfg_l.l for configuration files; tools/xl/xl.h
``struct save_file_header`` for images.
"""

from __future__ import annotations

import dataclasses
import json
import re
import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, DomainState
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import OutputNotUnderstood

# tools/xl/xl_info.c list_domains prints the numbers of enum libxl_shutdown_reason (libxl_types.idl) in hexadecimal.
SHUTDOWN_REASONS = {0: "poweroff", 1: "reboot", 2: "suspend", 3: "crash", 4: "watchdog", 5: "soft_reset"}
SHUTDOWN_LETTERS = {"-": "poweroff", "r": "reboot", "s": "suspend", "c": "crash", "w": "watchdog", "S": "soft_reset"}

# "%-40s %5d %5lu %5d     %c%c%c%c%c%c  %8.1f" and, with -v, " UUID %8x|%8s %16s". Names may hold spaces and digits.
_ROW = re.compile(
    r"^(?P<name>.*?) +(?P<domid>\d+) +(?P<memory>\d+) +(?P<vcpus>\d+) {5}"
    r"(?P<state>[r-][b-][p-][s-][-rscwS?][d-]) +(?P<time>\d+\.\d)"
    r"(?: (?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}) +(?P<reason>-|[0-9a-f]+)(?: +.*)?)?$"
)
_TITLE = re.compile(r"^Name +ID +Mem +VCPUs\s+State\s+Time\(s\)")

# tools/xl/xl_vcpu.c print_vcpuinfo: "%-32s %5u %5u", "%5u %3c%c- " or the same with dashes, "%9.1f  ", and two bitmaps.
_VCPU = re.compile(
    r"^(?P<name>.*?) +(?P<domid>\d+) +(?P<vcpu>\d+) +(?P<cpu>\d+|-) +(?P<state>[r-][b-][p-]) +(?P<time>\d+\.\d) +"
    r"(?P<hard>\S+) / (?P<soft>\S+)$"
)
# tools/xl/xl_sched.c sched_credit_domain_output, sched_credit2_domain_output: "%-33s %4d %6d %4d".
_SHARE = re.compile(r"^.*? +\d+ +(?P<weight>\d+) +(?P<cap>\d+)$")

# tools/xl/xl.c auto_autoballoon: off when the hypervisor's command line fixes dom0's memory.
_SIZE = r"-?[0-9]+[bBkKmMgGtT]?"
_DOM0_MEM = re.compile(r"(^| )dom0_mem=((|min:|max:)(" + _SIZE + r"|(" + _SIZE + r"\+)?[0-9]{1,2}%),?)+($| )")
_AUTOBALLOON = re.compile(r"^\s*autoballoon\s*=\s*[\"']?([A-Za-z0-9]+)[\"']?", re.MULTILINE)

# In bytes; a configuration with more than this is none that a person wrote.
CONFIG_MAX = 256 * 1024
# Comments, texts (which may hold what looks like a comment), words, and single characters.
CONFIG_TOKEN = re.compile(
    r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[A-Za-z_0-9.][A-Za-z_0-9.]*|\+=|[^ \t\r]"""
)
CONFIG_ESCAPE = re.compile(r"\\(.)")

_IMAGE_MAGIC = b"Xen saved domain, xl format\n \x00 \r"
_IMAGE_HEADER = struct.Struct("<32s4II")  # magic; byte order, two words of flags, length of what follows; of the JSON
IMAGE_HEAD_BYTES = 256 * 1024
"""How much of an image ``parse_image_identity`` wants to see; a configuration has a few KiB."""


@dataclasses.dataclass(frozen=True)
class XenInfo:
    """What ``xl info`` says of hypervisor and hardware; memory in MiB."""

    major: int
    minor: int
    extra: str
    caps: tuple[str, ...]
    virt_caps: tuple[str, ...]
    commandline: str
    cpus: int
    total_memory_mib: int
    free_memory_mib: int
    fields: t.Mapping[str, str]

    @property
    def version(self) -> str:
        """The version as Xen writes it, such as 4.17.7."""
        return f"{self.major}.{self.minor}{self.extra}"


@dataclasses.dataclass(frozen=True)
class DomainConfiguration:
    """One domain's configuration as libxl keeps it (``libxl_domain_config``, tools/libs/light/libxl_types.idl)."""

    domid: int
    config: t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Vcpu:
    """One line of ``xl vcpu-list``; ``hard`` and ``soft`` are the affinities as xl writes them, such as ``0-3``."""

    number: int
    online: bool
    time_s: float
    hard: str
    soft: str


@dataclasses.dataclass(frozen=True)
class Share:
    """What the scheduler gives a domain: its weight, and its cap in percent of a processor, 0 for none."""

    weight: int
    cap: int


def parse_info(text: str) -> XenInfo:
    """Read the output of ``xl info``.

    Raises OutputNotUnderstood when a field that every release prints is absent.
    """
    fields = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields[key.strip()] = value.strip()
    try:
        return XenInfo(
            major=int(fields["xen_major"]),
            minor=int(fields["xen_minor"]),
            extra=fields["xen_extra"],
            caps=tuple(fields["xen_caps"].split()),
            virt_caps=tuple(fields["virt_caps"].split()),
            commandline=fields["xen_commandline"],
            cpus=int(fields["nr_cpus"]),
            total_memory_mib=int(fields["total_memory"]),
            free_memory_mib=int(fields["free_memory"]),
            fields=fields,
        )
    except (KeyError, ValueError) as exc:
        raise OutputNotUnderstood(f"xl info printed no usable {exc}.", output=text) from exc


def parse_domains(text: str) -> tuple[DomainRow, ...]:
    """Read the table of ``xl list`` or ``xl list -v``; without ``-v`` the UUIDs are empty.

    A domain without a name, printed as ``(null)`` by xl while it is being torn down, has an empty name here.
    Raises OutputNotUnderstood for a line that is no row of the table.
    """
    lines = text.splitlines()
    if not lines or not _TITLE.match(lines[0]):
        raise OutputNotUnderstood("xl list printed no table.", output=text)
    return tuple(_row(line, text) for line in lines[1:] if line.strip())


def _row(line: str, text: str) -> DomainRow:
    match = _ROW.match(line)
    if match is None:
        raise OutputNotUnderstood(f"xl list printed a line that is not a domain: {line!r}.", output=text)
    name = match.group("name")
    return DomainRow(
        domid=int(match.group("domid")),
        uuid=(match.group("uuid") or "").lower(),
        name="" if name == "(null)" else name,
        state=parse_state(match.group("state"), match.group("reason")),
        memory_mib=int(match.group("memory")),
        vcpus=int(match.group("vcpus")),
        cpu_time_s=float(match.group("time")),
    )


def parse_vcpus(text: str) -> tuple[Vcpu, ...]:
    """Read the output of ``xl vcpu-list DOMID``. Raises OutputNotUnderstood for a line that is no row of the table."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith("Name"):
        raise OutputNotUnderstood("xl vcpu-list printed no table.", output=text)
    found = []
    for line in lines[1:]:
        match = _VCPU.match(line)
        if match is None:
            raise OutputNotUnderstood(f"xl vcpu-list printed a line that is not a vCPU: {line!r}.", output=text)
        online = match.group("cpu") != "-"
        found.append(
            Vcpu(int(match.group("vcpu")), online, float(match.group("time")), match.group("hard"), match.group("soft"))
        )
    return tuple(found)


def parse_share(text: str) -> Share:
    """Read the output of ``xl sched-credit2 -d DOMID``, or of ``xl sched-credit``.

    Raises OutputNotUnderstood when there is no row of the table.
    """
    match = _SHARE.match((text.splitlines() or [""])[-1])
    if match is None:
        raise OutputNotUnderstood("xl printed no weight and cap.", output=text)
    return Share(int(match.group("weight")), int(match.group("cap")))


def parse_state(letters: str, reason_code: str | None = None) -> DomainState:
    """Read the six letters of the state column, and the reason code (hexadecimal) where ``-v`` gave one."""
    shutdown = letters[3] == "s"
    reason = None
    if shutdown:
        reason = SHUTDOWN_LETTERS.get(letters[4], "unknown")
        if reason_code and reason_code != "-":
            reason = SHUTDOWN_REASONS.get(int(reason_code, 16), "unknown")
    return DomainState(
        running=letters[0] == "r",
        blocked=letters[1] == "b",
        paused=letters[2] == "p",
        shutdown=shutdown,
        crashed=reason == "crash",
        dying=letters[5] == "d",
        reason=reason,
    )


def parse_configurations(text: str) -> tuple[DomainConfiguration, ...]:
    """Read the array of ``xl list -l``.

    libxl leaves out a domain whose configuration it does not have (dom0 before 4.15, domains it did not make), so an
    empty result for a domain that exists means that xl cannot migrate it.
    Raises OutputNotUnderstood when the output is not JSON (xl.conf may ask for ``sxp``).
    """
    try:
        entries = json.loads(text)
        return tuple(DomainConfiguration(int(entry["domid"]), dict(entry["config"])) for entry in entries)
    except (ValueError, TypeError, KeyError) as exc:
        raise OutputNotUnderstood(f"xl list -l did not print JSON: {exc}.", output=text[:2000]) from exc


def parse_configuration(text: str) -> t.Mapping[str, t.Any]:
    """Read what ``xl create -n`` prints: a configuration by itself (tools/xl/xl_vmcontrol.c create_domain).

    Raises OutputNotUnderstood.
    """
    try:
        config = dict(json.loads(text))
        config["c_info"]  # pylint: disable=pointless-statement  # without it it is none
        return config
    except (ValueError, TypeError, KeyError) as exc:
        raise OutputNotUnderstood(f"xl create -n did not print JSON: {exc}.", output=text[:2000]) from exc


def parse_autoballoon(xl_conf: str, commandline: str) -> bool:
    """Say whether xl shrinks dom0 to make room for a domain.

    ``xl_conf`` is the text of /etc/xen/xl.conf ("" when there is none), ``commandline`` the hypervisor's.
    As tools/xl/xl.c parse_global_config: on, off, or (default) auto, which is off when dom0_mem is given.
    """
    settings = _AUTOBALLOON.findall(xl_conf)
    if settings and settings[-1].lower() in ("on", "1"):
        return True
    if settings and settings[-1].lower() in ("off", "0"):
        return False
    return _DOM0_MEM.search(commandline) is None


def parse_config_file(text: str) -> dict[str, str]:
    """Return the settings of an xl.cfg file whose value is one text or number; lists are left out.

    Nothing is raised: what xl would refuse gives what can be made out. Of two settings of one key the last counts, as
    for xl (tools/libs/util/libxlu_cfg.c xlu__cfg_set_store).
    """
    found: dict[str, str] = {}
    before: list[str] = ["\n"]
    depth = 0
    for token in CONFIG_TOKEN.findall(text):
        if token.startswith("#"):
            continue
        if token in "[]":
            depth = max(0, depth + (1 if token == "[" else -1))
        elif not depth and len(before) >= 3 and before[-1] == "=" and before[-3] in "\n;" and token not in "\n;":
            found[before[-2]] = CONFIG_ESCAPE.sub(r"\1", token[1:-1]) if token[0] in "\"'" else token
        before = [*before[-2:], token]
    return found


def parse_image_identity(head: bytes) -> tuple[str | None, str | None] | None:
    """Return name and UUID of the domain in an image of ``xl save``, from the image's first bytes.

    None when it is no such image, or not one of Xen 4.6 or newer; each of the two None when it is not in there.
    """
    if len(head) < _IMAGE_HEADER.size or not head.startswith(_IMAGE_MAGIC):
        return None
    length = _IMAGE_HEADER.unpack_from(head)[-1]
    try:
        created = json.loads(head[_IMAGE_HEADER.size :][:length].rstrip(b"\0").decode("utf-8"))["c_info"]
        name, uuid = created.get("name"), created.get("uuid")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) else None, uuid.lower() if isinstance(uuid, str) else None
