# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short-lived credentials of one session, and the scripts that bring them to a dom0 (private to the collection)."""

from __future__ import annotations

import dataclasses
import datetime
import shlex

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

# Clocks of dom0s are wrong often, and always after a restored snapshot. The pin decides, not the calendar.
_VALID_FROM = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_VALID_TO = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)

REFUSED = "dom0-xen-refused "
DONE = "dom0-xen-done "


class CryptographyMissing(Dom0XenError):
    """The controller's Python has no library to make keys with."""

    code = "cryptography_missing"
    remedy = "Install cryptography for the Python that runs Ansible; ansible-core depends on it."


@dataclasses.dataclass(frozen=True)
class Credentials:
    """A private key and its self-signed certificate, both PEM. ``repr`` leaves the key out.

    With ``ssh_public_key``, as a line of authorized_keys without its options, ``key`` also holds its private key.
    """

    key: bytes = dataclasses.field(repr=False)
    certificate: str
    ssh_public_key: str | None = None

    def with_ssh_key(self) -> Credentials:
        """Return them with an Ed25519 key for sshd, in OpenSSH's own format behind the key for TLS."""
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return Credentials(self.key + private, self.certificate, public.decode("ascii"))


def make_credentials(common_name: str) -> Credentials:
    """Make an ECDSA key on P-256 and a certificate that holds for either end of a TLS connection.

    Raises CryptographyMissing.
    """
    if not HAS_CRYPTOGRAPHY:
        raise CryptographyMissing("the Python that runs Ansible has no cryptography.")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_TO)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Credentials(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
    )


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def present_script(root: str, session: str, role: str, credentials: Credentials) -> str:
    """Return the script that makes the session's folder and writes both files; its standard input is the key.

    It refuses a root that is a symbolic link, belongs to somebody else, can be written by others, or does not lie in
    memory, and a session folder that is there already (the same rules as module_utils/_places.py). A key that arrives
    cut short leaves nothing behind.
    """
    lines = " ".join(shlex.quote(line) for line in credentials.certificate.splitlines())
    return _PRELUDE + " ".join(
        (
            *_paths(root, session, role),
            '(umask 022; mkdir -p "${root%/*}/");',
            'made=; mkdir "$root" 2>/dev/null && made=1; [ -d "$root" ] || refuse cannot_create "$root";',
            '[ ! -L "$root" ] || refuse symbolic_link "$root";',
            '[ "$(stat -c %u "$root")" = "$(id -u)" ] || refuse not_ours "$root";',
            'case $(stat -c %A "$root") in ?????-??-?) ;; *) refuse others_write "$root";; esac;',
            'chmod 700 "$root" || refuse cannot_create "$root";',
            'case $(stat -f -c %T "$root") in tmpfs|ramfs) ;;',
            '*) [ -z "$made" ] || rmdir "$root"; refuse not_in_memory "$root";; esac;',
            # What a run that was killed has left: whoever starts within the session uses its key up in seconds.
            'find "$root" -mindepth 2 -maxdepth 2 -name key.pem -mmin +10'
            """ -exec sh -c 'rm -rf "${1%/*}"' sh {} \\;;""",
            'mkdir "$folder" || refuse exists "$folder";',
            'undo() { rm -rf "$folder"; refuse "$1" "$folder"; }; trap \'undo interrupted\' HUP INT TERM PIPE;',
            'cat >"$folder/key.pem" || undo cannot_write;',
            'length=$(wc -c <"$folder/key.pem");',
            f"[ $((length)) -eq {len(credentials.key)} ] || undo cut_short;",
            f"printf '%s\\n' {lines} >\"$folder/certificate.pem\" || undo cannot_write;",
            f"echo {shlex.quote(DONE + 'created')}",
        )
    )


def absent_script(root: str, session: str, role: str) -> str:
    """Return the script that removes the session's credentials, and its folder unless its process still runs."""
    return _PRELUDE + " ".join(
        (
            *_paths(root, session, role),
            '[ ! -L "$root" ] || refuse symbolic_link "$root"; [ ! -L "$folder" ] || refuse symbolic_link "$folder";',
            f'if [ ! -d "$folder" ]; then echo {shlex.quote(DONE + "absent")}; exit 0; fi;',
            'rm -f "$folder/key.pem" "$folder/certificate.pem" || refuse cannot_remove "$folder";',
            'pid=$(grep -o \'"pid": *[0-9]*\' "$folder/status.json" 2>/dev/null | head -n 1 | tr -dc 0-9);',
            'if [ -n "$pid" ] && [ -e "/proc/$pid/exe" ];',
            f"then echo {shlex.quote(DONE + 'kept')};",
            f'else rm -rf "$folder" && echo {shlex.quote(DONE + "removed")} || refuse cannot_remove "$folder"; fi',
        )
    )


_PRELUDE = (
    "umask 077; LC_ALL=C; export LC_ALL; "
    f'refuse() {{ trap - HUP INT TERM PIPE; echo "{REFUSED}$1 $2" >&2; exit 70; }}; '
)


def _paths(root: str, session: str, role: str) -> tuple[str, str]:
    return f"root={shlex.quote(root)};", f'folder="$root"/{shlex.quote(f"{session}.{role}")};'
