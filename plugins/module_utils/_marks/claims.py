# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time for a host: who has it, and whether he is still there (private to the collection).

A claim is a file, and beside it another one whose time of change is when the run was last heard of. A run that is
killed is heard of no more; on the machine where it ran, its process says so at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import threading
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks import files
from ansible_collections.dom0.xen.plugins.module_utils._record import Record

NAME = "claim.json"
# A run that works on a host says so this often, in seconds.
BEAT_S = 45.0
# One that was not heard of for so many seconds is no obstacle to another one that works on the host.
HEARD_S = 300.0
_TOKEN = re.compile(r"\A[0-9a-f]{16}\Z")


class HostClaimed(Dom0XenError):
    """Another run works on the host."""

    code = "host_claimed"


class ClaimLost(Dom0XenError):
    """Another run has taken this host over."""

    code = "claim_lost"
    remedy = "Leave it to that run. What is under way goes on; no further domain leaves this host by this run."


class TokenInvalid(Dom0XenError):
    """The identity of a run is not one."""

    code = "token_invalid"
    remedy = "Use 16 hexadecimal digits."


@dataclasses.dataclass(frozen=True)
class Claim(Record):
    """Who has the host. ``run`` is what is done, in words that the same command gives again; ``token`` is this run's
    own. ``machine``, ``pid`` and ``started`` name its process on the controller, where they are known.
    """

    token: str
    run: str
    by: str
    controller: str
    machine: str = ""
    pid: int = 0
    started: int = 0
    since_s: float = 0.0
    #: Seconds for which it may be silent, when that is more than whoever comes next would wait.
    patience_s: float = 0.0

    @property
    def words(self) -> str:
        """Who, what and since when, for a sentence."""
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since_s))
        return f"`{self.run}` of {self.by} on {self.controller}, since {since}"


@dataclasses.dataclass(frozen=True)
class Taken:
    """A claim that was made; ``before`` is the one of a run that was there and is dead."""

    changed: bool
    claim: Claim
    before: Claim | None


def beat_path(journal_root: str, token: str) -> str:
    """Return the file whose time of change says when a run was last heard of. Raises TokenInvalid."""
    if not _TOKEN.match(token):
        raise TokenInvalid(f"{token!r} is not the identity of a run.")
    return os.path.join(journal_root, files.FOLDER, f"{token}.beat")


def claim(journal_root: str, wanted: Claim, stale_s: float, dead: str = "", take_over: bool = False) -> Taken:
    """Claim this host. ``dead`` is the token of a run whose process is known to have ended.

    Raises HostClaimed when another run that may live has it, PlaceError, TokenInvalid and OSError.
    """
    beat = beat_path(journal_root, wanted.token)
    with files.locked(journal_root) as folder:
        path = os.path.join(folder, NAME)
        before = _read(path)
        if before is not None and before.token == wanted.token:
            _beat(beat)
            return Taken(False, before, None)
        if before is not None:
            silent = silence(journal_root, before)
            stale_s = max(stale_s, before.patience_s)
            if not (take_over or before.token == dead or silent >= stale_s):
                raise HostClaimed(
                    f"another run works on this host: {before.words}; it was last heard of {silent:.0f} s ago",
                    remedy=f"Wait for its end. If it was killed, run this again in {stale_s - silent:.0f} s at the"
                    " latest, or at once with take_over=true (evacuate_take_over, maintain_take_over) if you are sure.",
                    claim=before.to_result(),
                )
            _forget(journal_root, before)
        made = dataclasses.replace(wanted, since_s=time.time())
        _beat(beat)
        files.write(path, made.to_result())
        return Taken(True, made, before)


def release(journal_root: str, token: str) -> bool:
    """Give the host up, if it is this run's; return whether it was. Raises PlaceError, TokenInvalid and OSError."""
    beat_path(journal_root, token)
    if not os.path.isdir(os.path.join(journal_root, files.FOLDER)):
        return False
    with files.locked(journal_root) as folder:
        path = os.path.join(folder, NAME)
        before = _read(path)
        if before is None or before.token != token:
            return False
        _forget(journal_root, before)
        return files.remove(path)


def keep(journal_root: str, token: str) -> bool:
    """Say that the run is there; return whether it has the host."""
    try:
        os.utime(beat_path(journal_root, token))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def kept(journal_root: str, token: str, every_s: float = BEAT_S) -> t.Iterator[None]:
    """Say every ``every_s`` seconds that the run is there, for as long as something else is done here.

    Whoever is killed meanwhile says nothing more. Without a token nobody has claimed anything, and nothing is said.
    Raises TokenInvalid.
    """
    if not token:
        yield
        return
    beat_path(journal_root, token)
    over = threading.Event()

    def beat() -> None:
        keep(journal_root, token)
        while not over.wait(every_s):
            keep(journal_root, token)

    thread = threading.Thread(target=beat, name="claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def require(journal_root: str, token: str, heard_s: float) -> None:
    """Raise ClaimLost when another run has this host and was heard of in the last ``heard_s`` seconds.

    One that may be silent for longer is heeded for longer. A host that nobody has claimed is one from which anybody
    may move a domain.
    """
    other = there(journal_root)
    if other is not None and other.token != token and silence(journal_root, other) < max(heard_s, other.patience_s):
        raise ClaimLost(f"this host has been taken over by another run: {other.words}", claim=other.to_result())


@contextlib.contextmanager
def held(journal_root: str, token: str) -> t.Iterator[None]:
    """Do something to the domains of a host that this run has claimed, and have it :func:`kept` meanwhile.

    Raises what :func:`require` raises for ``HEARD_S``, and TokenInvalid.
    """
    if token:
        require(journal_root, token, HEARD_S)
    with kept(journal_root, token):
        yield


def silence(journal_root: str, of: Claim) -> float:
    """Return for how many seconds nothing was heard of a run; since its claim when it never was."""
    try:
        heard = os.stat(beat_path(journal_root, of.token)).st_mtime
    except (OSError, TokenInvalid):
        heard = of.since_s
    return max(0.0, time.time() - heard)


def there(journal_root: str) -> Claim | None:
    """Return who has this host, dead or alive."""
    return _read(os.path.join(journal_root, files.FOLDER, NAME))


def _read(path: str) -> Claim | None:
    document = files.read(path)
    try:
        return Claim.from_result(document) if document is not None else None
    except TypeError:
        return None


def _beat(path: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.utime(fd)
    finally:
        os.close(fd)


def _forget(journal_root: str, before: Claim) -> None:
    try:
        files.remove(beat_path(journal_root, before.token))
    except TokenInvalid:
        return
