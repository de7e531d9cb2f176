"""Score checkpoints of one recipe and several seeds on a labelled file, and on its wire copy.

    python scripts/measure_checkpoints.py runs/default-0 runs/default-1 runs/default-2 \
        --data ../shared/data/real_dev.jsonl --output benchmarks/results/default.json

Calibration and thresholds are cross-fitted over articles, so no sentence is judged by a threshold that has
seen it; the wire copy is judged by the calibrations of the original. As in use, calibrations are fitted on the logits
of PyTorch in float32 and applied to those of what `auto` takes on this machine's CPU; `choices` names both. Only
figures are written, never a text.
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
from newsacts.checkpoint import open_checkpoint
from newsacts.data.loaders import load_examples
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.registers import to_wire
from newsacts.training.calibrate_fit import DevSet, cross_fit
from newsacts.training.config import CalibrationSection
from newsacts.training.machine import describe_machine


def measure(folder: Path, examples: list[Example], section: CalibrationSection) -> dict[str, Any]:
    """Scores of one checkpoint on the sentences and on their wire copy."""
    exact = Classifier.from_pretrained(folder, backend="pytorch", device="cpu", dtype="float32")
    served = Classifier.from_pretrained(folder, device="cpu")
    scheme = served.scheme
    texts = [example.text for example in examples]
    groups = [example.group for example in examples]
    dev = DevSet(exact.predict_logits(texts), build_targets(examples, scheme), groups)
    fitted, on_wire = (
        cross_fit(dev, scheme, section, applied_to=served.predict_logits(copy))
        for copy in (texts, [to_wire(text) for text in texts])
    )
    training = served.checkpoint.facts.training
    return {
        "seed": training["config"]["seed"],
        "prose": score_predictions(Judged(dev.truth, fitted.probabilities, fitted.decided, groups), scheme),
        "wire": score_predictions(Judged(dev.truth, on_wire.probabilities, on_wire.decided, groups), scheme),
        "training": {key: training["run"][key] for key in ("seconds", "peak_memory_gb", "steps", "precision")},
        "choices": {"fitted": tell_choices(exact.choices), "scored": tell_choices(served.choices)},
    }


def summarize(seeds: list[dict[str, Any]]) -> dict[str, float]:
    """Mean and standard deviation over seeds of the figures that are quoted."""
    prose, wire = ([row[register]["macro_f1"] for row in seeds] for register in ("prose", "wire"))
    return {
        "macro_f1_mean": float(np.mean(prose)),
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
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    first = open_checkpoint(options.checkpoints[0]).facts
    examples = [replace(example, split=None) for example in load_examples(options.data, first.scheme).examples]
    seeds = [measure(folder, examples, CalibrationSection()) for folder in options.checkpoints]
    result = {
        "command": "python " + " ".join(sys.argv),
        "commit": read_commit(),
        "machine": describe_machine(),
        "config": first.training["config"]["name"],
        "sentences": len(examples),
        "summary": summarize(seeds),
        "seeds": seeds,
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result["summary"], indent=1))


if __name__ == "__main__":
    main()
