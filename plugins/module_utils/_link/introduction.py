# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two ends tell each other before a connection carries anything (pure; private to the collection)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError, PeerRefused
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import VERSION, Frame, Kind, encode_document


@dataclass(frozen=True)
class Introduction:
    """Contents of ``HELLO`` and ``WELCOME``.

    ``nonce`` names this process, ``peer_nonce`` the process it talked to before (``None`` at first): a link is only
    ever resumed between the same two processes, because a new receiver has no ``xl`` that knows the stream.
    ``unpacks`` are the methods of packing that this end can undo; an end that says nothing of it can undo none.
    """

    session: str
    nonce: str
    peer_nonce: str | None
    expected: int
    unpacks: tuple[str, ...] = ()

    def encode(self, kind: Kind) -> bytes:
        """Return the whole frame."""
        return encode_document(
            kind,
            {
                "version": VERSION,
                "session": self.session,
                "nonce": self.nonce,
                "peer_nonce": self.peer_nonce,
                "expected": self.expected,
                "unpacks": list(self.unpacks),
            },
        )

    @classmethod
    def decode(cls, frame: Frame, kind: Kind) -> Introduction:
        """Read the peer's frame.

        Raises :class:`PeerRefused` when the peer refuses or speaks another version, :class:`FrameError` when it sends
        something else.
        """
        document = frame.document()
        refused = frame.kind is Kind.REFUSE
        if not refused and frame.kind is not kind:
            raise FrameError(f"{frame.kind.name} where {kind.name} was expected")
        # The reason of a refusal is told as the other end sees it: of two versions it would say the wrong way round
        # which end speaks which.
        if document.get("version", VERSION if refused else None) != VERSION:
            raise PeerRefused(
                f"the peer speaks link version {str(document.get('version'))[:20]}, this end {VERSION}",
                remedy="Both dom0s must be served by the same release of dom0.xen.",
            )
        if refused:
            raise PeerRefused(f"the peer refused the connection: {str(document.get('reason'))[:200]}")
        session, nonce, expected = document.get("session"), document.get("nonce"), document.get("expected")
        peer_nonce = document.get("peer_nonce")
        if not (isinstance(session, str) and isinstance(nonce, str) and isinstance(peer_nonce, (str, type(None)))):
            raise FrameError(f"an incomplete {kind.name}")
        if not isinstance(expected, int) or isinstance(expected, bool) or expected < 0:
            raise FrameError(f"an incomplete {kind.name}")
        return cls(session, nonce, peer_nonce, expected, _names(document.get("unpacks", [])))


def _names(value: object) -> tuple[str, ...]:
    """Return the names in a list of the peer's. Some may be of a release to come."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise FrameError("methods of packing that are no names")
    return tuple(value)


def refusal(reason: str) -> bytes:
    """Return a ``REFUSE`` frame."""
    return encode_document(Kind.REFUSE, {"version": VERSION, "reason": reason})


def objection(mine: Introduction, theirs: Introduction) -> str | None:
    """Return why a connection introduced by ``theirs`` must not carry this link, or ``None``.

    ``mine.peer_nonce`` is the process this end has been talking to, ``None`` before the first connection.
    """
    if theirs.session != mine.session:
        return "this is another session"
    if mine.peer_nonce is not None and theirs.nonce != mine.peer_nonce:
        return "this session belongs to another process"
    if theirs.peer_nonce is not None and theirs.peer_nonce != mine.nonce:
        return "the process you were connected to is gone"
    return None
