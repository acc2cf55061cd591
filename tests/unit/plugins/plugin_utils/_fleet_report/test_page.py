# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page stands alone, shows everything, and takes nothing that comes from outside for its own."""

from __future__ import annotations

import html.parser
import re
import typing as t
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import charts, page, words
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.building import Left
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Report
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet_report.runs import (
    EVIL,
    ZONE,
    evening,
    failed,
    host_info,
    planned,
    refusal,
    report,
    result,
)

NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
# Elements of HTML that have no end.
_VOID = {"meta", "br"}


class Reader(html.parser.HTMLParser):
    """Reads a page: its elements with their attributes, its text, and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        """Read it all."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one that is empty."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Require that it was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text, without what is no text for people."""
        if self._open and self._open[-1] != "style":
            self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of the elements of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def shown(made: Report, drawn: t.Mapping[str, str], note: str = "") -> str:
    """Return the page of a report."""
    return page.render(made, drawn, note, ZONE, "report.json")


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    """The charts of the evening."""
    return charts.draw(report(evening()), ZONE)


def test_the_page_stands_alone(drawn: dict[str, str]) -> None:
    """Nothing is loaded: no script, no link, no picture; no address but the names of the two languages of a drawing."""
    text = shown(report(evening()), drawn)
    read = Reader(text)
    tags = {tag for tag, dummy in read.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "audio", "video", "base", "form", "a"}
    assert set(re.findall(r"https?://[^\"' <]+", text)) == NAMESPACES
    assert re.findall(r"@import|url\((?!#)", text) == []
    references = [value for dummy, attributes in read.elements for key, value in attributes.items() if "href" in key]
    assert references and all(value and value.startswith("#") for value in references)
    (policy,) = [each for each in read.of("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def evil_everywhere() -> Left:
    """Return what a run has left in which every text that comes from outside wants to be more than a text."""
    texts = {"code": EVIL, "severity": EVIL, "host": EVIL, "msg": EVIL, "message": EVIL, "remedy": EVIL}
    told = failed(1, EVIL, 5, source=EVIL, destination=EVIL, method=EVIL, transport=EVIL, error=texts, reason=EVIL)
    told.update(remarks=[texts], findings=[texts], owner="source")
    refused = refusal({**planned(2, EVIL, EVIL, EVIL), "name": EVIL}, {**texts, "severity": "error"}, treatment=EVIL)
    looks = {EVIL: host_info(1, [1]), f"{EVIL}2": {"msg": EVIL, "unreachable": True}}
    return Left([planned(3, EVIL, EVIL, EVIL)], [told], [refused], [{**texts, "domain": EVIL}], looks, {})


def test_what_comes_from_outside_is_shown_and_not_run() -> None:
    """Names of domains, hosts, codes, messages, remedies, what the caller gave: all of them are text."""
    made = report(evil_everywhere(), title=EVIL, by=EVIL, reference=EVIL)
    text = shown(made, charts.draw(made, ZONE), EVIL)
    assert "<script" not in text.lower()
    assert Reader(text).text.count(EVIL) > 30


@pytest.mark.parametrize(
    "name", ['" onload="x', "a' b", "]]>", "<!--", "{{ 7 * 7 }}", "$\\frac{1}{2}$", "\x00\x1b[2J", "\ud800"]
)
def test_a_name_may_be_anything(name: str) -> None:
    """It is one text in the table and one in the chart, and no part of either; what no file can hold is replaced."""
    made = report(Left(results=[result(1, name, 5)]))
    drawing = charts.draw(made, ZONE)
    text = shown(made, drawing)
    text.encode()
    expected = made.moves[0].name
    assert len(expected) == len(name) and "\x00" not in text
    read = Reader(text)
    assert expected in read.text
    assert not [key for dummy, attributes in read.elements for key in attributes if key.startswith("on")]
    assert expected in "".join(ET.fromstring(drawing["gantt"]).itertext())


def test_everything_is_told(drawn: dict[str, str]) -> None:
    """What moved, when, from where to where, how, how long it stood still; what was refused and why; memory."""
    made = report(evening())
    text = Reader(shown(made, drawn)).text
    for move in made.moves:
        assert move.name in text and words.way(move.source, move.destination) in text
        assert words.outcome(move) in text and (move.uuid or "") in text
    for told in ("16:44:43", "16:45:12", "live over tls", "29 s", "4.1 s", "691 MiB", "left paused", "(adopted)"):
        assert told in text
    for told in ("its 8 GiB do not fit into the 6.2 GiB that are free.", "Free 1.8 GiB there", "never_move", "skip"):
        assert told in text
    for told in ("CHG-4711", "anna at ops1", "2026-11-23 16:44:32", "7 min 40 s", "UTC+01:00", "report.json"):
        assert told in text
    for told in ("No route to host", "4096 MiB", "mac_not_heard", "Let the guest send something", "7.8 s (web-10)"):
        assert told in text


def test_what_is_most_urgent_comes_first() -> None:
    """A domain that runs twice before one that was refused, with what to type."""
    text = Reader(shown(report(evening()), {})).text
    needs = text[text.index("What needs somebody") : text.index("Moves")]
    places = [needs.index(f"{name}: ") for name in ("ldap", "mail", "never-heard-of", "warehouse")]
    assert places == sorted(places)
    assert "Type xl pause DOMID on both hosts, now" in needs


def test_those_who_do_not_see_it_are_told_too(drawn: dict[str, str]) -> None:
    """Table headings say what they head, drawings have a title and a description, and no state is a colour alone."""
    read = Reader(shown(report(evening()), drawn))
    assert all(attributes.get("scope") in ("col", "row", "rowgroup") for attributes in read.of("th"))
    assert read.of("html") == [{"lang": "en"}]
    drawings = read.of("svg")
    assert [each["role"] for each in drawings] == ["img", "img"]
    found = [attributes["id"] for dummy, attributes in read.elements if "id" in attributes]
    assert len(found) == len(set(found))
    for each in (*drawings, *read.of("section")):
        assert set(str(each["aria-labelledby"]).split()) <= set(found)
    assert all(sign in read.text for sign in ("✓ moved", "✗ stayed", "⊘ refused", "! runs twice", "… not done"))


def test_without_charts_every_figure_is_there_and_the_reason() -> None:
    """The tables need no library."""
    text = shown(report(evening()), {}, "matplotlib cannot be imported.")
    read = Reader(text)
    assert read.of("svg") == []
    assert "There are no charts: matplotlib cannot be imported." in read.text
    assert len(read.of("tr")) > 45


def test_charts_are_missing_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lack of matplotlib is an error of its own, which a report survives."""
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(charts.ChartsMissing) as caught:
        charts.draw(report(evening()), ZONE)
    assert "Install matplotlib" in str(caught.value.as_result()["msg"])


def test_the_chart_has_a_row_for_each_move_and_marks_the_stops(drawn: dict[str, str]) -> None:
    """Names and ways are text in it; what stood still is hatched in the colour of the legend."""
    root = ET.fromstring(drawn["gantt"])
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    made = report(evening())
    for move in made.moves:
        assert words.cut(move.name, charts.NAME_MAX) in texts
    stops = sum(move.stop_began_s is not None for move in made.moves)
    hatched = [each for each in root.iter() if "fill: url(#gantt-" in each.get("style", "")]
    # Each stop, the bars of the two that did not succeed, and both in the legend.
    assert stops == 26 and len(hatched) == stops + 2 + 2


def test_of_very_many_moves_the_chart_has_those_that_matter() -> None:
    """Those that need somebody, then the longest; the page says how many it leaves out."""
    moves = [result(number, f"d{number}", number, 1 + number % 7) for number in range(charts.ROWS_MAX + 50)]
    moves[17] = failed(17, "d17", 17)
    made = report(Left(results=moves), lasts_s=1000)
    rows, more = charts.gantt_rows(made)
    assert (len(rows), more) == (charts.ROWS_MAX, 50)
    assert "d17" in [move.name for move in rows]
    assert [move.began_s for move in rows] == sorted(move.began_s or 0 for move in rows)
    assert "50 moves have no row here" in shown(made, {"gantt": "<svg></svg>"})


def test_a_large_report_is_bounded() -> None:
    """More rows than a browser shows well are left to the JSON, and told; a text that has no end is cut."""
    many = [result(number, f"d{number}", 1, reason="x" * 100_000) for number in range(page.ROWS_MAX + 10)]
    made = report(Left(results=many))
    text = shown(made, {})
    assert "10 more are in report.json" in text
    assert len(text) < 4_000_000 and max(len(move.reason) for move in made.moves) <= 4000
