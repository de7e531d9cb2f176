"""The evaluation page: scores with intervals, curves, a threshold explorer, confusions, slices, comparison, errors.

    html = render_evaluation(report, data=["test.jsonl"])

Everything on the page is in the `EvaluationReport`; nothing is measured here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from newsacts.evaluation.run import EvaluationReport
from newsacts.labels import DEFAULT_SCHEME, NO_LABEL
from newsacts.report.codebook_rules import CODEBOOK_RULES, CODEBOOK_VERSION, Rule
from newsacts.report.evaluation_plots import (
    EVEN_TICKS,
    ROOT_TICKS,
    SIZE,
    Whisker,
    draw_precision_recall,
    draw_reliability,
)
from newsacts.report.page import LabelLook, render_page, style_labels

MOST_FLIPS = 200
"""So many flipped decisions are on the page; the others are in flips.jsonl."""


@dataclass(frozen=True, slots=True)
class LabelPart:
    """One label on the page. `point` is (recall, precision) in units of the plot, or None without a score."""

    look: LabelLook
    scores: dict[str, Any]
    threshold: float | None
    curve: str
    point: tuple[float, float] | None
    reliability: list[Whisker]
    bins: list[dict[str, Any]]


def render_evaluation(report: EvaluationReport, *, data: Sequence[str] = ()) -> str:
    """The whole page. `data` names what was scored, for the reader."""
    names = report.model["labels"]
    looks = style_labels(names)
    comparison = report.comparison
    return render_page(
        "evaluation.html.j2",
        title="Evaluation",
        model=report.model,
        data=list(data),
        scores=report.scores,
        labels=[_prepare_label(report, looks[name], column) for column, name in enumerate(names)],
        looks=looks,
        explorer=_prepare_explorer(report),
        confusion=_prepare_confusion(report),
        slices=report.slices,
        errors=report.worst_errors,
        rules=_find_rules(names),
        codebook_version=CODEBOOK_VERSION,
        comparison=comparison,
        flips=[] if comparison is None else comparison["flips"][:MOST_FLIPS],
        even_ticks=EVEN_TICKS,
        root_ticks=ROOT_TICKS,
        size=SIZE,
        no_label=NO_LABEL,
    )


def _prepare_label(report: EvaluationReport, look: LabelLook, column: int) -> LabelPart:
    scores, curves = report.scores["labels"][look.name], report.curves[look.name]
    thresholds = report.model["thresholds"]
    scored = scores["precision"] is not None
    return LabelPart(
        look=look,
        scores=scores,
        threshold=None if thresholds is None else thresholds[column],
        curve=draw_precision_recall(curves["precision_recall"]),
        point=(scores["recall"] * SIZE, (1 - scores["precision"]) * SIZE) if scored else None,
        reliability=draw_reliability(curves["reliability"]),
        bins=curves["reliability"],
    )


def _prepare_explorer(report: EvaluationReport) -> list[dict[str, Any]]:
    """What the script needs, by label; empty for exclusive labels, which have no thresholds."""
    thresholds = report.model["thresholds"]
    if thresholds is None:
        return []
    return [
        {"name": name, "threshold": threshold, **report.curves[name]["thresholds"]}
        for name, threshold in zip(report.model["labels"], thresholds, strict=True)
    ]


def _prepare_confusion(report: EvaluationReport) -> list[dict[str, Any]]:
    """Rows of the table. The `share` that shades a cell is of all cells of its row."""
    rows = []
    for gold, cells in report.confusion.items():
        total = sum(cells.values())
        rows.append(
            {
                "gold": gold,
                "cells": [
                    {"predicted": name, "count": count, "share": count / total if total else 0.0, "right": name == gold}
                    for name, count in cells.items()
                ],
            }
        )
    return rows


def _find_rules(names: Sequence[str]) -> dict[str, Rule]:
    # Another scheme may use the word "denial" for something else: the rules belong to the four acts as a whole.
    return CODEBOOK_RULES if set(names) <= set(DEFAULT_SCHEME.names) else {}
