# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own apt sources, rewritten for the release of an image: the lab has no registry of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

APT_ROOT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Settings of the machine's apt that a download needs as well, when the machine has them.
PASSED_ON = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIPv4")


@dataclass(frozen=True)
class Source:
    """One archive: its address, the suites taken from it, the components, and the key named for it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def parse_one_line(text: str) -> list[Source]:
    """Entries of a sources.list file ("deb [options] URI SUITE COMPONENT...")."""
    found: list[Source] = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if not words or words[0] != "deb":
            continue
        words = words[1:]
        signed_by = ""
        if words and words[0].startswith("["):
            options: list[str] = []
            while words:
                word = words.pop(0)
                options.append(word.strip("[]"))
                if word.endswith("]"):
                    break
            signed_by = next((o.split("=", 1)[1] for o in options if o.startswith("signed-by=")), "")
        if len(words) >= 3:
            found.append(Source(words[0], (words[1],), tuple(words[2:]), signed_by))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Entries of a .sources file (paragraphs with Types, URIs, Suites, Components)."""
    found: list[Source] = []
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in paragraph.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                fields[key] = fields.get(key, "") + "\n" + line
            elif ":" in line:
                key, dummy, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        found += [
            Source(
                uri, tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split()),
                fields.get("signed-by", ""),
            )
            for uri in fields.get("uris", "").split()
        ]  # fmt: skip
    return found


def machine_sources(root: Path = APT_ROOT) -> list[Source]:
    """Everything that is switched on below /etc/apt."""
    found: list[Source] = []
    lists = [root / "sources.list", *sorted((root / "sources.list.d").glob("*"))]
    for path in lists:
        if path.suffix == ".list" and path.is_file():
            found += parse_one_line(path.read_text(encoding="utf-8"))
        elif path.suffix == ".sources" and path.is_file():
            found += parse_deb822(path.read_text(encoding="utf-8"))
    return found


def codename(os_release: Path = OS_RELEASE) -> str:
    """The machine's own release, VERSION_CODENAME of os-release."""
    for line in os_release.read_text(encoding="utf-8").splitlines():
        key, dummy, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip().strip('"')
    raise LabError(f"{os_release} has no VERSION_CODENAME", "The lab builds its images on Debian 12 or 13")


def debian_sources(sources: Iterable[Source], own: str, release: str) -> list[str]:
    """Lines of a sources.list for ``release``, from those of the machine's sources that are Debian's own archive.

    ``own`` is the machine's codename. A third party's archive is left out: it has no component main of the
    machine's suites, or names a key that is not Debian's. Raises LabError when nothing is left.
    """
    lines: list[str] = []
    for source in sources:
        if "main" not in source.components:
            continue
        if source.signed_by and "debian-archive" not in source.signed_by:
            continue
        for suite in source.suites:
            if suite not in (own, f"{own}-updates", f"{own}-security"):
                continue
            line = f"deb {source.uri} {release}{suite[len(own) :]} main"
            if line not in lines:
                lines.append(line)
    if not lines:
        raise LabError(
            f"none of this machine's apt sources is Debian's archive for {own}",
            "Add a Debian mirror to /etc/apt; the lab takes packages from there",
        )
    return lines


def passed_on_settings(dump: str) -> list[str]:
    """Those lines of ``apt-config dump`` that a download for an image needs too (proxies, checks)."""
    return [line for line in dump.splitlines() if line.startswith(PASSED_ON) and not line.endswith('"";')]


def machine_settings() -> list[str]:
    """The same, asked of this machine."""
    command: Sequence[str] = ("apt-config", "dump")
    return passed_on_settings(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
