"""The worst errors of a checkpoint on labelled sentences, by what a reader says is their cause.

    python scripts/measure_errors.py src/newsacts/checkpoints/default --data ../shared/data/real_dev.jsonl \
        --output benchmarks/results/errors.json

Calibration and thresholds are cross-fitted, so that no sentence is judged by a threshold that has seen it. An error is
a sentence with other labels than gold; the worst are those whose labels were held least likely. The causes are read,
not computed: `benchmarks/error_causes.jsonl` holds one for each sentence that was read, and the errors among the worst
that nobody has read yet are printed, with their texts. The file that is written holds ids and labels, never a text.
"""

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from measure_checkpoints import read_commit
from newsacts import Classifier, Example
from newsacts.backends.base import tell_choices
from newsacts.calibration import BoolArray, FloatArray
from newsacts.data.loaders import load_examples
from newsacts.evaluation.run import build_targets
from newsacts.training.calibrate_fit import DevSet, cross_fit
from newsacts.training.config import CalibrationSection
from newsacts.training.machine import describe_machine

CAUSES = Path(__file__).parents[1] / "benchmarks" / "error_causes.jsonl"
WORST = 100
LEAST_PROBABILITY = 1e-6


def read_causes() -> dict[str, str]:
    """The cause of an error by the id of its sentence."""
    rows = map(json.loads, CAUSES.read_text(encoding="utf-8").splitlines())
    return {row["id"]: row["cause"] for row in rows}


def measure_loss(truth: BoolArray, probabilities: FloatArray) -> FloatArray:
    """How unlikely the true labels of each sentence were held: its cross-entropy over all labels, in nats."""
    held = np.where(truth, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(held, LEAST_PROBABILITY)).sum(axis=1))


def find_worst(classifier: Classifier, exact: Classifier, examples: list[Example]) -> tuple[list[dict[str, Any]], int]:
    """The worst errors, worst first, and how many errors there are."""
    texts, scheme = [example.text for example in examples], classifier.scheme
    groups = [example.group for example in examples]
    dev = DevSet(exact.predict_logits(texts), build_targets(examples, scheme), groups)
    fitted = cross_fit(dev, scheme, CalibrationSection(), applied_to=classifier.predict_logits(texts))
    loss = measure_loss(dev.truth > 0, fitted.probabilities)
    wrong = np.flatnonzero((fitted.decided != (dev.truth > 0)).any(axis=1))
    causes = read_causes()
    worst = []
    for row in sorted(wrong, key=lambda row: -loss[row])[:WORST]:
        example = examples[row]
        said = [name for name, decided in zip(scheme.names, fitted.decided[row], strict=True) if decided]
        cause = causes.get(str(example.id))
        if cause is None:
            print(f"not read yet: {example.id} gold {list(example.labels)} said {said}: {example.text}")
        error = {"id": example.id, "gold": list(example.labels), "said": said, "loss": round(float(loss[row]), 3)}
        worst.append(error | {"cause": cause})
    return worst, len(wrong)


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    served = Classifier.from_pretrained(options.checkpoint, device="cpu")
    exact = Classifier.from_pretrained(options.checkpoint, backend="pytorch", device="cpu", dtype="float32")
    examples = [replace(example, split=None) for example in load_examples(options.data, served.scheme).examples]
    worst, errors = find_worst(served, exact, examples)
    result = {
        "command": "python " + " ".join(sys.argv),
        "commit": read_commit(),
        "machine": describe_machine(),
        "choices": tell_choices(served.choices),
        "sentences": len(examples),
        "errors": errors,
        "worst": worst,
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
