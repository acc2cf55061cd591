# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session was asked to do, as the launcher hands it to the daemon (private to the collection)."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy, PolicyInvalid
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import AFTER_TASKS
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import AUTO
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD, LIVE, SUSPEND
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import SettingsWrong
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LEAVE_PAUSED
from ansible_collections.dom0.xen.plugins.module_utils._transports import TLS

SettingsT = t.TypeVar("SettingsT", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """What both roles need. Paths are absolute, times in seconds; nothing here is secret.

    ``peer_host`` is what the inventory calls the other side's host, empty where that is not known.
    """

    session: str
    uuid: str
    name: str
    runtime_folder: str
    journal_folder: str
    peer_certificate: str
    xl: str
    link_timeout: float
    peer_host: str

    def who(self) -> dict[str, t.Any]:
        """Return what the journal has to say first: the domain, and what its copies are to be judged by."""
        return {"uuid": self.uuid, "name": self.name}

    def told(self) -> dict[str, t.Any]:
        """Return what of them is told with the status."""
        return {}

    def to_document(self) -> dict[str, t.Any]:
        """Return the settings as a JSON object."""
        return asdict(self)

    @classmethod
    def from_document(cls: type[SettingsT], document: t.Mapping[str, t.Any]) -> SettingsT:
        """Read settings written by :meth:`to_document`. Raises :class:`SettingsWrong` for missing or unknown fields."""
        try:
            return cls(**document)
        except TypeError as exc:
            raise SettingsWrong(f"the session's settings do not fit this release: {exc}") from exc


@dataclass(frozen=True)
class ReceiverSettings(Settings):
    """The receiver accepts a domain of at most ``memory_max_kib``, from one sender, on one of the ports given.

    Over ssh it is ``ssh_user`` whom sshd, configured by ``sshd_config``, lets in with ``ssh_public_key``.
    With ``follow_config`` it takes in what goes with the domain; with ``liveness`` it looks after the move whether the
    domain is alive, and at what has changed about it.
    ``mapped`` are entries of :mod:`_mapping`. With ``leave_paused`` the domain is not started when it has arrived;
    ``keep_domid`` is the number that it is to have, 0 for any.
    ``planned_interface`` is the one that is to carry the bytes, empty where that is not known.
    ``after_tasks``: the caller has tasks that are to be run after the move.
    """

    memory_max_kib: int
    listen_address: str
    port_first: int
    port_last: int
    admission_timeout: float
    banner_timeout: float
    transport: str = TLS
    ssh_user: str = "root"
    ssh_public_key: str = ""
    sshd_config: str = ""
    follow_config: bool = False
    liveness: bool = False
    liveness_address: str = ""
    liveness_timeout: float = 15.0
    method: str = LIVE
    mapped: t.Sequence[t.Mapping[str, str]] = ()
    leave_paused: bool = False
    keep_domid: int = 0
    planned_interface: str = ""
    after_tasks: bool = False

    def told(self) -> dict[str, t.Any]:
        """Return what was changed on the way, and what the copy was to be."""
        return _arrival(self)

    def who(self) -> dict[str, t.Any]:
        """Return it with what a paused copy is that was reported, and with what the caller has for after the move."""
        paused = {LEAVE_PAUSED: True} if self.leave_paused else {}
        return {**super().who(), **paused, **_owed(self)}


# Bytes a second; no network carries more.
RATE_MAX = 1e12

KIB_PER_GIB = 1 << 20

# What may be done where a guest would stand still for too long, beside going on.
ABORT = "abort"


@dataclass(frozen=True)
class SenderSettings(Settings):
    """The sender sends the domain to one receiver. ``stop_link_timeout`` holds from suspend to ready, and so does
    ``ready_timeout``: for how long nothing may move meanwhile. Before that it is ``stall_timeout``.

    ``method``: ``live``, ``suspend`` or ``cold``: its guest then has ``shutdown_timeout`` to shut down, and it is
    made from the file ``config_path``, by which any other is described at the destination; empty: it goes with its own
    configuration. Nothing begins when its SHA-256 is not ``config_digest``, unless that is empty. With ``gate_held``
    the permission waits for the controller, for at most ``gate_timeout``. The controller is called to look every
    ``progress_interval``.
    The stream is compared with ``destination_cpu_policy``, the most that Xen there shows such a guest, and with
    ``destination_features``, those of the processor there as hw_caps of ``xl info``, unless these are empty. Over ssh
    it comes as ``ssh_user`` to ``ssh_port``, where one of ``ssh_host_keys`` must be shown. ``follow_config`` and
    ``liveness`` are those of the receiver, as far as the source has a part in it; ``mapped`` and ``leave_paused`` too,
    to be told with the outcome, and ``keep_domid``, which it must have here.
    ``compression`` is a key of :data:`packer.WAYS`, or ``auto``; ``rate_limit`` is in bytes a second, 0 for none.
    ``max_stop_ms`` is for how long the guest may stand still, in milliseconds, 0 for no limit. Where it would for
    longer, ``on_over_budget`` says whether the move is given up (``ABORT``) or goes on (``continue``).
    With ``rehearse`` it goes as far as to the suspend, which is refused. ``timeout_per_gib`` is for how many seconds
    the guest may run on from the admission to the suspend, for each GiB of its memory; 0 for no limit.
    It connects from ``source_address``, or from where the host's routes say; ``planned_interface`` and ``after_tasks``
    as for the receiver.
    """

    destination_address: str
    port: int
    connect_timeout: float
    stop_link_timeout: float
    memory_kib: int
    gate_held: bool
    gate_timeout: float
    progress_interval: float
    method: str = LIVE
    destination_features: str = ""
    destination_cpu_policy: t.Mapping[str, t.Any] = field(default_factory=dict)
    transport: str = TLS
    ssh_user: str = "root"
    ssh_port: int = 22
    ssh_host_keys: t.Sequence[str] = ()
    follow_config: bool = False
    liveness: bool = False
    config_path: str = ""
    config_digest: str = ""
    shutdown_timeout: float = 300.0
    mapped: t.Sequence[t.Mapping[str, str]] = ()
    leave_paused: bool = False
    keep_domid: int = 0
    ready_timeout: float = 180.0
    stall_timeout: float = 14400.0
    source_address: str = ""
    planned_interface: str = ""
    compression: str = AUTO
    rate_limit: float = 0.0
    max_stop_ms: int = 0
    on_over_budget: str = ABORT
    rehearse: bool = False
    after_tasks: bool = False
    timeout_per_gib: int = 0

    @property
    def longest_s(self) -> float:
        """For how many seconds the guest may run on during the move, 0 for ever. A part of a GiB counts as one."""
        return float(self.timeout_per_gib * -(-self.memory_kib // KIB_PER_GIB))

    @property
    def gives_up(self) -> bool:
        """Whether the guest is not suspended where it would stand still for too long."""
        return self.max_stop_ms > 0 and self.on_over_budget == ABORT and not self.rehearse

    @property
    def asks_first(self) -> bool:
        """Whether the guest of a live move may be suspended only when that was permitted."""
        return self.method == LIVE and (self.rehearse or self.gives_up)

    def __post_init__(self) -> None:
        """Raise :class:`SettingsWrong` for a rate that none can keep, or a time that is none."""
        if self.max_stop_ms < 0:
            raise SettingsWrong(
                f"no guest stands still for {self.max_stop_ms} ms",
                remedy="Give migrate_max_stop_ms in milliseconds, 0 for no limit.",
            )
        if self.timeout_per_gib < 0:
            raise SettingsWrong(
                f"no move takes {self.timeout_per_gib} s",
                remedy="Give migrate_timeout in seconds for each GiB of memory, 0 for no limit.",
            )
        if not 0 <= self.rate_limit < RATE_MAX:
            raise SettingsWrong(
                f"nothing can be sent at {self.rate_limit / 125_000:g} Mbit/s",
                remedy="Give migrate_rate_limit in Mbit/s, 0 for no limit.",
            )

    def told(self) -> dict[str, t.Any]:
        """Return what was changed on the way, and what the copy was to be."""
        return {**_arrival(self), "config_path": self.config_path or None}

    def who(self) -> dict[str, t.Any]:
        """Return it with the method, which says what a paused copy is, and with what there is for after the move."""
        return {**super().who(), "method": self.method, **_owed(self)}

    @property
    def most_shown(self) -> Policy | None:
        """What ``destination_cpu_policy`` says. Raises :class:`SettingsWrong` when that is no policy."""
        try:
            return Policy.from_result(self.destination_cpu_policy) if self.destination_cpu_policy else None
        except PolicyInvalid as exc:
            raise SettingsWrong(f"the destination's processor is not told as by migration_check: {exc}") from exc

    @property
    def described_by(self) -> str:
        """The file that describes the domain at the destination, empty where its own configuration does."""
        return "" if self.shuts_down else self.config_path

    @property
    def pauses(self) -> bool:
        """Whether the guest stands still by a pause, for the whole of the transfer."""
        return self.method == SUSPEND

    @property
    def shuts_down(self) -> bool:
        """Whether the guest is shut down here, and started at the destination."""
        return self.method == COLD


def _owed(settings: ReceiverSettings | SenderSettings) -> dict[str, t.Any]:
    return {AFTER_TASKS: True} if settings.after_tasks else {}


def _arrival(settings: ReceiverSettings | SenderSettings) -> dict[str, t.Any]:
    mapped = [dict(entry) for entry in settings.mapped]
    return {"mapped": mapped, "leave_paused": settings.leave_paused, "keep_domid": settings.keep_domid}
