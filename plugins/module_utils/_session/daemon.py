# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that lives for one session, independent of Ansible (private to the collection)."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import CERTIFICATE, KEY, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import NotBegun, SettingsWrong
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings, SenderSettings

if t.TYPE_CHECKING:
    from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.receiver import Receiver
    from ansible_collections.dom0.xen.plugins.module_utils._session.sending.sender import Sender


def main(role: str, folder: str, ready_fd: int) -> None:
    """Run the session whose runtime folder is ``folder``; tell the launcher through ``ready_fd`` how the start went."""
    os.umask(0o077)

    def launched(document: t.Mapping[str, t.Any]) -> None:
        # The launcher may have given up waiting; the session goes on to its end all the same.
        with contextlib.suppress(BrokenPipeError):
            os.write(ready_fd, json.dumps(document).encode("utf-8") + b"\n")
        os.close(ready_fd)

    try:
        document = documents.read(os.path.join(folder, documents.SETTINGS))
        if document is None:
            raise SettingsWrong(f"{folder} does not hold a session's settings")
        lock = DomainLock(os.path.dirname(folder), str(document["uuid"]), role)
    except (Dom0XenError, OSError) as exc:
        _not_begun(exc, folder, launched)
        return
    try:
        _run(role, folder, document, launched)
    finally:
        lock.release()


def _run(
    role: str, folder: str, document: dict[str, t.Any], launched: t.Callable[[t.Mapping[str, t.Any]], None]
) -> None:
    certificate, key = os.path.join(folder, CERTIFICATE), os.path.join(folder, KEY)
    try:
        session = _session(role, document, certificate, key, launched)
    except (Dom0XenError, OSError) as exc:
        _not_begun(exc, folder, launched)
        return
    # TLS has read them; from here on the key exists in this process only.
    os.unlink(key)
    os.unlink(certificate)
    # What was made for the start stays to the end: looking through it again would come at any moment.
    gc.freeze()
    session.run()


def _session(
    role: str,
    document: dict[str, t.Any],
    certificate: str,
    key: str,
    launched: t.Callable[[t.Mapping[str, t.Any]], None],
) -> Sender | Receiver:
    """Make the session of this role; only its own code is loaded, since a slow host takes seconds for the other's."""
    if role == SENDER:
        from ansible_collections.dom0.xen.plugins.module_utils._session.sending.sender import Sender

        return Sender(SenderSettings.from_document(document), certificate, key, launched)
    from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.receiver import Receiver

    return Receiver(ReceiverSettings.from_document(document), certificate, key, launched)


def _not_begun(exc: Dom0XenError | OSError, folder: str, launched: t.Callable[[t.Mapping[str, t.Any]], None]) -> None:
    """Tell the launcher why, in the words of the cause alone: it puts the remedy behind them itself."""
    error = NotBegun.of(exc) if isinstance(exc, OSError) else exc
    launched({"error": {**error.as_result(), "msg": error.message}})
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
