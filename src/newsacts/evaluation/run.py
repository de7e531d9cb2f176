"""A model against labelled sentences: scores with intervals, curves, slices, and the errors worth reading."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from newsacts.backends.base import tell_choices
from newsacts.calibration import BoolArray, compute_probabilities, decide_labels, name_labels
from newsacts.classifier import Classifier
from newsacts.errors import DataError, UsageError
from newsacts.evaluation.compare import compare_models, find_flips
from newsacts.evaluation.confusion import count_confusions
from newsacts.evaluation.curves import describe_curves
from newsacts.evaluation.score import Judged, find_worst_errors, score_predictions
from newsacts.evaluation.slices import BUILT_IN, score_slices
from newsacts.labels import LabelScheme
from newsacts.records import Example

REPORT_PROTOCOL = 1
"""Of `EvaluationReport.to_json`; raised when a key changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What one model did on labelled sentences.

    `scores` as `score_predictions` gives them, `curves` by `describe_curves`, `confusion` by `count_confusions`,
    `slices` by `score_slices`; `worst_errors` with text, gold and predicted labels, and probabilities. `model` says
    what decided: scheme, thresholds, policy, precision. `comparison` is that of `compare_evaluations`, or None.
    """

    model: dict[str, Any]
    scores: dict[str, Any]
    curves: dict[str, Any]
    confusion: dict[str, dict[str, int]]
    slices: dict[str, Any]
    worst_errors: list[dict[str, Any]]
    comparison: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Everything but the texts of single sentences, as values that JSON can hold; see docs/evaluation.md."""
        comparison = self.comparison
        if comparison is not None:
            comparison = {key: value for key, value in comparison.items() if key != "flips"}
        return {
            "protocol": REPORT_PROTOCOL,
            "model": self.model,
            "scores": self.scores,
            "curves": self.curves,
            "confusion": self.confusion,
            "slices": self.slices,
            "comparison": comparison,
        }


def evaluate(
    classifier: Classifier,
    examples: Sequence[Example],
    *,
    worst: int = 100,
    slice_by: Sequence[str] = BUILT_IN,
    compare: Classifier | None = None,
) -> EvaluationReport:
    """Score a classifier as it stands, with its stored calibration and thresholds.

    `slice_by` names "length", "register" or columns in `Example.extra`; `compare` is a second classifier of the same
    scheme. Raises `DataError` for no rows, `UsageError` for an unknown slice or another scheme.
    """
    if not examples:
        raise DataError("no labelled sentence is left to score, expected at least one")
    for name in slice_by:
        if name not in BUILT_IN and any(name not in example.extra for example in examples):
            raise UsageError(f"cannot slice by {name!r}: the examples do not carry it; load them with ColumnMap(keep=)")
    scheme = classifier.scheme
    judged = judge_examples(classifier, examples)
    comparison = None
    if compare is not None:
        if compare.scheme != scheme:
            raise UsageError(
                f"the other model has labels {compare.scheme.names}, expected {scheme.names}, in this order"
            )
        comparison = _compare(judged, judge_examples(compare, examples), examples, compare)
    return EvaluationReport(
        model=describe_model(classifier),
        scores=score_predictions(judged, scheme),
        curves=describe_curves(judged, scheme),
        confusion=count_confusions(judged, scheme),
        slices=score_slices(judged, examples, scheme, slice_by),
        worst_errors=[
            {**_show_sentence(judged, examples, scheme, error["row"]), **error}
            for error in find_worst_errors(judged, scheme, limit=worst)
        ],
        comparison=comparison,
    )


def judge_examples(classifier: Classifier, examples: Sequence[Example]) -> Judged:
    """Gold labels beside the probabilities and decisions of a classifier."""
    scheme, calibration = classifier.scheme, classifier.calibration
    logits = classifier.predict_logits([example.text for example in examples])
    probabilities = compute_probabilities(logits, scheme, calibration)
    decided = decide_labels(probabilities, scheme, calibration)
    return Judged(build_targets(examples, scheme), probabilities, decided, [example.group for example in examples])


def describe_model(classifier: Classifier) -> dict[str, Any]:
    """What decided: the checkpoint, its labels, thresholds and how they were chosen, and what computed, how exactly."""
    calibration = classifier.calibration
    return {
        "folder": str(classifier.checkpoint.folder),
        "labels": list(classifier.scheme.names),
        "exclusive": classifier.scheme.exclusive,
        "thresholds": None if classifier.scheme.exclusive else list(calibration.thresholds),
        "policy": calibration.policy,
        "prevalence": None if calibration.prevalence is None else list(calibration.prevalence),
        "choices": {name: asdict(choice) for name, choice in classifier.choices.items()},
        "computed": tell_choices(classifier.choices),
    }


def build_targets(examples: Sequence[Example], scheme: LabelScheme) -> BoolArray:
    """Gold labels as bool (n, k), columns in scheme order."""
    targets = np.zeros((len(examples), len(scheme)), dtype=np.bool_)
    for row, example in enumerate(examples):
        targets[row, [scheme.index(name) for name in example.labels]] = True
    return targets


def _show_sentence(judged: Judged, examples: Sequence[Example], scheme: LabelScheme, row: int) -> dict[str, Any]:
    values = judged.probabilities[row].tolist()
    return {
        "id": examples[row].id,
        "text": examples[row].text,
        "gold": list(examples[row].labels),
        "predicted": list(name_labels(values, judged.decided[row].tolist(), scheme)),
        "probabilities": {name: round(value, 4) for name, value in zip(scheme.names, values, strict=True)},
    }


def _compare(first: Judged, second: Judged, examples: Sequence[Example], other: Classifier) -> dict[str, Any]:
    scheme = other.scheme
    flips = [
        {"id": examples[flip["row"]].id, "text": examples[flip["row"]].text, "gold": list(examples[flip["row"]].labels)}
        | flip
        for flip in find_flips(first, second, scheme)
    ]
    return {
        "model": describe_model(other),
        **compare_models(first, second, scheme),
        "mended": sum(flip["change"] == "mended" for flip in flips),
        "broken": sum(flip["change"] == "broken" for flip in flips),
        "flips": flips,
    }
