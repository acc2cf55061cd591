# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the double knows of a site: the truth that reports are measured by."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
import typing as t

from dom0_double.machine.client import NoMachine

from . import ran, storage
from .names import DESTINATION, SOURCE
from .world import NAME, UUID, World

RUNNING, PAUSED, SUSPENDED, DOWN, INCOMPLETE = "running", "paused", "suspended", "down", "incomplete"
_SUSPEND = 2
# xl has read the stream to its end record. Before that the guest's pages may be there, and no xl can start it. What
# boots anew is whole once it is there.
_WHOLE = "receive.restored"


@dataclasses.dataclass(frozen=True)
class CopySeen:
    """One copy of the guest. ``ran`` says that it has executed on this host."""

    host: str
    domid: int
    name: str
    state: str
    verified: bool
    ran: bool

    @property
    def good(self) -> bool:
        """Whether the guest could go on from it."""
        return self.verified and self.state in (RUNNING, PAUSED, SUSPENDED)


@dataclasses.dataclass(frozen=True)
class PowerLoss:
    """A host went off: the good copies it had, and those that were elsewhere.

    ``given_up``: the destination had before begun to give its copy up, as it had been told to.
    """

    host: str
    took: tuple[CopySeen, ...]
    left: tuple[CopySeen, ...]
    given_up: bool = False


@dataclasses.dataclass(frozen=True)
class Session:
    """What one side's journal and result say; empty when there are none."""

    steps: tuple[str, ...] = ()
    owner: str | None = None
    end_state: str | None = None
    error: str | None = None


@dataclasses.dataclass(frozen=True)
class Truth:
    """One look at a site.

    ``starts_anew``: the guest was to be shut down, and boots from its disks wherever it runs then; ``arrives_paused``:
    it was not to be started when it had arrived.
    """

    overlaps: int
    copies: tuple[CopySeen, ...]
    power_losses: tuple[PowerLoss, ...] = ()
    gone: frozenset[str] = frozenset()
    touched_before_banner: bool = False
    sessions: t.Mapping[str, Session] = dataclasses.field(default_factory=dict)
    processes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    without_storage: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    xl_gave_back: bool = False
    starts_anew: bool = False
    arrives_paused: bool = False

    def counts(self, copy: CopySeen) -> bool:
        """Whether the domain is where this copy is: it runs, or has arrived as it was to be left."""
        arrived = copy.host == DESTINATION and copy.state == PAUSED and copy.name == NAME
        return copy.state == RUNNING or (self.arrives_paused and arrived)


def copies(world: World) -> tuple[CopySeen, ...]:
    """Return the copies on hosts that have power."""
    found = []
    for name in (SOURCE, DESTINATION):
        if not world.powered(name):
            continue
        try:
            domains = world.host(name).domains()
        except NoMachine:
            if not _goes_dark(world, name):
                raise
            continue
        found += [_copy(world, name, info) for info in domains if info["uuid"] == UUID]
    return tuple(found)


def _xl_gave_back(world: World) -> bool:
    """Whether the destination's xl had the permission, could not start its copy, and destroyed it by itself."""
    passed = world.host(DESTINATION).points()
    return "receive.go" in passed and "receive.destroying" in passed[passed.index("receive.go") :]


def _goes_dark(world: World, name: str) -> bool:
    """Whether a host is just losing its power, which is done by another thread and noted a moment later."""
    deadline = time.monotonic() + 2
    while world.powered(name) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not world.powered(name)


def _copy(world: World, name: str, info: dict[str, t.Any]) -> CopySeen:
    domid = int(info["domid"])
    try:
        guest = world.host(name).machine.call("guest", domid=domid)
    except Exception:
        guest = None
    whole = world.course.starts_anew or _WHOLE in world.host(name).points()
    if not guest or (str(info["name"]).endswith("--incoming") and not whole):
        return CopySeen(name, domid, str(info["name"]), INCOMPLETE, False, False)
    if guest["running"]:
        state = RUNNING
    elif info["shutdown"]:
        state = SUSPENDED if info["reason"] == _SUSPEND else DOWN
    else:
        state = PAUSED
    return CopySeen(name, domid, str(info["name"]), state, bool(guest["verified"]), guest["ran_here_ns"] > 0)


def session(world: World, name: str) -> Session:
    """Read what a session has left on a host's disk."""
    role = "sender" if name == SOURCE else "receiver"
    folder = pathlib.Path(world.journal(name), f"{world.session}.{role}")
    if not folder.exists():
        # A playbook names its session itself.
        made = sorted(folder.parent.glob(f"*.{role}"), key=lambda path: path.stat().st_mtime)
        folder = made[-1] if made else folder
    steps = []
    try:
        for line in (folder / "journal").read_bytes().split(b"\n")[:-1]:
            try:
                record = json.loads(line)
                # Only the sender's own lets the guest go on.
                if record["step"] != "gate_undone" or "by" not in record.get("details", {}):
                    steps.append(str(record["step"]))
            except (ValueError, KeyError):
                continue
    except OSError:
        return Session()
    result: dict[str, t.Any] = {}
    for path in (folder / "result.json", pathlib.Path(world.runtime(name), folder.name, "status.json")):
        try:
            result = json.loads(path.read_text())
            break
        except (OSError, ValueError):
            continue
    error = result.get("error") or {}
    # While it watches for a guest that may yet do as it was asked it has not come to its end, and it tells so.
    end_state = None if result.get("watches") else result.get("end_state")
    return Session(tuple(steps), result.get("owner"), end_state, error.get("code"))


def look(world: World) -> Truth:
    """Look at everything."""
    intervals = world.site.intervals(UUID)
    first_stop = next((one for one in intervals if one.host == SOURCE and one.end_ns is not None), None)
    touched = (
        first_stop is not None
        and first_stop.why != "power loss"
        and (world.banner_at_ns is None or (first_stop.end_ns or 0) < world.banner_at_ns)
    )
    lines = [f"{name}: {line}" for name in (SOURCE, DESTINATION) for line in world.host(name).left_over()]
    folders = []
    for name in (SOURCE, DESTINATION):
        root = pathlib.Path(world.runtime(name))
        # An empty lock that nobody holds is in nobody's way.
        found = root.iterdir() if root.exists() else ()
        folders += [f"{name}: {path.name}" for path in found if not path.name.endswith(".lock")]
    return Truth(
        len(world.site.overlaps(UUID)),
        copies(world),
        tuple(world.power_losses),
        frozenset(world.gone),
        touched,
        {name: session(world, name) for name in (SOURCE, DESTINATION)},
        tuple(line[:200] for line in lines),
        tuple(folders),
        tuple(ran.without_storage(storage.handed(world.storage), intervals)),
        tuple(ran.left_behind(intervals, world.host(DESTINATION).passed(_WHOLE))),
        _xl_gave_back(world),
        world.course.starts_anew,
        world.course.leave_paused,
    )


def has_run_there(world: World) -> bool:
    """Whether the domain has run at the destination, as a person would say who knows everything."""
    return any(one.host == DESTINATION for one in world.site.intervals(UUID))
