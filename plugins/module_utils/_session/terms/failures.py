# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures that both sides of a session know (private to the collection)."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, LinkLost, NobodyListens
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Report
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import status_meaning

_SEE_STDERR = "Look at the last lines of both xl (stderr in the result), then run the migration again."


def of(error: Dom0XenError) -> Failure:
    """Return an error as the failure of a session."""
    return Failure(error.code, error.message, error.host, error.remedy, error.details)


def xl_ended(code: str, stderr: t.Sequence[str], rc: int) -> Failure:
    """Return what an ``xl`` that ended means: its last line, or its exit status when it said nothing."""
    how = f"was killed by signal {-rc}" if rc < 0 else f"ended with status {rc}"
    text = f"xl {how}: {stderr[-1]}" if stderr else f"xl {how} without a word"
    return Failure(code, text, remedy=_SEE_STDERR, details={"rc": rc})


def ended_at_once(cause: BaseException | None, journal_folder: str) -> Failure:
    """Return the failure of a session that has ended before its launcher was told anything, of what it does not know.

    ``cause`` is what has ended it, where it is not its own word.
    """
    why = f": {type(cause).__name__}: {cause}" if cause is not None else ""
    remedy = (
        f"See the file log in {journal_folder} on this host for what has ended it; then start the migration again."
        " If it comes again, report it with that file."
    )
    return Failure("ended", f"the session ended at once{why}", remedy=remedy)


def ready_too_early(who: str) -> Failure:
    """Return the failure of a session in which ``who`` has asked for the permission before it had the whole domain."""
    remedy = (
        f"{_SEE_STDERR} If it comes again, report it as a fault of dom0.xen, with the journal's folders of both hosts."
    )
    return Failure("protocol", f"{who} said ready before the stream was complete", remedy=remedy)


# It is told from the moment on in which it is asked for: where tasks at the gate have begun the guest then still stands
# still.
_CANCELLED_REMEDY = (
    "Where the domain runs on the source nothing needs to be done; where it does not, run dom0.xen.settle for it."
)

CANCELLED = Failure("cancelled", "the migration was cancelled", remedy=_CANCELLED_REMEDY)


CANCELLED_THERE = Failure("cancelled", "the migration was cancelled at the destination", remedy=_CANCELLED_REMEDY)
REHEARSED = Failure(
    "rehearsed",
    "it was a rehearsal, and ended where the guest would have been suspended",
    remedy="Nothing needs to be done; the guest was not suspended, and runs on at the source.",
)
NOT_REFUSED = Failure(
    "rehearsal_suspended",
    "the guest was suspended in a rehearsal, which moves nothing: it was resumed at the gate",
    remedy="See with xl list -v on the source that it runs. Rehearse nothing there, and report its release of Xen.",
)
HANDED_OVER = Failure(
    "handed_over",
    "the complete copy was left, paused, to whoever settles",
    remedy="Run dom0.xen.settle for the domain again.",
)


def not_started(report: Report) -> Failure:
    """Return the failure of a destination that gave the domain back."""
    meaning = status_meaning(report.status or 0)
    return Failure(
        "destination_start_failed",
        f"the destination could not start the domain and gave it back (status {report.status}: {meaning})",
        remedy="The last lines of the destination's xl say why.",
        side="receiver",
    )


def killed(cause: Failure | None) -> Failure | None:
    """Return the failure ``cause`` of a migration whose ``xl`` on the source did not end after it, and was killed."""
    if cause is None:
        return None
    text = f"{cause.msg}; after that xl did not end on the source, and was ended by force"
    return replace(cause, msg=text, details={**cause.details, "xl_killed": True})


def xl_stays(cause: Failure | None) -> Failure:
    """Return the failure of a migration that was given up for a ``cause``, and has an ``xl create`` that goes on."""
    given_up = f" ({cause.msg})" if cause is not None else ""
    return Failure(
        "xl_stays",
        f"the migration failed{given_up}, and xl create, which makes the domain on this host, has not ended",
        remedy="Run dom0.xen.settle for the domain: it waits for that xl, and names it. Do not kill it: it would leave"
        " half a domain.",
    )


RUNS_UNASKED = Failure(
    "runs_without_permission",
    "the destination runs the domain, and it never had the permission",
    remedy="Somebody started the copy by hand. Look at both hosts; the domain must run on exactly one of them.",
)


def unclear(report: Report) -> Failure:
    """Return the failure of a destination that had the permission, and has a copy that may have run."""
    return Failure(
        "unsettled",
        f"the destination had the permission, and cannot say that its copy is gone (status {report.status})",
        remedy="Look at both hosts; the domain must be started on exactly one of them.",
    )


def link_expired(peer: str, limit: float, trouble: LinkError | None = None) -> Failure:
    """Return the failure of a link to the ``peer`` (source, destination) that stayed away for ``limit`` seconds.

    ``trouble`` is what the last attempt to make it again has met.
    """
    why = f": {trouble.message}" if trouble is not None else ""
    text = f"the link to the {peer} has been down for {limit} s{why}"
    remedy = _LISTENS_NO_MORE if isinstance(trouble, NobodyListens) else LinkLost.remedy
    return Failure("link_expired", text, remedy=remedy)


_LISTENS_NO_MORE = (
    "The other dom0 answers, and the session's process there does not listen any more: it was killed, or a packet"
    " filter has come between. See there with journalctl -k, then run the migration again."
)


def journal(cause: Exception) -> Failure:
    """Return the failure of a step that may not be taken because its record could not be written."""
    return Failure(
        "journal_failed",
        f"the record that must come before the permission could not be written: {cause}",
        remedy="Make room under the journal path (default /var/lib/dom0-xen) and start the migration again.",
    )
