"""Operating points: the threshold at which a label reaches a precision or a recall, and what else it reaches there.

A checkpoint stores, per label, some fifty points of its dev curve: threshold, precision, recall, each with its 95 %
interval. Every wish is served from these measured points; nothing is interpolated, and what dev did not reach is an
error that says what it did reach. Fitting lives in `training.operating_fit`.

Under another prior (see `priors`) recall at a point stays what it was and the odds of precision move as the odds of
the label do, so the curve can be moved with the probabilities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from newsacts.errors import UsageError

Measure = Literal["precision", "recall", "f1"]
Interval = tuple[float, float]

_COLUMNS = ("threshold", "decided", "precision", "precision_low", "precision_high", "recall", "recall_low",
            "recall_high")  # fmt: skip


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold does on dev: how many sentences get the label, how many of them rightly, how much is found."""

    threshold: float
    decided: int
    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class LabelCurve:
    """Points of one label, thresholds rising, measured where `prevalence` of the sentences carry the label."""

    prevalence: float
    points: tuple[OperatingPoint, ...]


@dataclass(frozen=True, slots=True)
class OperatingCurves:
    """Curves of all labels in scheme order; None for a label that dev did not hold, or held alone.

    `how` says in words how they were measured. `crossfitted` holds for a wish ("precision 0.9") and each label the
    precision and recall out of fold, the threshold chosen without the fold; null where a fold did not reach it.
    """

    how: str
    sentences: int
    articles: int
    labels: tuple[LabelCurve | None, ...]
    crossfitted: Mapping[str, Any]


def choose_point(curve: LabelCurve, measure: Measure, target: float) -> OperatingPoint | None:
    """The point that fulfils a wish, or None where none does.

    "precision": the lowest threshold that reaches it, which keeps the most recall; a higher wish never gets a lower
    threshold. "recall": the highest threshold that reaches it; a higher wish never gets a higher threshold.
    """
    if measure == "precision":
        return next((point for point in curve.points if point.precision >= target), None)
    return next((point for point in reversed(curve.points) if point.recall >= target), None)


def find_best_f1(curve: LabelCurve) -> OperatingPoint:
    """The point of the best F1. Its half is the threshold for calibrated probabilities (Lipton and others 2014)."""
    return max(curve.points, key=lambda point: point.f1)


def find_points(
    curves: Mapping[str, LabelCurve | None], measure: Measure, target: float | None = None, *, nearest: bool = False
) -> dict[str, OperatingPoint]:
    """The point of every label for a wish; "f1" takes no target.

    Raises `UsageError` naming each label that does not reach it and what it does reach. With `nearest` such a label
    gets the point where the measure is highest instead; compare its figures with the wish.
    """
    check_wish(measure, target)
    points, missed = {}, []
    for name, curve in curves.items():
        if curve is None:
            raise UsageError(f"{name}: the development sentences held only one case of it; its thresholds are unknown")
        point = find_best_f1(curve) if target is None else choose_point(curve, measure, target)
        if point is None:
            point = max(curve.points, key=lambda point: float(getattr(point, measure)))
            missed.append(f"{name} reaches {measure} {getattr(point, measure):.3f} at most")
        points[name] = point
    if missed and not nearest:
        raise UsageError(
            f"{measure} {target:g} is not reached by every label on the development sentences: {'; '.join(missed)}; "
            "ask for less, name the labels that reach it, or take the nearest (nearest=True)"
        )
    return points


def describe_wish(points: Mapping[str, OperatingPoint], measure: Measure, target: float | None) -> str:
    """A wish in words, and which labels fall short of it: "precision 0.9 (regret: 0.815)"."""
    if target is None:
        return "best F1"
    short = [f"{name}: {value:.3f}" for name, point in points.items() if (value := getattr(point, measure)) < target]
    return f"{measure} {target:g}" + (f" ({', '.join(short)})" if short else "")


def check_wish(measure: str, target: float | None) -> None:
    """Raises `UsageError` for an unknown measure, or a target that is missing, superfluous or no share."""
    if measure not in get_args(Measure):
        raise UsageError(f"operating point {measure!r} is unknown; expected {', '.join(get_args(Measure))}")
    if measure == "f1":
        if target is not None:
            raise UsageError(f"the operating point of the best F1 takes no target, got {target!r}")
    elif target is None or not 0 < target <= 1:
        raise UsageError(f"expected a {measure} between 0 and 1, like 0.9, got {target!r}")


def move_curve(curve: LabelCurve, prevalence: float) -> LabelCurve:
    """The curve as it would be where `prevalence` of the sentences carry the label, all else equal (label shift)."""
    ratio = prevalence / (1 - prevalence) / (curve.prevalence / (1 - curve.prevalence))
    return LabelCurve(prevalence, tuple(_move_point(point, ratio) for point in curve.points))


def format_curves(curves: OperatingCurves, names: Sequence[str]) -> dict[str, Any]:
    """As values that JSON can hold: one list a column, which keeps the file short."""
    labels = {
        name: None if curve is None else {"prevalence": curve.prevalence, "points": _format_points(curve.points)}
        for name, curve in zip(names, curves.labels, strict=True)
    }
    return {
        "how": curves.how,
        "sentences": curves.sentences,
        "articles": curves.articles,
        "crossfitted": dict(curves.crossfitted),
        "labels": labels,
    }


def parse_curves(stored: Mapping[str, Any], names: Sequence[str]) -> OperatingCurves:
    """The way back from `format_curves`. Raises KeyError, TypeError or ValueError for what is malformed."""
    return OperatingCurves(
        how=str(stored["how"]),
        sentences=int(stored["sentences"]),
        articles=int(stored["articles"]),
        labels=tuple(_parse_curve(stored["labels"][name]) for name in names),
        crossfitted=dict(stored["crossfitted"]),
    )


def _move_point(point: OperatingPoint, ratio: float) -> OperatingPoint:
    return replace(
        point,
        threshold=_multiply_odds(point.threshold, ratio),
        precision=_multiply_odds(point.precision, ratio),
        precision_interval=(
            _multiply_odds(point.precision_interval[0], ratio),
            _multiply_odds(point.precision_interval[1], ratio),
        ),
    )


def _multiply_odds(share: float, ratio: float) -> float:
    # A curve that stays in place keeps its figures to the bit.
    return share if ratio == 1 else share * ratio / (share * ratio + 1 - share)


def _format_points(points: Sequence[OperatingPoint]) -> dict[str, list[float]]:
    rows = [
        (point.threshold, point.decided, point.precision, *point.precision_interval, point.recall,
         *point.recall_interval)
        for point in points
    ]  # fmt: skip
    return {name: list(column) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)}


def _parse_curve(stored: Mapping[str, Any] | None) -> LabelCurve | None:
    if stored is None:
        return None
    columns = stored["points"]
    points = [_parse_point(*values) for values in zip(*(columns[name] for name in _COLUMNS), strict=True)]
    if not points:
        raise ValueError("an operating curve without points")
    prevalence = float(stored["prevalence"])
    if not 0 < prevalence < 1:
        raise ValueError(f"an operating curve at a prevalence of {prevalence}, expected one between 0 and 1")
    return LabelCurve(prevalence, tuple(points))


def _parse_point(threshold: float, decided: float, *figures: float) -> OperatingPoint:
    if not all(0 <= value <= 1 for value in (threshold, *figures)):
        raise ValueError(f"an operating point with {[threshold, *figures]}, expected numbers between 0 and 1")
    precision, precision_low, precision_high, recall, recall_low, recall_high = map(float, figures)
    return OperatingPoint(
        float(threshold), int(decided), precision, (precision_low, precision_high), recall, (recall_low, recall_high)
    )
