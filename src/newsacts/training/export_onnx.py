"""Export to int8: a copy of the checkpoint with its ONNX graph in `onnx/`, and a report of what int8 changes.

The calibration was fitted on float32 logits. `parity.json` says how far the probabilities of the int8 graph are from
those of PyTorch in float32, how many sentences get other labels, and macro-F1 before and after.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from newsacts.backends.onnx_graphs import explain_obstacle, ship_graph
from newsacts.backends.onnx_session import choose_int8
from newsacts.calibration import compute_probabilities, decide_labels
from newsacts.checkpoint import Checkpoint
from newsacts.classifier import Classifier
from newsacts.data.loaders import load_examples
from newsacts.errors import DataError, ModelError, UsageError
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.labels import DEFAULT_SCHEME
from newsacts.records import Example
from newsacts.training.dataset import find_data_file

FLIP_LIMIT = 0.01
"""Largest share of sentences that may get other labels; more is refused unless forced."""

PARITY_FILE = "parity.json"
_OWN_SENTENCES = "corpus:sentences"


@dataclass(frozen=True, slots=True)
class Int8Parity:
    """What int8 changes against PyTorch in float32, over `sentences` sentences.

    `flipped_sentences` is the share of sentences whose set of labels differs, `flipped_labels` the share of single
    decisions; `macro_f1` and `macro_f1_float32` are None where nothing could be scored.
    """

    sentences: int
    precision: str
    largest_difference: float
    mean_difference: float
    flipped_sentences: float
    flipped_labels: float
    macro_f1: float | None
    macro_f1_float32: float | None


def export_onnx(
    checkpoint: Checkpoint, folder: Path, *, examples: Sequence[Example] | None = None, force: bool = False
) -> Int8Parity:
    """Measure parity on `examples` (None: the dev sentences of the written corpus), then write the folder.

    Raises `UsageError` for a folder in use or an encoder that has no graph, and `ModelError`, with nothing written,
    where more than `FLIP_LIMIT` of the sentences change their labels and `force` is not set.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: expected a new or empty folder to export to, found something there")
    if obstacle := explain_obstacle(checkpoint):
        raise UsageError(f"{checkpoint.folder} cannot be exported to onnx-int8: {obstacle}")
    parity = measure_int8_parity(checkpoint, load_own_examples(checkpoint) if examples is None else examples)
    if parity.flipped_sentences > FLIP_LIMIT and not force:
        raise ModelError(
            f"{checkpoint.folder}: int8 changes the labels of {parity.flipped_sentences:.1%} of {parity.sentences} "
            f"sentences, allowed are {FLIP_LIMIT:.0%}; serve it in float32, or export with --force. {describe(parity)}"
        )
    Classifier.from_pretrained(checkpoint.folder, dtype="int8").save_pretrained(folder)
    ship_graph(checkpoint, folder, steps=choose_int8()[0])
    (folder / PARITY_FILE).write_text(json.dumps(asdict(parity), indent=2) + "\n", encoding="utf-8")
    return parity


def load_own_examples(checkpoint: Checkpoint) -> list[Example]:
    """Dev sentences of the written corpus, without their labels where the checkpoint has other ones."""
    path = find_data_file(_OWN_SENTENCES)
    examples = load_examples(path, DEFAULT_SCHEME, split="dev").examples
    if checkpoint.facts.scheme.names == DEFAULT_SCHEME.names:
        return examples
    return [Example(example.id, example.text, (), example.group) for example in examples]


def measure_int8_parity(checkpoint: Checkpoint, examples: Sequence[Example]) -> Int8Parity:
    """Compare the int8 graph that this machine runs with PyTorch in float32. Raises `DataError` for no sentence."""
    if not examples:
        raise DataError("no sentence to compare int8 and float32 on, expected at least one")
    scheme, calibration = checkpoint.facts.scheme, checkpoint.facts.calibration
    exact = Classifier.from_pretrained(checkpoint.folder, backend="pytorch", device="cpu", dtype="float32")
    fast = Classifier.from_pretrained(checkpoint.folder, backend="onnx", dtype="int8")
    texts = [example.text for example in examples]
    pairs = [compute_probabilities(model.predict_logits(texts), scheme, calibration) for model in (fast, exact)]
    decided = [decide_labels(probabilities, scheme, calibration) for probabilities in pairs]
    flips = decided[0] != decided[1]
    # An exclusive scheme has no sentence without a label: without gold labels there is nothing to score.
    scored = any(example.labels for example in examples)
    truth, groups = build_targets(examples, scheme), [example.group for example in examples]
    scores: list[float | None] = [
        score_predictions(Judged(truth, probabilities, labels, groups), scheme)["macro_f1"] if scored else None
        for probabilities, labels in zip(pairs, decided, strict=True)
    ]
    difference = np.abs(pairs[0] - pairs[1])
    return Int8Parity(
        sentences=len(texts),
        precision=fast.choices["dtype"].value,
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        flipped_sentences=float(flips.any(axis=1).mean()),
        flipped_labels=float(flips.mean()),
        macro_f1=scores[0],
        macro_f1_float32=scores[1],
    )


def describe(parity: Int8Parity) -> str:
    """The report in one line."""
    scores = "not scored"
    if parity.macro_f1 is not None and parity.macro_f1_float32 is not None:
        scores = f"{parity.macro_f1_float32:.4f} in float32, {parity.macro_f1:.4f} in {parity.precision}"
    return (
        f"{parity.sentences} sentences, largest difference in probability {parity.largest_difference:.3f} "
        f"(mean {parity.mean_difference:.4f}), other labels for {parity.flipped_sentences:.2%} of the sentences, "
        f"macro-F1 {scores}"
    )
