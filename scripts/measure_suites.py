"""Score checkpoints on the held-out parts of the written corpus, with the thresholds that they store.

    python scripts/measure_suites.py "real and seed=runs/real-and-seed-0" "default=src/newsacts/checkpoints/default" \
        --output benchmarks/results/suites.json

By what `auto` takes on this machine's CPU, as users run it; `computed` names it.
"""

import json
import shlex
import sys
from argparse import ArgumentParser
from pathlib import Path

from newsacts import Classifier
from newsacts.data.loaders import load_examples
from newsacts.evaluation.run import evaluate
from newsacts.training.dataset import CORPUS_FOLDER
from newsacts.training.machine import describe_machine

SUITES = (("hard cases, held-out fifth", "hard_cases", "test"), ("articles, held-out tenth", "sentences", "dev"))


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    parts = []
    for recipe in options.recipes:
        name, _, folder = recipe.partition("=")
        classifier = Classifier.from_pretrained(folder, device="cpu")
        for suite, file, split in SUITES:
            examples = load_examples(CORPUS_FOLDER / f"{file}.jsonl", classifier.scheme, split=split).examples
            report = evaluate(classifier, examples, worst=0)
            computed = report.model["computed"]
            parts.append({"recipe": name, "suite": suite, "computed": computed, "scores": report.scores})
    result = {"command": shlex.join(["python", *sys.argv]), "machine": describe_machine(), "parts": parts}
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
