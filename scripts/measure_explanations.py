"""Are the words that explanations name the ones the model uses? Deletion against chance, on the written corpus.

    python scripts/measure_explanations.py --output benchmarks/results/explanations.json

Fifty sentences a label (`newsacts.explanation.faithfulness` tells how) that the model gives that label first, drawn
from the written corpus by a fixed seed; integrated gradients, which cost far more, explain every fifth of them.
Occlusion is measured with what `auto` takes on this machine's CPU, integrated gradients with the PyTorch that they
need; `computed` names it. Only figures are written.
"""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from newsacts import Classifier
from newsacts.backends.base import tell_choices
from newsacts.data.loaders import load_examples
from newsacts.explanation.faithfulness import measure_faithfulness
from newsacts.training.dataset import CORPUS_FOLDER
from newsacts.training.machine import describe_machine

PER_LABEL, DELETED, DRAWS, SEED = 50, (1, 2, 3), 5, 0
SEARCHED = 1_500
METHODS = (("occlusion", "auto", 1), ("integrated-gradients", "pytorch", 5))


def draw_sentences(classifier: Classifier) -> list[tuple[str, str]]:
    """Sentences of the written corpus with the label that the model puts first, as many of each label."""
    texts = [example.text for example in load_examples(CORPUS_FOLDER / "sentences.jsonl", classifier.scheme).examples]
    texts = [texts[row] for row in np.random.default_rng(SEED).permutation(len(texts))[:SEARCHED]]
    primaries = [prediction.primary for prediction in classifier.predict(texts)]
    drawn: list[tuple[str, str]] = []
    for name in classifier.scheme.names:
        drawn += [(text, name) for text, primary in zip(texts, primaries, strict=True) if primary == name][:PER_LABEL]
    return drawn


def measure(method: str, backend: str, drawn: list[tuple[str, str]]) -> dict[str, Any]:
    """The fall of the probability for each number of deleted words."""
    classifier = Classifier.from_pretrained(backend=backend, device="cpu")
    explained = [(classifier.explain([text], labels=[name], method=method)[0], name) for text, name in drawn]
    falls = [
        asdict(measure_faithfulness(classifier, explained, deleted=count, draws=DRAWS, seed=SEED)) for count in DELETED
    ]
    return {"method": method, "computed": tell_choices(classifier.choices), "falls": falls}


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    drawn = draw_sentences(Classifier.from_pretrained(device="cpu"))
    result = {
        "command": "python " + " ".join(sys.argv),
        "machine": describe_machine(),
        "draws": DRAWS,
        "methods": [measure(method, backend, drawn[::step]) for method, backend, step in METHODS],
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
