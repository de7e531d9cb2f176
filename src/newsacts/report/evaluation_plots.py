"""Geometry of the curves on the evaluation page: from figures to points of an SVG of 100 by 100 units, y downward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

SIZE = 100.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: where it is, and what stands beside it."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Whisker:
    """A point with an interval; `y_low` is the end of the lower value, so it is further down."""

    x: float
    y: float
    y_low: float
    y_high: float
    note: str


EVEN_TICKS = tuple(Tick(share * SIZE, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1))
ROOT_TICKS = tuple(Tick(sqrt(share) * SIZE, f"{share:g}") for share in (0, 0.05, 0.25, 0.5, 1))


def draw_precision_recall(points: Sequence[Mapping[str, float]] | None) -> str:
    """Recall to the right, precision upward, as the points of a polyline; empty without a curve."""
    shown = sorted(points or (), key=lambda point: (point["recall"], -point["precision"]))
    return " ".join(f"{point['recall'] * SIZE:.2f},{(1 - point['precision']) * SIZE:.2f}" for point in shown)


def draw_reliability(bins: Sequence[Mapping[str, Any]]) -> list[Whisker]:
    """Said to the right, true upward, both on a square-root scale, so that rare labels do not crowd the corner."""
    return [
        Whisker(
            x=sqrt(one["predicted"]) * SIZE,
            y=_place(one["observed"]),
            y_low=_place(one["interval"][0]),
            y_high=_place(one["interval"][1]),
            note=f"{one['sentences']} sentences: said {one['predicted']:.3f}, true {one['observed']:.3f} "
            f"({one['interval'][0]:.3f} to {one['interval'][1]:.3f})",
        )
        for one in bins
    ]


def _place(share: float) -> float:
    return (1 - sqrt(share)) * SIZE
