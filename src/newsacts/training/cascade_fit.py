"""Fitting the first stage of a cascade to a checkpoint: distil, choose thresholds on held-out text, measure on more.

Needs no labels: what is learnt and what is promised is what the full model itself says. Documents are split by a hash
of their name, so that none stands on two sides: texts to fit on, texts that decide thresholds and bounds, and texts
that neither saw. All held-out sources together must reach the bound, for all labels and for each. Documents with a text
that is said to be known to the model only fit.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from newsacts.base_models import hash_file
from newsacts.batching import WindowTokenizer
from newsacts.calibration import FloatArray
from newsacts.cascade import (
    FOLDER,
    LEVELS,
    DoubleArray,
    FirstStage,
    describe_model,
    estimate_log_odds,
    pass_stage,
    write_cascade,
)
from newsacts.classifier import Classifier
from newsacts.data.splits import normalise_text
from newsacts.data.tables import RawRow, open_tables
from newsacts.errors import DataError, UsageError
from newsacts.evaluation.cascade import CONFIDENCE, choose_thresholds, count_kept
from newsacts.scoring import Scored
from newsacts.segmentation import split_sentences
from newsacts.training.cascade_network import StageSettings, reduce_vectors, train_stage
from newsacts.training.dataset import find_data_file
from newsacts.training.machine import describe_machine

TARGETS = dict(zip(LEVELS, (0.99, 0.97), strict=True))
"""Share of the labelled sentences, of all and of each label, that a level keeps at least."""
DOCUMENT_COLUMNS = ("document", "group", "article_id")
FIT, BOUND, TEST = "fit", "bound", "test"
Role = Literal["fit", "hold", "measure"]
_SHARES: dict[Role, tuple[tuple[float, str], ...]] = {
    "fit": ((0.4, FIT), (0.8, BOUND), (1.0, TEST)), "hold": ((0.5, BOUND), (1.0, TEST)), "measure": ((1.0, TEST),)
}  # fmt: skip
"""Parts by where a document's hash falls: of sources to fit on, held out as a whole, and to measure alone."""
_VECTORS = "encoder.embeddings.word_embeddings.weight"
_logger = logging.getLogger("newsacts")


@dataclass(frozen=True, slots=True)
class Source:
    """Sentences of one file, in the order of the file, each with the part that its document belongs to."""

    name: str
    sha256: str
    texts: list[str]
    parts: list[str]

    def pick(self, part: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows of a part."""
        return np.flatnonzero(np.asarray([one == part for one in self.parts], dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class FitInputs:
    """Files of sentences: to fit on, held out as a whole, to measure with alone, and files whose texts the full model
    was trained on.

    "corpus:sentences" and its like name files of the written corpus. `articles` are files of whole articles (text, id),
    held out as a whole too and split into sentences.
    """

    texts: Sequence[str | Path]
    hold: Sequence[str | Path] = ()
    articles: Sequence[Path] = ()
    measure: Sequence[str | Path] = ()
    known: Sequence[Path] = ()


def fit_cascade(classifier: Classifier, inputs: FitInputs, settings: StageSettings | None = None) -> dict[str, Any]:
    """Fit a cascade and write it into the classifier's checkpoint folder; returns what cascade.json says.

    The classifier must read every text, with the thresholds of its checkpoint. Raises `UsageError` for exclusive
    labels, `DataError` where there is too little held-out text for a bound, or none with one of the labels.
    """
    if classifier.scheme.exclusive or classifier.cascade is not None:
        raise UsageError("expected a classifier whose labels do not exclude each other, opened with cascade='off'")
    settings = settings or StageSettings()
    known = frozenset(normalise_text(text) for path in inputs.known for text, _ in read_texts(path))
    roles: tuple[tuple[Role, Sequence[str | Path]], ...] = (
        ("fit", inputs.texts), ("hold", inputs.hold), ("measure", inputs.measure)
    )  # fmt: skip
    sources = [read_source(name, list(read_texts(name)), known, role=role) for role, names in roles for name in names]
    sources += [read_source(path, list(split_articles(path)), known, role="hold") for path in inputs.articles]
    scored = [_score(classifier, source) for source in sources]
    tokenizer = WindowTokenizer(classifier.checkpoint.tokenizer_file, max_tokens=classifier.checkpoint.facts.max_tokens)
    stage = _train(classifier, tokenizer, sources, scored, settings)
    log_odds = [_score_texts(stage, tokenizer, source.texts) for source in sources]
    held = [
        HeldSource(source, scores, values)
        for source, values, scores in zip(sources, log_odds, scored, strict=True)
        if {BOUND, TEST} & set(source.parts)
    ]
    names = classifier.scheme.names
    calibration = classifier.calibration
    facts = {
        "model": describe_model(classifier.checkpoint),
        "labels": list(names),
        "calibration": {name: list(getattr(calibration, name)) for name in ("slopes", "intercepts", "thresholds")},
        "unit": "sentences that the full model gives at least one label; by label, those that it gives that label",
        "thresholds": "one a label, in order, then one for any label; a sentence that reaches one of them goes on",
        "confidence": CONFIDENCE,
        "levels": {level: measure_level(held, names, target) for level, target in TARGETS.items()},
        "fitted": {
            "choices": {name: choice.value for name, choice in classifier.choices.items()},
            "settings": asdict(settings),
            "sources": {one.name: {"sha256": one.sha256, **_count_parts(one)} for one in sources},
            "machine": describe_machine(),
        },
    }
    write_cascade(classifier.checkpoint.folder / FOLDER, stage, facts)
    return facts


@dataclass(frozen=True, slots=True)
class HeldSource:
    """A held-out source with what the full model says, and the stage's log-odds (n, k + 1)."""

    source: Source
    full: Scored
    log_odds: DoubleArray


def measure_level(held: Sequence[HeldSource], names: Sequence[str], target: float) -> dict[str, Any]:
    """The thresholds that reach the target, bounds of all labels and of each, and what it does to each source and to
    unseen text."""
    rows = [one.source.pick(BOUND) for one in held]
    log_odds = np.concatenate([one.log_odds[chosen] for one, chosen in zip(held, rows, strict=True)])
    decided = np.concatenate([one.full.decided[chosen] for one, chosen in zip(held, rows, strict=True)])
    thresholds = choose_thresholds(log_odds, decided, names, target=target)
    counts = count_kept(decided, pass_stage(log_odds, thresholds), names)
    return {
        "thresholds": list(thresholds),
        "target": target,
        "bound": counts.bound,
        "labels": {name: {**asdict(row), "proven": row.bound >= target} for name, row in counts.by_label.items()},
        "measured": {
            part: {
                one.source.name: _measure(one, one.source.pick(part), names, thresholds)
                for one in held
                if part in one.source.parts
            }
            for part in (BOUND, TEST)
        },
    }


def read_source(name: str | Path, rows: Sequence[tuple[str, str]], known: frozenset[str], *, role: Role) -> Source:
    """The sentences of a file with their documents, each in a part.

    A document with a known sentence fits, or is left out where it cannot.
    """
    path = Path(find_data_file(str(name)))
    rows = list(dict.fromkeys(rows))
    trained = {document for text, document in rows if normalise_text(text) in known}
    parts = [
        (FIT if role == "fit" else "left out") if document in trained else _choose_part(document, role)
        for _, document in rows
    ]
    shown = name if isinstance(name, str) and str(path) != name else path.name
    return Source(shown, hash_file(path), [text for text, _ in rows], parts)


def read_texts(name: str | Path) -> Iterable[tuple[str, str]]:
    """Sentences and their documents; a file without a column of documents makes each sentence its own."""
    for table in open_tables(find_data_file(str(name)), ("text", *DOCUMENT_COLUMNS)):
        for row in table.rows:
            text = row.values.get("text") if isinstance(row, RawRow) else None
            if not isinstance(text, str) or not text.strip():
                raise DataError("expected a row with a text", path=table.path, row=row.row)
            documents = (row.values.get(name) for name in DOCUMENT_COLUMNS) if isinstance(row, RawRow) else ()
            yield text, str(next((one for one in documents if one is not None), normalise_text(text)))


def split_articles(path: Path) -> Iterable[tuple[str, str]]:
    """The sentences of a file of articles, each with the id of its article."""
    for table in open_tables(path, ("text", "id")):
        for row in table.rows:
            text = row.values.get("text") if isinstance(row, RawRow) else None
            if not isinstance(row, RawRow) or not isinstance(text, str):
                raise DataError("expected an article with a text", path=table.path, row=row.row)
            name = str(row.values.get("id") or row.row)
            yield from ((sentence.text, name) for sentence in split_sentences(text, article_id=name))


def _choose_part(document: str, role: Role) -> str:
    place = int.from_bytes(hashlib.sha256(document.encode()).digest()[:6]) / 2**48
    return next(part for end, part in _SHARES[role] if place < end)


def _score(classifier: Classifier, source: Source) -> Scored:
    parts = []
    step = 4_096
    for start in range(0, len(source.texts), step):
        parts.append(classifier.score(source.texts[start : start + step]))
        _logger.info("%s: the full model read %d of %d sentences", source.name, start + step, len(source.texts))
    stacked = ([getattr(part, name) for part in parts] for name in ("probabilities", "decided", "reached"))
    return Scored(*(np.concatenate(values) for values in stacked))


def _train(
    classifier: Classifier,
    tokenizer: WindowTokenizer,
    sources: Sequence[Source],
    scored: Sequence[Scored],
    settings: StageSettings,
) -> FirstStage:
    rows = [source.pick(FIT) for source in sources]
    texts = [source.texts[row] for source, chosen in zip(sources, rows, strict=True) for row in chosen]
    if not texts:
        raise DataError("no sentence is left to fit the first stage on; give more documents")
    targets = np.concatenate([_make_targets(full, chosen) for full, chosen in zip(scored, rows, strict=True)])
    windows = tokenizer.tokenize(texts)
    # The few texts of several windows have one target for all: they teach nothing about a window.
    single = np.flatnonzero(np.bincount(windows.owners)[windows.owners] == 1)
    state = classifier.checkpoint.load_weights()
    if _VECTORS not in state:
        raise UsageError(f"the encoder has no tensor {_VECTORS!r} to begin the first stage with; expected a BERT")
    vectors = reduce_vectors(np.asarray(state[_VECTORS], dtype=np.float32), settings.dimensions)
    return train_stage(
        [windows.ids[number] for number in single],
        targets[windows.owners[single]],
        vectors,
        settings,
        lambda epoch, loss: _logger.info("first stage: epoch %d of %d, loss %.4f", epoch, settings.epochs, loss),
    )


def _make_targets(full: Scored, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    found = full.decided[rows].any(axis=1, keepdims=True)
    return np.concatenate([full.probabilities[rows], found.astype(np.float32)], axis=1)


def _score_texts(stage: FirstStage, tokenizer: WindowTokenizer, texts: Sequence[str]) -> DoubleArray:
    windows = tokenizer.tokenize(texts)
    highest = np.full((len(texts), len(stage.head_bias)), -np.inf)
    np.maximum.at(highest, windows.owners, estimate_log_odds(stage, windows.ids))
    return highest


def _measure(
    one: HeldSource, rows: np.ndarray[tuple[int], np.dtype[np.int64]], names: Sequence[str], thresholds: Sequence[float]
) -> dict[str, Any]:
    reached = pass_stage(one.log_odds[rows], thresholds)
    counts = count_kept(one.full.decided[rows], reached, names)
    lost = rows[~reached]
    said = 1 / (1 + np.exp(-one.log_odds[lost, :-1]))
    return {
        **asdict(counts),
        "discarded_share": counts.discarded_share,
        "kept_share": counts.kept / counts.found if counts.found else None,
        "estimated_mean": said.mean(axis=0).tolist() if len(lost) else None,
        "full_model_mean": one.full.probabilities[lost].mean(axis=0).tolist() if len(lost) else None,
    }


def _count_parts(source: Source) -> dict[str, int]:
    return {part: source.parts.count(part) for part in dict.fromkeys(source.parts)}
