# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file in place of the domain's own configuration (tools/xl/xl_saverestore.c save_domain_core_begin)."""

from __future__ import annotations

import json
import typing as t

import pytest

from .bench import BANNER, Bench, send, step
from .sites import GUEST

OTHER = "99999999-5c99-4441-b5fd-ac266d0e1ffe"


def sent(bench: Bench, *options: str) -> dict[str, t.Any]:
    """Return the configuration that xl migrate sends with these options; the guest runs on."""
    played = bench.migrate(send(BANNER), step("header"), options=options)
    assert played.status == 1
    assert bench.runs(bench.source)
    return dict(json.loads(played.of("header")[0]["config"].rstrip("\0")))


def test_the_file_is_sent_and_nothing_of_the_domain(bench: Bench) -> None:
    """Neither its UUID, nor the number that -D asks for: what the file leaves out is made up, or left out."""
    path = bench.put(bench.source, "other.cfg", bench.site.config(GUEST, OTHER) + '\non_crash="preserve"\n')
    config = sent(bench, "-D", "-C", path)
    assert (config["c_info"]["uuid"], config["on_crash"]) == (OTHER, "preserve")
    assert "domid" not in config["c_info"]


def test_what_would_be_sent_can_be_asked_for(bench: Bench) -> None:
    """``xl create -n`` prints the very configuration, and makes no domain."""
    path = bench.put(bench.source, "other.cfg", bench.site.config(GUEST))
    asked = bench.source.run("xl", "create", "-q", "-n", path)
    assert json.loads(asked.stdout) == sent(bench, "-C", path)
    assert set(bench.domains(bench.source)) == {GUEST}


def test_save_takes_one_too(bench: Bench) -> None:
    """As its third argument."""
    path = bench.put(bench.source, "other.cfg", bench.site.config(GUEST) + '\non_crash="preserve"\n')
    image = f"{bench.source.folder}/other.save"
    assert bench.source.run("xl", "save", "-c", GUEST, image, path).status == 0
    head = bench.source.run("sh", "-c", f"head -c 65536 {image} | grep -a on_crash")
    bench.source.run("rm", image)
    assert '"preserve"' in head.stdout
    assert bench.runs(bench.source)


@pytest.mark.parametrize("content", [None, "memory = [\n", "memory = 16\n"], ids=["none", "not sound", "without name"])
def test_a_file_that_is_none(bench: Bench, content: str | None) -> None:
    """xl ends before it starts its transport; the guest is untouched."""
    path = f"{bench.source.folder}/none.cfg"
    bench.source.run("rm", "-f", path)
    if content is not None:
        bench.put(bench.source, "none.cfg", content)
    done = bench.source.run("xl", "migrate", "-C", path, "-s", "", GUEST, f"exec touch {path}.begun")
    assert done.status == 1 and done.stderr
    assert bench.source.run("test", "-e", f"{path}.begun").status == 1
    assert bench.source.run("xl", "create", "-q", "-n", path).status != 0
    assert bench.runs(bench.source)
