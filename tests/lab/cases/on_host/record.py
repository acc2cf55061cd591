# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change what libxl has on record of a domain: argument 1 is its domid, argument 2 the changes, as JSON.

That is what a domain was made from (tools/libs/light/libxl_domain.c libxl_retrieve_domain_configuration), so that a
host can have domains which it could not make. The record ends with a zero byte.
"""

from __future__ import annotations

import glob
import json
import sys
import typing as t


def merged(old: t.Any, new: t.Any) -> t.Any:
    """What is told replaces what was there; lists are taken item by item."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [merged(old[place], after) for place, after in enumerate(new)]
    return new


def main() -> None:
    """Read, change and write the one record."""
    (path,) = glob.glob(f"/var/lib/xen/userdata-d.{int(sys.argv[1])}.*.libxl-json")
    with open(path, encoding="utf-8") as file:
        record = json.loads(file.read().rstrip("\0"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(merged(record, json.loads(sys.argv[2]))) + "\0")


main()
