"""From rates to shapes: the coordinates of lines, bands and ticks that the template draws. Knows no colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from newsacts.prevalence import Estimate

WIDTH, HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 26
MOST_POINTS = 130
"""Panels of more points draw no dot for each."""
TICKS_X, TICKS_Y = 6, 4
BAR = 120


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what stands there."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A rate as a dot with an error bar; `title` says it in words."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One label over time. `bands` and `lines` are SVG paths, one a stretch without gaps."""

    label: str
    description: str
    bands: tuple[str, ...]
    lines: tuple[str, ...]
    points: tuple[Point, ...]
    lone: tuple[Point, ...]
    ticks_x: tuple[Tick, ...]
    ticks_y: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate with its interval on a scale of 0 to 120."""

    middle: float
    low: float
    high: float


def draw_panel(label: str, names: Sequence[str], estimates: Sequence[Estimate | None], *, top: float) -> Panel:
    """A panel of one label; `names` are the periods without gaps, `estimates` their rates, None where none is known.

    `top` is the rate at the upper edge.
    """

    def to_x(place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / max(len(names), 1)

    def to_y(rate: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(rate, top) / top

    points: list[Point | None] = []
    for place, (name, one) in enumerate(zip(names, estimates, strict=True)):
        if one is None or one.value is None:
            points.append(None)
            continue
        low, high = one.low if one.low is not None else one.value, one.high if one.high is not None else one.value
        title = f"{name}: {describe_rate(one)}"
        middle, lower, upper = (round(to_y(rate), 1) for rate in (one.value, low, high))
        points.append(Point(round(to_x(place), 1), middle, lower, upper, title))
    stretches = _cut(points)
    known = [one for one in points if one is not None]
    lone = [stretch[0] for stretch in stretches if len(stretch) == 1]
    drawn = known if len(known) <= MOST_POINTS else lone
    return Panel(
        label,
        _describe(label, names, estimates),
        tuple(_draw_band(stretch) for stretch in stretches if len(stretch) > 1),
        tuple(_draw_line(stretch) for stretch in stretches if len(stretch) > 1),
        tuple(drawn),
        tuple(lone),
        tuple(Tick(round(to_x(place), 1), names[place]) for place in _choose_ticks(len(names))),
        tuple(Tick(round(to_y(rate), 1), format_tick(rate)) for rate in _choose_rates(top)),
    )


def choose_top(estimates: Sequence[Estimate | None]) -> float:
    """The rate at the upper edge: above all rates, and above all but the widest intervals."""
    values = [one.value for one in estimates if one is not None and one.value is not None]
    ends = sorted(one.high for one in estimates if one is not None and one.high is not None)
    most = max([*values, ends[int(0.95 * (len(ends) - 1))] if ends else 0.0, 1e-4])
    return min(1.0, 1.08 * most)


def draw_bar(estimate: Estimate, top: float) -> Bar | None:
    """A rate as a bar; None where there is no rate."""
    if estimate.value is None:
        return None
    low = estimate.low if estimate.low is not None else estimate.value
    high = estimate.high if estimate.high is not None else estimate.value
    return Bar(*(round(BAR * min(rate / top, 1.0), 1) for rate in (estimate.value, low, high)))


def describe_rate(estimate: Estimate) -> str:
    """A rate in words: 3.2 % (2.1 to 4.5)."""
    if estimate.value is None:
        return "unknown"
    if estimate.low is None or estimate.high is None:
        return f"{format_rate(estimate.value)} %"
    return f"{format_rate(estimate.value)} % ({format_rate(estimate.low)} to {format_rate(estimate.high)})"


def format_rate(rate: float) -> str:
    """A share as percent, with as many decimals as say something."""
    percent = 100 * rate
    if percent >= 1 or percent == 0:
        return f"{percent:.1f}"
    return f"{percent:.{min(1 - floor(log10(percent)), 6)}f}"


def format_tick(rate: float) -> str:
    """A share on an axis."""
    return f"{100 * rate:.3g} %"


def _cut(points: Sequence[Point | None]) -> list[list[Point]]:
    stretches: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(point)
    return [stretch for stretch in stretches if stretch]


def _draw_line(stretch: Sequence[Point]) -> str:
    return "M" + "L".join(f"{point.x:g},{point.y:g}" for point in stretch)


def _draw_band(stretch: Sequence[Point]) -> str:
    upper = [f"{point.x:g},{point.high:g}" for point in stretch]
    lower = [f"{point.x:g},{point.low:g}" for point in reversed(stretch)]
    return "M" + "L".join(upper + lower) + "Z"


def _choose_ticks(count: int) -> list[int]:
    step = max(1, -(-count // TICKS_X))
    return list(range(0, count, step))


def _choose_rates(top: float) -> list[float]:
    rough = top / TICKS_Y
    power = 10 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [step * number for number in range(int(top / step + 1e-9) + 1)]


def _describe(label: str, names: Sequence[str], estimates: Sequence[Estimate | None]) -> str:
    known = [(one.value, name) for one, name in zip(estimates, names, strict=True) if one and one.value is not None]
    if not known:
        return f"No rate of {label} is known."
    (least, first), (most, second) = min(known), max(known)
    return (
        f"Rate of {label} from {names[0]} to {names[-1]}: lowest {format_rate(least)} % in {first}, highest "
        f"{format_rate(most)} % in {second}."
    )
