"""Figures of docs/report.md: coverage of intervals, the active learning plot, what a report costs."""

from collections.abc import Callable
from typing import Any

from rendering.results import read_result, unless_missing

PAGES = ("docs/report.md", "docs/active_learning.svg")

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 360, 56, 190, 20, 48
COLORS = ("#8a8578", "#0072b2")
EVERY = 2
BUSY = 3


def render_coverage() -> str:
    """How often each nominal 95 % interval held the truth, by world, with its width."""
    result = read_result("coverage")
    names = list(result["worlds"][0]["estimators"])
    rows = ["| corpora | true rate | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for world in result["worlds"]:
        cells = [
            f"{one['coverage']:.1%}, width {100 * one['width']:.1f}{_tell_given(one['given'])}"
            for one in (world["estimators"][name] for name in names)
        ]
        rows.append(f"| {world['world']['name']} | {world['truth']:.1%} | {' | '.join(cells)} |")
    sheet = [_tell_lowest(result["worlds"], name) for name in ("adjusted from the sheet", "powered")]
    rows += [
        "",
        f"With a sheet, intervals of 95 % held the truth least often as {' and '.join(sheet)}.",
        "",
        f"Share of {result['repeats']:,} invented corpora of {result['articles']:,} articles whose 95 % interval holds "
        f"the truth, and mean width in percentage points; {result['checked']} sentences checked by hand, "
        f"{result['judged']:,} in dev. `{result['command']}`.",
    ]
    return "\n".join(rows)


def _tell_lowest(worlds: list[dict[str, Any]], name: str) -> str:
    worst = min(worlds, key=lambda world: world["estimators"][name]["coverage"])
    return f"`{name}`, {worst['estimators'][name]['coverage']:.1%} ({worst['world']['name']})"


def _tell_given(share: float) -> str:
    return "" if share == 1 else f", given in {share:.1%}"


def render_active_learning() -> str:
    """Macro-F1 after so many labelled sentences, by way of choosing them."""
    result = read_result("active_learning")
    random, chosen = (result["strategies"][name] for name in ("random", "uncertain and diverse"))
    rows = ["| labelled | by chance | uncertain and diverse | difference, 95 % interval |", "|---|---|---|---|"]
    for place, labelled in list(enumerate(result["labelled"]))[::EVERY]:
        gap = result["difference"][place]
        ends = f"{gap['mean']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})" if place else "the same sentences"
        rows.append(f"| {labelled:,} | {random[place]['mean']:.3f} | {chosen[place]['mean']:.3f} | {ends} |")
    rows += [
        "",
        f"Macro-F1 on {result['sentences']['dev']:,} real sentences, mean of {result['seeds']} beginnings, chosen from "
        f"{result['sentences']['pool']:,}. The learner is a cheap stand-in: {result['learner']}. "
        f"`{result['command']}`.",
    ]
    return "\n".join(rows)


def render_cost() -> str:
    """What a report of a million sentences costs."""
    result = read_result("report")
    # A starved process shows by the clock what its neighbours cost, not what it does.
    starved = result["seconds"] > BUSY * result["processor_seconds"]
    machine = ", on a machine that was busy with much else" if starved else ""
    spent = (
        f"{result['processor_seconds']:.0f} seconds of processor time ({result['seconds']:.0f} by the clock{machine})"
    )
    return (
        f"{result['sentences']:,} sentences of {result['articles']:,} articles: {spent}, {result['megabytes']:.1f} MB, "
        f"{result['peak_memory_mb']:,} MB of memory at the most. `{result['command']}`."
    )


def render_active_learning_plot() -> str:
    """The lines and bands of the plot, as SVG."""
    result = read_result("active_learning")
    labelled = result["labelled"]
    ends = [one[side] for rows in result["strategies"].values() for one in rows for side in ("low", "high")]
    low, high = min(ends) - 0.01, max(ends) + 0.01

    def to_x(count: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * float((count - labelled[0]) / (labelled[-1] - labelled[0]))

    def to_y(score: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float((score - low) / (high - low))

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf8"/>']
    for tenth in range(int(low * 20) + 1, int(high * 20) + 1):
        y = to_y(tenth / 20)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dedad1"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth / 20:.2f}</text>')
    parts += [
        f'<text x="{to_x(count):.1f}" y="{HEIGHT - 26}" text-anchor="middle">{count:,}</text>'
        for count in labelled[::EVERY]
    ]
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">sentences labelled</text>'
    )
    for (name, rows), color in zip(result["strategies"].items(), COLORS, strict=True):
        upper = [f"{to_x(count):.1f},{to_y(one['high']):.1f}" for count, one in zip(labelled, rows, strict=True)]
        lower = [f"{to_x(count):.1f},{to_y(one['low']):.1f}" for count, one in zip(labelled, rows, strict=True)]
        line = [f"{to_x(count):.1f},{to_y(one['mean']):.1f}" for count, one in zip(labelled, rows, strict=True)]
        parts.append(f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{color}" opacity="0.18"/>')
        parts.append(f'<polyline points="{" ".join(line)}" fill="none" stroke="{color}" stroke-width="2.5"/>')
        y = to_y(rows[-1]["mean"]) + 4
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y:.1f}" fill="{color}">{name}</text>')
    return "\n".join(parts)


_UNMEASURED = "Not measured yet: `python scripts/measure_{}.py`."
RENDERERS: dict[str, Callable[[], str]] = {
    "coverage": unless_missing("coverage", render_coverage, _UNMEASURED.format("coverage")),
    "active-learning": unless_missing("active_learning", render_active_learning, _UNMEASURED.format("active_learning")),
    "active-learning-plot": unless_missing("active_learning", render_active_learning_plot, "<!-- not measured yet -->"),
    "report-cost": unless_missing("report", render_cost, _UNMEASURED.format("report")),
}
