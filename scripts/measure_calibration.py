"""Measure how far the probabilities of a checkpoint can be trusted: calibration, operating points, another prior.

    python scripts/measure_calibration.py --data ../shared/data/real_dev.jsonl \
        --output benchmarks/results/calibration.json

Everything is cross-fitted over articles: no sentence is judged by a calibration, threshold or prior that has seen it.
The natural part are the rows whose `stratum` begins with reuters_random; the rest was chosen for its acts. Besides,
label shift is made by leaving out sentences of one label at random. One to three minutes on two cores. The logits are
those of PyTorch in float32, on which training fits calibrations and operating points. Only figures are written, never a
text.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from measure_checkpoints import read_commit
from newsacts import Classifier
from newsacts.backends.base import tell_choices
from newsacts.calibration import BoolArray, Calibration, FloatArray, compute_probabilities, decide_labels
from newsacts.data.loaders import ColumnMap, load_examples
from newsacts.evaluation.curves import measure_reliability
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import Judged, measure_calibration_error, number_groups, score_predictions
from newsacts.labels import LabelScheme
from newsacts.operating_points import Measure, find_best_f1, move_curve
from newsacts.priors import correct_probabilities, estimate_prior, shift_prior
from newsacts.training.calibrate_fit import DevSet, cross_fit, fit_calibration, split_folds
from newsacts.training.config import CalibrationSection
from newsacts.training.machine import describe_machine
from newsacts.training.operating_fit import cross_fit_wish, measure_curve

NATURAL = "reuters_random"
WISHES: tuple[tuple[Measure, float], ...] = (
    ("precision", 0.8), ("precision", 0.9), ("precision", 0.95), ("recall", 0.8), ("recall", 0.9), ("recall", 0.95),
)  # fmt: skip
SECTION = CalibrationSection()
DRAWS = 50
KEPT = 0.25


@dataclass(frozen=True, slots=True)
class Dev:
    """The development sentences: what the model said, and which of them are of natural prevalence."""

    set: DevSet
    scheme: LabelScheme
    natural: BoolArray


def measure_labels(dev: Dev) -> dict[str, Any]:
    """Calibration error, mean said and true, and the reliability curve of every label, out of fold."""
    fitted = cross_fit(dev.set, dev.scheme, SECTION)
    return {
        name: _describe(fitted.probabilities[:, column], dev.set.truth[:, column])
        | {"reliability": measure_reliability(fitted.probabilities[:, column], dev.set.truth[:, column])}
        for column, name in enumerate(dev.scheme.names)
    }


def measure_natural(dev: Dev) -> dict[str, Any]:
    """The natural part judged by calibrations as fitted, and corrected for its prior.

    "fitted": as it stands. "known prior": the shares among the natural sentences of the other folds; thresholds as
    they were. "known prior, new thresholds": half of the best F1 under that prior. "estimated prior": by expectation
    maximisation on the natural sentences of all folds, without their labels.
    """
    truth, groups = dev.set.truth, dev.set.groups
    names = ("fitted", "known prior", "known prior, new thresholds", "estimated prior")
    ways: dict[str, tuple[FloatArray, BoolArray]] = {
        name: (np.zeros(truth.shape, np.float32), np.zeros(truth.shape, np.bool_)) for name in names
    }
    for rest, held in split_folds(groups, SECTION):
        fitted = fit_calibration(dev.set.logits[rest], truth[rest], dev.scheme, SECTION)
        known = shift_prior(fitted, _find_shares(truth[rest][dev.natural[rest]]), exclusive=False)
        natural = compute_probabilities(dev.set.logits[dev.natural], dev.scheme, fitted)
        estimated = shift_prior(fitted, estimate_prior(natural, fitted.prevalence or ()), exclusive=False)
        moved = _move_thresholds(dev, rest, fitted, known)
        for name, calibration in zip(names, (fitted, known, moved, estimated), strict=True):
            probabilities = compute_probabilities(dev.set.logits[held], dev.scheme, calibration)
            ways[name][0][held] = probabilities
            ways[name][1][held] = decide_labels(probabilities, dev.scheme, calibration)
    chosen = [group for group, inside in zip(groups, dev.natural, strict=True) if inside]
    result: dict[str, Any] = {"sentences": int(dev.natural.sum()), "articles": len(set(chosen)), "ways": {}}
    for name, (probabilities, decided) in ways.items():
        judged = Judged(truth[dev.natural], probabilities[dev.natural], decided[dev.natural], chosen)
        scores = score_predictions(judged, dev.scheme)
        result["ways"][name] = {
            "micro_f1": scores["micro_f1"],
            "micro_f1_interval": scores["micro_f1_interval"],
            "labels": {
                label: _describe(judged.probabilities[:, column], judged.truth[:, column])
                for column, label in enumerate(dev.scheme.names)
            },
        }
    return result


def measure_made_shift(dev: Dev) -> dict[str, Any]:
    """Calibration error where three quarters of a label's sentences are left out at random, by how it is corrected."""
    fitted = cross_fit(dev.set, dev.scheme, SECTION)
    generator = np.random.default_rng(0)
    return {
        name: _shift_label(fitted.probabilities[:, column], dev.set.truth[:, column], generator)
        for column, name in enumerate(dev.scheme.names)
    }


def _shift_label(probabilities: FloatArray, truth: BoolArray, generator: np.random.Generator) -> dict[str, float]:
    before = [float(truth.mean())]
    rows: list[list[float]] = []
    for _ in range(DRAWS):
        kept = ~truth | (generator.random(len(truth)) < KEPT)
        said, gold = probabilities[kept][:, None], truth[kept]
        share = [max(float(gold.mean()), 1 / len(gold))]
        estimated = list(estimate_prior(said, before))
        known, guessed = (correct_probabilities(said, before, prior, exclusive=False) for prior in (share, estimated))
        errors = [measure_calibration_error(one[:, 0].astype(np.float32), gold) for one in (said, known, guessed)]
        rows.append([*errors, share[0], estimated[0], float(said.mean())])
    names = ("fitted", "known_prior", "estimated_prior", "share", "estimated_share", "mean_said")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def _move_thresholds(dev: Dev, rest: npt.NDArray[np.int64], fitted: Calibration, known: Calibration) -> Calibration:
    groups = number_groups(dev.set.groups)[rest]
    probabilities = compute_probabilities(dev.set.logits[rest], dev.scheme, fitted)
    thresholds = list(known.thresholds)
    for column, share in enumerate(known.prevalence or ()):
        curve = measure_curve(probabilities[:, column], dev.set.truth[rest, column], groups, intervals=False)
        if curve is not None:
            thresholds[column] = find_best_f1(move_curve(curve, share)).f1 / 2
    return Calibration(known.slopes, known.intercepts, tuple(thresholds), "best F1", known.prevalence)


def _find_shares(truth: BoolArray) -> tuple[float, ...]:
    # Half a sentence more on both sides: a label that was not met is rare, not impossible.
    shares: list[float] = ((truth.sum(axis=0) + 0.5) / (len(truth) + 1)).tolist()
    return tuple(shares)


def _describe(probabilities: FloatArray, truth: BoolArray) -> dict[str, float]:
    return {
        "calibration_error": measure_calibration_error(probabilities, truth),
        "mean_said": float(probabilities.mean()),
        "share": float(truth.mean()),
        "brier": float(np.mean((probabilities - truth) ** 2)),
    }


def read_dev(classifier: Classifier, path: str) -> Dev:
    """Score the development sentences once."""
    examples = load_examples(path, classifier.scheme, columns=ColumnMap(keep=("stratum",))).examples
    logits = classifier.predict_logits([example.text for example in examples])
    truth = build_targets(examples, classifier.scheme)
    natural = np.array([str(example.extra["stratum"]).startswith(NATURAL) for example in examples])
    return Dev(DevSet(logits, truth, [example.group for example in examples]), classifier.scheme, natural)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="checkpoint folder; default: the one that ships")
    parser.add_argument("--data", required=True)
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args(arguments)
    classifier = Classifier.from_pretrained(options.model, backend="pytorch", device="cpu", dtype="float32")
    dev = read_dev(classifier, options.data)
    labels = measure_labels(dev)
    result = {
        "command": "python " + " ".join(sys.argv),
        "commit": read_commit(),
        "machine": describe_machine(),
        "computed": tell_choices(classifier.choices),
        "sentences": len(dev.set.truth),
        "articles": len(set(dev.set.groups)),
        "folds": SECTION.folds,
        "labels": labels,
        "operating_points": {
            f"{measure} {target:g}": cross_fit_wish(dev.set, dev.scheme, SECTION, measure=measure, target=target)
            for measure, target in WISHES
        },
        "natural": measure_natural(dev),
        "made_shift": {"kept": KEPT, "draws": DRAWS, "labels": measure_made_shift(dev)},
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: row["calibration_error"] for name, row in labels.items()}, indent=1))


if __name__ == "__main__":
    main()
