# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That no key is on a disk, in a process list, or in a log is a part of other cases; here is what proves the search.

These use ``search.no_key``, between them with pipelining on and off, as root and as users who need a password to become
root and who need none: test_move, test_same_host, test_broken, test_launch, test_transports.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import search
from .world import World


def test_search_finds_what_was_planted(home: World) -> None:
    """A search that finds nothing could be a bad search: each way is tried on a key that is there."""
    home.stale = True
    host = home.source
    pem = (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
    secrets, since = search.fragments([pem]), search.now(host)
    with home.spying() as spy:
        host.run("mkdir -p /run/dom0-xen/planted && cat > /run/dom0-xen/planted/key.pem", stdin=pem)
        host.run(["sh", "-c", "sleep 2; :", "sh", pem])
    assert spy.shown and spy.keys == {"xen1:/run/dom0-xen/planted/key.pem": pem}
    host.run("mkdir -p /root/.ansible/tmp && cat > /root/.ansible/tmp/planted", stdin=pem)
    for known in (secrets, []):
        assert set(search.on_files(host, since, known)[0]) == {"/root/.ansible/tmp/planted"}
    host.run("sync && rm /root/.ansible/tmp/planted")
    assert search.on_disk(host, secrets) == secrets
    host.run("logger -t planted", stdin=pem)
    assert search.in_log(host, since, secrets)
    for known in (secrets, []):
        assert search.in_text(f"stdin is {pem!r}", known)
    assert not search.in_text(repr(pem.splitlines()[0]), secrets), "what every key begins with is in the sender's code"
