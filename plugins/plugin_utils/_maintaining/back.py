# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host has come back from its maintenance as it is to be (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts


class HostNotBack(Dom0XenError):
    """The host has not come back, or not as it is to be."""

    code = "host_not_back"
    remedy = (
        "Look at the host's console. It is closed to arrivals, and its domains are where they went to. When it is well,"
        " run the same command again: it goes on from here."
    )


class ReleaseInvalid(Dom0XenError):
    """What was given as a release is none."""

    code = "release_invalid"
    remedy = "Give the release that Xen has to have at least, such as 4.17 or 4.17.3, or nothing for any."


@dataclasses.dataclass(frozen=True)
class Expected:
    """``release``: the least one, empty for any; ``boot_before``: the boot that must be over, empty for any."""

    release: tuple[int, ...] = ()
    bridges: tuple[str, ...] = ()
    boot_before: str = ""


def release_of(text: str) -> tuple[int, ...]:
    """Return a release as numbers, none for an empty text. Raises ReleaseInvalid."""
    if not text:
        return ()
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}", text):
        raise ReleaseInvalid(f"{text!r} is no release of Xen")
    return tuple(int(part) for part in text.split("."))


def lacking(host: HostFacts, expected: Expected) -> tuple[str, ...]:
    """Return what the host still lacks, a clause each; none when it is back."""
    found = []
    if expected.boot_before and host.boot_id == expected.boot_before:
        found.append("it has not been booted anew")
    if host.xen is None or not any(row.domid == 0 for row in host.domains):
        found.append("Xen does not answer there")
    elif expected.release:
        numbers = tuple(int(part) for part in re.findall(r"[0-9]+", host.xen.version)[:4])
        if numbers < expected.release:
            found.append(f"it has Xen {host.xen.version}, not {'.'.join(map(str, expected.release))} or later")
    missing = [name for name in expected.bridges if name not in host.bridges]
    if missing:
        found.append(f"it does not have the bridges it had: {', '.join(missing)}")
    found += [problem.message.rstrip(".") for problem in host.problems]
    return tuple(found)


def why_not(info: t.Mapping[str, t.Any], expected: Expected) -> str:
    """Return why the host that told this is not back, empty when it is."""
    if not isinstance(info.get("host"), dict):
        return " ".join(str(info.get("msg") or "it does not answer").split())[:300]
    return "; ".join(lacking(HostFacts.from_result(info["host"]), expected))
