# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts of a report, drawn by matplotlib, as SVG that stands in a page (private to the collection).

matplotlib may be missing on the controller; it is imported when something is drawn and not before.
"""

from __future__ import annotations

import datetime
import io
import typing as t
import warnings

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import records, words
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.inlining import inlined
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Host, Memory, Move, Report

if t.TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More rows than that nobody reads; the tables have all.
ROWS_MAX = 200
NAME_MAX = 26
_HOST_MAX = 14
_WIDTH_IN, _ROW_IN, _FRAME_IN = 11.0, 0.26, 0.95
# Okabe and Ito's palette, which people with any kind of colour vision tell apart; each colour has a pattern, too.
_BLUE, _ORANGE, _GREY, _GREEN = "#0072b2", "#d55e00", "#6b6b6b", "#009e73"
_STYLE: dict[str, t.Any] = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a name may have dollar signs in it
    "text.usetex": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 8.0,
    "hatch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class ChartsMissing(Dom0XenError):
    """Charts cannot be drawn on this controller."""

    code = "charts_missing"
    remedy = "Install matplotlib 3.9 or newer for the Python that runs Ansible; the tables need nothing."


def draw(report: Report, zone: datetime.tzinfo) -> dict[str, str]:
    """Return the charts that there is something for, ``gantt`` and ``memory``, each as one ``<svg>``.

    Raises ChartsMissing when matplotlib is not there or cannot draw, whatever it is that it lacks.
    """
    try:
        import matplotlib
        from matplotlib import style
    except Exception as exc:  # a library that does not fit to another one may raise anything
        raise ChartsMissing(f"matplotlib cannot be imported: {exc}") from exc
    try:
        with warnings.catch_warnings(), style.context(["default", _STYLE]):
            # Such as a letter that the font lacks, whose width is guessed: the browser has it.
            warnings.simplefilter("ignore")
            drawn = {}
            rows, dummy = gantt_rows(report)
            if rows:
                matplotlib.rcParams["svg.hashsalt"] = "gantt"
                drawn["gantt"] = _svg(_gantt(report, rows, zone), "gantt", "The course of the run", _GANTT_TEXT)
            hosts = [host for host in report.hosts if host.before or host.after][:ROWS_MAX]
            if hosts:
                matplotlib.rcParams["svg.hashsalt"] = "memory"
                drawn["memory"] = _svg(_memory(hosts), "memory", "Memory of the hosts", _MEMORY_TEXT)
            return drawn
    except Exception as exc:  # a report without charts is worth more than none
        raise ChartsMissing(f"matplotlib {matplotlib.__version__} cannot draw: {type(exc).__name__}: {exc}") from exc


def gantt_rows(report: Report) -> tuple[list[Move], int]:
    """Return the moves that have a row, in their order, and how many have none, though this run had to do with them.

    Where there are too many, those that need somebody go first, then the longest.
    """
    moves = [(number, move) for number, move in enumerate(report.moves) if move.outcome != records.ALREADY_THERE]
    first = sorted(moves, key=lambda each: (not each[1].attention, -(each[1].total_ms or 0), each[0]))[:ROWS_MAX]
    return [move for dummy, move in sorted(first, key=lambda each: each[0])], len(moves) - len(first)


_GANTT_TEXT = (
    "One row for each move, in the order in which they began. A bar lasts from the start of the move to its end; its"
    " hatched part is the time in which the domain stood still. The table of the moves has the same figures."
)
_MEMORY_TEXT = (
    "Two bars for each host, before and after the run: memory of dom0, of the domains, and free memory. The table of"
    " the hosts has the same figures."
)


def _gantt(report: Report, rows: t.Sequence[Move], zone: datetime.tzinfo) -> Figure:
    import matplotlib.dates

    dates: t.Any = matplotlib.dates  # which has no types
    first, last = report.run.began_s, max(report.run.ended_s, report.run.began_s + 1.0)
    axes = _axes(len(rows), left=0.18, right=0.73)

    def at(moment: float) -> float:
        when = datetime.datetime.fromtimestamp(min(max(moment, first), last), zone)
        return float(dates.date2num(when))

    for row, move in enumerate(rows):
        _bar(axes, row, move, at, at(last))
        fate = words.chart_text(move, _HOST_MAX)
        axes.text(1.012, row, fate, transform=axes.get_yaxis_transform(), va="center", fontsize=7.2)
    axes.set_xlim(at(first), at(last))
    axes.set_yticks(range(len(rows)), [words.cut(move.name, NAME_MAX) for move in rows])
    locator = dates.AutoDateLocator(tz=zone, minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
    axes.grid(axis="x", color="#d8d8d8", linewidth=0.6)
    _legend(
        axes,
        {
            "is moved": {"facecolor": _BLUE, "edgecolor": _BLUE},
            "stood still": {"facecolor": _ORANGE, "edgecolor": "black", "hatch": "////"},
            "did not succeed": {"facecolor": "white", "edgecolor": _GREY, "hatch": "xxx"},
        },
    )
    return t.cast("Figure", axes.figure)


def _bar(axes: Axes, row: int, move: Move, at: t.Callable[[float], float], end: float) -> None:
    if move.began_s is None:
        axes.plot([0.005], [row], marker="x", color=_GREY, markersize=4, transform=axes.get_yaxis_transform())
        return
    begin = at(move.began_s)
    over = at(move.ended_s) if move.ended_s is not None else end
    well = move.outcome == records.MOVED
    look: dict[str, t.Any] = {"facecolor": _BLUE, "edgecolor": _BLUE}
    if not well:
        look = {"facecolor": "white", "edgecolor": _GREY, "hatch": "xxx"}
    axes.barh(row, over - begin, left=begin, height=0.62, linewidth=0.8, **look)
    if move.adopted:
        look = {"marker": "<", "color": "black", "markersize": 4.5, "clip_on": False}
        axes.plot([-0.007], [row], transform=axes.get_yaxis_transform(), **look)
    if move.stop_began_s is not None and move.stop_ms is not None:
        still = at(move.stop_began_s)
        wide = min(at(move.stop_began_s + move.stop_ms / 1000), over) - still
        # Its edge keeps it to be seen where it is a thousandth of the run.
        axes.barh(
            row, max(wide, 0.0), left=still, height=0.62, facecolor=_ORANGE, edgecolor="black", hatch="////", lw=0.7
        )


def _memory(hosts: t.Sequence[Host]) -> Figure:
    looks: list[tuple[str, Memory]] = []
    for host in hosts:
        for when, look in (("before", host.before), ("after", host.after)):
            if look is not None:
                looks.append((f"{words.cut(host.host, NAME_MAX - 7)} {when}", look))
    axes = _axes(len(looks), left=0.18, right=0.73)
    kinds: dict[str, dict[str, t.Any]] = {
        "dom0": {"facecolor": _GREY, "edgecolor": "black", "hatch": "\\\\\\"},
        "domains": {"facecolor": _BLUE, "edgecolor": "black"},
        "free": {"facecolor": "white", "edgecolor": _GREEN, "hatch": "///"},
    }
    for row, (dummy, look) in enumerate(looks):
        left = 0.0
        for size, kind in zip((look.dom0_mib, look.domains_mib, look.free_mib), kinds.values(), strict=True):
            axes.barh(row, size / 1024, left=left, height=0.62, linewidth=0.7, **kind)
            left += size / 1024
        text = words.memory_text(look)
        axes.text(1.012, row, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7.2)
    axes.set_yticks(range(len(looks)), [label for label, dummy in looks])
    axes.set_xlabel("GiB")
    axes.grid(axis="x", color="#d8d8d8", linewidth=0.6)
    _legend(axes, kinds)
    return t.cast("Figure", axes.figure)


def _axes(rows: int, left: float, right: float) -> Axes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    high = _FRAME_IN + rows * _ROW_IN
    figure = Figure(figsize=(_WIDTH_IN, high))
    FigureCanvasSVG(figure)
    axes = figure.add_axes((left, 0.55 / high, right - left, rows * _ROW_IN / high))
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, pad=9)
    return axes


def _legend(axes: Axes, kinds: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(label=label, **look) for label, look in kinds.items()]
    axes.legend(
        handles=patches,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=len(kinds),
        frameon=False,
        borderaxespad=0.4,
        handlelength=2.4,
    )


def _svg(figure: Figure, name: str, title: str, description: str) -> str:
    with io.StringIO() as drawn:
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        return inlined(drawn.getvalue(), name, title, description)
