"""Score checkpoints of one recipe and several seeds on a labelled file, and on its wire copy.

    python scripts/measure_checkpoints.py runs/default-0 runs/default-1 runs/default-2 \
        --data ../shared/data/real_dev.jsonl --train build/labelled.jsonl --output benchmarks/results/default.json

Calibration and thresholds are cross-fitted over articles, so no sentence is judged by a threshold that has
seen it; the wire copy is judged by the calibrations of the original. As in use, calibrations are fitted on the logits
of PyTorch in float32; "prose" and "wire" apply them to those of what `auto` takes on this machine's CPU, "exact" to
float32, so that recipes compare; `choices` names both. "apart" is "prose" without the sentences that are
near-duplicates of one in a file of `--train`. Only figures are written, never a text.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from newsacts import Classifier, Example
from newsacts.backends.base import tell_choices
from newsacts.calibration import BoolArray, FloatArray
from newsacts.checkpoint import open_checkpoint
from newsacts.data.audit_rows import read_compared_texts
from newsacts.data.loaders import load_examples
from newsacts.data.near_duplicates import find_near_duplicates
from newsacts.data.splits import normalise_text
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.registers import to_wire
from newsacts.training.calibrate_fit import DevSet, cross_fit
from newsacts.training.config import CalibrationSection
from newsacts.training.machine import describe_machine


def measure(folder: Path, examples: list[Example], apart: BoolArray) -> dict[str, Any]:
    """Scores of one checkpoint on the sentences, on those that stand apart from training, and on their wire copy."""
    exact = Classifier.from_pretrained(folder, backend="pytorch", device="cpu", dtype="float32")
    served = Classifier.from_pretrained(folder, device="cpu")
    scheme = served.scheme
    texts = [example.text for example in examples]
    groups = [example.group for example in examples]
    dev = DevSet(exact.predict_logits(texts), build_targets(examples, scheme), groups)

    everything = np.ones(len(texts), dtype=np.bool_)

    def score(logits: FloatArray, *selections: BoolArray) -> list[dict[str, Any]]:
        fitted = cross_fit(dev, scheme, CalibrationSection(), applied_to=logits)
        rows = [np.flatnonzero(selection) for selection in selections]
        return [
            score_predictions(
                Judged(
                    dev.truth[kept], fitted.probabilities[kept], fitted.decided[kept], [groups[row] for row in kept]
                ),
                scheme,
            )
            for kept in rows
        ]

    prose, alone = score(served.predict_logits(texts), everything, apart)
    (precise,) = score(dev.logits, everything)
    (wire,) = score(served.predict_logits([to_wire(text) for text in texts]), everything)
    training = served.checkpoint.facts.training
    return {
        "seed": training["config"]["seed"],
        "prose": prose,
        "exact": precise,
        "apart": alone,
        "wire": wire,
        "training": {key: training["run"][key] for key in ("seconds", "peak_memory_gb", "steps", "precision")},
        "choices": {"fitted": tell_choices(exact.choices), "scored": tell_choices(served.choices)},
    }


def find_apart(examples: list[Example], train: list[Path]) -> BoolArray:
    """Which of the sentences are near-duplicates of none in the training files."""
    texts = [row.text for path in train for row in read_compared_texts(path, "text")[0]]
    known = {normalise_text(text) for text in texts}
    keys = [normalise_text(example.text) for example in examples]
    pairs = find_near_duplicates({*keys, *known})
    near = {pair.first for pair in pairs if pair.second in known} | {
        pair.second for pair in pairs if pair.first in known
    }
    close = known | near
    return np.array([key not in close for key in keys], dtype=np.bool_)


def summarize(seeds: list[dict[str, Any]]) -> dict[str, float]:
    """Mean and standard deviation over seeds of the figures that are quoted."""
    prose, wire = ([row[register]["macro_f1"] for row in seeds] for register in ("prose", "wire"))
    return {
        "macro_f1_mean": float(np.mean(prose)),
        "exact_macro_f1_mean": float(np.mean([row["exact"]["macro_f1"] for row in seeds])),
        "macro_f1_deviation": float(np.std(prose, ddof=1)) if len(prose) > 1 else 0.0,
        "micro_f1_mean": float(np.mean([row["prose"]["micro_f1"] for row in seeds])),
        "wire_macro_f1_mean": float(np.mean(wire)),
        "wire_loss": float(np.mean(prose) - np.mean(wire)),
    }


def read_commit() -> str:
    """The commit that the figures were measured at."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--train", nargs="+", type=Path, required=True, help="labelled files of the training")
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    first = open_checkpoint(options.checkpoints[0]).facts
    examples = [replace(example, split=None) for example in load_examples(options.data, first.scheme).examples]
    apart = find_apart(examples, options.train)
    seeds = [measure(folder, examples, apart) for folder in options.checkpoints]
    result = {
        "command": "python " + " ".join(sys.argv),
        "commit": read_commit(),
        "machine": describe_machine(),
        "config": first.training["config"]["name"],
        "sentences": len(examples),
        "near_training": int((~apart).sum()),
        "summary": summarize(seeds),
        "seeds": seeds,
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result["summary"], indent=1))


if __name__ == "__main__":
    main()
