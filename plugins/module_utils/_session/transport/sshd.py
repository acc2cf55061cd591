# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host's sshd is configured to do, as it says itself (private to the collection)."""

from __future__ import annotations

import os
import pwd
import shutil
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import Account
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import SYSTEM_PATH, Runner

# sshd's own defaults (sshd_config(5)).
_KEYS_FILE = ".ssh/authorized_keys"
_HOST_KEYS = tuple(f"/etc/ssh/ssh_host_{kind}_key" for kind in ("rsa", "ecdsa", "ed25519"))


class SshdUnusable(Dom0XenError):
    """Nobody can be let in through this host's sshd for a migration."""

    code = "sshd_unusable"
    remedy = (
        "Name the account that exists (migrate_ssh_user) and the configuration of the sshd that is to be used"
        " (migrate_sshd_config); `sshd -T` must succeed with it. Or use the transport tls."
    )


@dataclass(frozen=True)
class Sshd:
    """Its public host keys, each ``TYPE BASE64``, and the files with the keys that an account is let in with."""

    host_keys: tuple[str, ...]
    keys_file: str
    account: Account
    further_files: tuple[str, ...] = ()


def look(run: Runner, user: str, config: str = "") -> Sshd:
    """Ask sshd for its configuration; ``config`` is the path of another one than its own. Raises SshdUnusable.

    Where there is no sshd program, as with another server, its usual places are looked at.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise SshdUnusable(f"there is no account {user} on this host") from None
    said = _configuration(run, user, config)
    host_keys = tuple(key for key in map(_public_key, said.get("hostkey") or _HOST_KEYS) if key)
    if not host_keys:
        raise SshdUnusable("no public host key of this host's sshd can be read, so that it could not be recognised")
    words = (said.get("authorizedkeysfile") or [_KEYS_FILE])[0].split()
    if not words or words[0] == "none":
        raise SshdUnusable("this host's sshd is configured without any AuthorizedKeysFile")
    first, *further = (_expanded(word, entry) for word in words)
    return Sshd(host_keys, first, Account(entry.pw_uid, entry.pw_gid), tuple(further))


def _configuration(run: Runner, user: str, config: str) -> dict[str, list[str]]:
    program = shutil.which("sshd") or shutil.which("sshd", path=SYSTEM_PATH)
    if program is None:
        if config:
            raise SshdUnusable(f"there is no sshd on this host that could read {config}")
        return {}
    # A Match by address is not decided here: whether somebody is let in shows when he comes.
    who = f"user={user},host=localhost,addr=127.0.0.1"
    done = run([program, "-T", "-C", who, *(["-f", config] if config else [])])
    if done.rc != 0:
        raise SshdUnusable(f"sshd cannot tell its configuration: {done.stderr.strip()[-500:]}")
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        name, dummy, value = line.partition(" ")
        said.setdefault(name.lower(), []).append(value.strip())
    return said


def _public_key(path: str) -> str | None:
    try:
        with open(path + ".pub", encoding="ascii") as file:
            fields = file.read(65536).split()
    except (OSError, ValueError):
        return None
    return " ".join(fields[:2]) if len(fields) >= 2 else None


def _expanded(pattern: str, entry: t.Any) -> str:
    """Return a path with its tokens replaced (TOKENS in sshd_config(5))."""
    tokens = {"%%": "%", "%h": entry.pw_dir, "%u": entry.pw_name, "%U": str(entry.pw_uid)}
    path, position = "", 0
    while position < len(pattern):
        token = pattern[position : position + 2]
        path += tokens.get(token, pattern[position])
        position += 2 if token in tokens else 1
    return os.path.join(entry.pw_dir, path)
