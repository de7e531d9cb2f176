"""A model against labelled sentences: scores with intervals, and the errors worth reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsacts.calibration import BoolArray, compute_probabilities, decide_labels
from newsacts.classifier import Classifier
from newsacts.errors import DataError
from newsacts.evaluation.score import Judged, find_worst_errors, score_predictions
from newsacts.labels import LabelScheme
from newsacts.records import Example


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """`scores` as `score_predictions` gives them; `worst_errors` with the text of each sentence."""

    scores: dict[str, Any]
    worst_errors: list[dict[str, Any]]


def evaluate(classifier: Classifier, examples: Sequence[Example], *, worst: int = 100) -> EvaluationReport:
    """Score a classifier as it stands, with its stored calibration and thresholds. Raises `DataError` for no rows."""
    if not examples:
        raise DataError("no labelled sentence is left to score, expected at least one")
    scheme, calibration = classifier.scheme, classifier.checkpoint.facts.calibration
    logits = classifier.predict_logits([example.text for example in examples])
    probabilities = compute_probabilities(logits, scheme, calibration)
    decided = decide_labels(probabilities, scheme, calibration)
    judged = Judged(build_targets(examples, scheme), probabilities, decided, [example.group for example in examples])
    errors = [
        {"id": examples[error["row"]].id, "text": examples[error["row"]].text} | error
        for error in find_worst_errors(judged, scheme, limit=worst)
    ]
    return EvaluationReport(score_predictions(judged, scheme), errors)


def build_targets(examples: Sequence[Example], scheme: LabelScheme) -> BoolArray:
    """Gold labels as bool (n, k), columns in scheme order."""
    targets = np.zeros((len(examples), len(scheme)), dtype=np.bool_)
    for row, example in enumerate(examples):
        targets[row, [scheme.index(name) for name in example.labels]] = True
    return targets
