"""The sentences of a run: read, deduplicated, split, augmented and turned into token rows."""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from newsacts.base_models import hash_file
from newsacts.batching import WindowTokenizer
from newsacts.data.loaders import Reject, load_examples
from newsacts.data.splits import check_splits, deduplicate, find_label_conflicts, normalise_text, split_examples
from newsacts.errors import DataError
from newsacts.evaluation.run import build_targets
from newsacts.labels import LabelScheme
from newsacts.records import Example
from newsacts.registers import to_wire
from newsacts.training.config import LEAST_GROUPS, DataSection, TrainingConfig
from newsacts.training.soft_targets import SoftExample, drop_known, load_soft_examples

CORPUS_PREFIX = "corpus:"
CORPUS_FOLDER = Path(__file__).parents[1] / "data" / "corpus"

_logger = logging.getLogger("newsacts")


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run learns from (`train`, augmented) and is measured on (`dev`)."""

    train: list[Example]
    dev: list[Example]
    soft: list[SoftExample]
    """Sentences with probabilities for labels, which add to `train`; none of them stands in `train` or `dev`."""
    rejects: list[Reject]
    facts: dict[str, Any]
    """For the checkpoint: file fingerprints, counts, what was dropped and why."""


def load_training_data(config: TrainingConfig) -> TrainingData:
    """Read and prepare all data of a config. Raises `DataError`."""
    section, scheme = config.data, config.scheme.to_scheme()
    train, rejects = _load_files(section.train, scheme, section)
    of_other_splits = len(train)
    train = [example for example in train if example.split in {None, "train"}]
    of_other_splits -= len(train)
    if section.dev:
        dev, more = _load_files(section.dev, scheme, section)
        of_other_splits += len(dev)
        dev = [example for example in dev if example.split in {None, "dev", "validation"}]
        of_other_splits -= len(dev)
        rejects += more
    else:
        fractions = {"train": 1 - section.dev_fraction, "dev": section.dev_fraction}
        parts = split_examples(train, fractions=fractions, seed=config.seed)
        dev = [example for example in parts if example.split == "dev"]
        train = [example for example in parts if example.split == "train"]
    if of_other_splits:
        _logger.warning("%d rows name another split (train files: train; dev files: dev, validation)", of_other_splits)
    train, dropped = _drop_repeated(train, dev) if section.drop_repeated else (train, Counter[str]())
    check_splits([replace(row, split="train") for row in train] + [replace(row, split="dev") for row in dev])
    if not train or not dev:
        raise DataError(f"{len(train)} training and {len(dev)} dev sentences are left; both need at least one")
    _require_dev_groups(dev, section)
    read = [example for name in section.soft for example in load_soft_examples(name, scheme)]
    soft = drop_known(read, [example.text for example in (*train, *dev)])
    copies = make_wire_copies(train, share=config.augmentation.wire_share, seed=config.seed)
    facts = {
        "files": {name: _fingerprint(name) for name in (*section.train, *section.dev, *section.soft)},
        "train": _count(train, scheme),
        "dev": _count(dev, scheme),
        "of_other_splits": of_other_splits,
        "wire_copies": len(copies),
        "soft": {"sentences": len(soft), "stand in train or dev, or repeated": len(read) - len(soft)},
        "dropped": dict(dropped),
        "rejects": len(rejects),
    }
    return TrainingData(train + copies, dev, soft, rejects, facts)


def make_wire_copies(examples: Sequence[Example], *, share: float, seed: int) -> list[Example]:
    """Copies of a seeded share of the examples in lower-cased tokenised wire register."""
    chosen = Random(seed).sample(list(examples), round(share * len(examples)))
    return [replace(example, id=f"{example.id}-wire", text=to_wire(example.text)) for example in chosen]


def encode_rows(examples: Sequence[Example], tokenizer: WindowTokenizer, scheme: LabelScheme) -> list[dict[str, Any]]:
    """Trainer rows: `input_ids` of the first window of each text, and `labels` (k,) of 0 and 1."""
    targets = build_targets(examples, scheme).astype(np.float32)
    return _encode([example.text for example in examples], targets, tokenizer)


def encode_soft_rows(examples: Sequence[SoftExample], tokenizer: WindowTokenizer) -> list[dict[str, Any]]:
    """Trainer rows: `input_ids` of the first window of each text, and `labels` (k,) of probabilities."""
    targets = np.array([example.probabilities for example in examples], dtype=np.float32)
    return _encode([example.text for example in examples], targets, tokenizer)


def _encode(
    texts: Sequence[str], targets: np.ndarray[Any, np.dtype[np.float32]], tokenizer: WindowTokenizer
) -> list[dict[str, Any]]:
    windows = tokenizer.tokenize(texts)
    firsts = np.searchsorted(windows.owners, np.arange(len(texts)))
    over_long = len(windows.ids) - len(texts)
    if over_long:
        _logger.warning("training reads only the first window of long texts; %d windows are left out", over_long)
    return [{"input_ids": windows.ids[first], "labels": target} for first, target in zip(firsts, targets, strict=True)]


def _load_files(names: Sequence[str], scheme: LabelScheme, section: DataSection) -> tuple[list[Example], list[Reject]]:
    examples: list[Example] = []
    rejects: list[Reject] = []
    for name in names:
        result = load_examples(find_data_file(name), scheme, on_error=section.on_error)
        examples += result.examples
        rejects += result.rejects
    return examples, rejects


def _require_dev_groups(dev: Sequence[Example], section: DataSection) -> None:
    """Calibration is cross-fitted by article: known before training, not after it."""
    articles = len({example.group for example in dev})
    if articles < LEAST_GROUPS:
        way = (
            "give the rows of data.dev the articles that they come from (a group column), or add sentences"
            if section.dev
            else f"raise data.dev_fraction ({section.dev_fraction:g}), add sentences, or name files in data.dev"
        )
        raise DataError(
            f"the {len(dev)} dev sentences are of {articles} article, expected at least {LEAST_GROUPS} to cross-fit "
            f"the calibration; {way}"
        )


def find_data_file(name: str) -> str:
    """The path of a data file: "corpus:sentences" is a file of the corpus inside the package. Raises `DataError`."""
    if not name.startswith(CORPUS_PREFIX):
        return name
    path = CORPUS_FOLDER / f"{name.removeprefix(CORPUS_PREFIX)}.jsonl"
    known = sorted(file.stem for file in CORPUS_FOLDER.glob("*.jsonl") if file.stem != "articles")
    if path.stem not in known:
        raise DataError(f"no file of that name in the written corpus, expected one of {', '.join(known)}", path=name)
    return str(path)


def _drop_repeated(train: list[Example], dev: list[Example]) -> tuple[list[Example], Counter[str]]:
    held = {normalise_text(example.text) for example in dev}
    fresh = [example for example in train if normalise_text(example.text) not in held]
    kept, repeats = deduplicate(fresh)
    conflicts = find_label_conflicts(kept, repeats)
    if conflicts:
        first, other = conflicts[0]
        _logger.warning(
            "%d dropped repeats have other labels than the row that stays, the first: %s and %s",
            len(conflicts), first.id, other.id,
        )  # fmt: skip
    return kept, Counter({"stands in dev": len(train) - len(fresh), "repeats a training sentence": len(repeats)})


def _count(examples: Sequence[Example], scheme: LabelScheme) -> dict[str, int]:
    counted = Counter(label for example in examples for label in example.labels)
    unlabelled = sum(not example.labels for example in examples)
    return {"sentences": len(examples), **{name: counted[name] for name in scheme.names}, "no label": unlabelled}


def _fingerprint(name: str) -> str:
    path = Path(find_data_file(name))
    if path.is_dir():
        return hashlib.sha256(
            "".join(hash_file(file) for file in sorted(path.rglob("*.*")) if file.is_file()).encode()
        ).hexdigest()
    return hash_file(path) if path.is_file() else "from the hub"
