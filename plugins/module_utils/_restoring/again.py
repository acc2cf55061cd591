# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Was this image restored before, as far as the record beside it and the dom0s tell? (pure; private)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, Finding
from ansible_collections.dom0.xen.plugins.module_utils._restoring.errors import waiver
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORED, Mark

AGAIN = "image_restored"


def beside_it(host: str, manifest: Manifest, mark: Mark) -> Finding:
    """Return what the record beside the image means for a restore on ``host``."""
    values = {"state": mark.state, "host": mark.host, "at": mark.begun_at}
    if mark.state == RESTORED:
        text = f"{manifest.name} was restored from this image on {mark.host} at {mark.begun_at} and may have run since."
    else:
        text = f"a restore of this image on {mark.host} at {mark.begun_at} was cut off; it may have run since."
    return _finding(host, manifest, text, values)


def told_by(
    host: str, restored: t.Iterable[t.Mapping[str, t.Any]], manifest: Manifest, mark: Mark | None
) -> t.Iterator[Finding]:
    """Yield what ``host`` tells of this image, as ``host_info`` has it; of the restore of ``mark`` that says enough.

    The image may be a copy, or come from a backup, without the record that lies beside the one that was restored.
    """
    for each in restored:
        values = {key: str(each.get(key)) for key in ("host", "at", "path")}
        if (each.get("sha256"), each.get("saved_at")) != (manifest.sha256, manifest.saved_at):
            continue
        if mark is not None and (values["host"], values["at"]) == (mark.host, mark.begun_at):
            continue
        text = (
            f"{manifest.name} was restored from this image, or a copy of it, at {values['at']} ({values['path']}), and"
            " may have run since."
        )
        yield _finding(host, manifest, text, {"state": RESTORED, **values})


def _finding(host: str, manifest: Manifest, text: str, values: t.Mapping[str, t.Any]) -> Finding:
    return Finding(
        AGAIN,
        ERROR,
        host,
        f"{text} Its memory belongs to the disks as they were at {manifest.saved_at}; on later ones it destroys their"
        " file systems.",
        f"Start it from its configuration file (xl create), which only takes its disks as they are. If it has not run"
        f" since, or its disks were put back to that moment: {waiver(AGAIN)}.",
        values,
    )
