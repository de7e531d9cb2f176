"""A scikit-learn estimator over newsacts: texts and labels in, a fine-tuned and calibrated classifier out.

    NewsactsClassifier(epochs=3).fit(texts, labels).predict(more)

Works where scikit-learn works with texts: clone, pipelines, `cross_val_predict`, `GridSearchCV`. Left out: partial
fitting, sample weights, and everything that wants numbers for X.
"""

import json
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from newsacts.base_models import DEFAULT_BASE
from newsacts.calibration import BoolArray, FloatArray, decide_labels
from newsacts.classifier import Classifier
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

MATRIX_DIMENSIONS = 2
NEVER = 1_000_000_000


class NewsactsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fine-tunes a small encoder on texts, as `newsacts train` does.

    `y` is an indicator matrix or table (n, k), or a list of label lists: any number of labels a text; or one value a
    text: then the classes exclude each other. `labels` names the columns, in order; without it they are those of the
    table, or numbered, or the sorted names found in `y`. `settings` are further keys of a training config, dotted:
    {"model.pooling": "cls"}. `folder` (new or empty) keeps the checkpoint there; without it, it lies in a temporary
    folder that goes with `classifier_`. `seed` and `device` as elsewhere.

    After `fit`: `classes_` (k,) in column order, `classifier_` the `Classifier`, `scores_` those on the held-out share.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn wants every hyperparameter as an argument of its own
        self,
        *,
        labels: Sequence[str] | None = None,
        base: str = DEFAULT_BASE,
        epochs: float = 4,
        body_learning_rate: float = 1e-4,
        dev_fraction: float = 0.15,
        settings: Mapping[str, Any] | None = None,
        folder: str | Path | None = None,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        self.labels = labels
        self.base = base
        self.epochs = epochs
        self.body_learning_rate = body_learning_rate
        self.dev_fraction = dev_fraction
        self.settings = settings
        self.folder = folder
        self.seed = seed
        self.device = device

    def fit(self, X: Iterable[str], y: Any, groups: Sequence[str] | None = None) -> "NewsactsClassifier":  # noqa: N803
        """Train on texts `X`. `groups` (the article of each text) keeps what belongs together on one side of dev.

        Raises `UsageError` for inputs of wrong kind or length, and what training raises.
        """
        texts = _read_texts(X)
        if len(texts) != len(y):
            raise UsageError(f"X holds {len(texts)} texts and y {len(y)} rows; expected as many")
        targets, scheme, classes = _read_targets(y, self.labels)
        with tempfile.TemporaryDirectory(prefix="newsacts-") as place, ExitStack() as kept:
            data = Path(place) / "train.jsonl"
            _write_examples(data, texts, targets, scheme, groups)
            home = kept.enter_context(tempfile.TemporaryDirectory(prefix="newsacts-"))
            self.classifier_ = self._train(data, scheme, Path(self.folder or Path(home) / "checkpoint"))
            # What uses the classifier (a bulk run, an export) reads its checkpoint, which goes with it and no sooner.
            weakref.finalize(self.classifier_, kept.pop_all().close)
        self.classes_ = classes
        self.scores_ = self.classifier_.checkpoint.facts.scores["dev"]
        return self

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:  # noqa: N803
        """An indicator matrix (n, k) of 0 and 1, or the class of each text (n,) where classes exclude each other."""
        probabilities = self.predict_proba(X)
        decided = decide_labels(probabilities, self.classifier_.scheme, self.classifier_.checkpoint.facts.calibration)
        if self.classifier_.scheme.exclusive:
            return np.asarray(self.classes_[decided.argmax(axis=1)])
        return decided.astype(np.int64)

    def predict_proba(self, X: Iterable[str]) -> FloatArray:  # noqa: N803
        """Calibrated probabilities, float32 (n, k), columns in the order of `classes_`."""
        check_is_fitted(self, "classifier_")
        return self.classifier_.predict_proba(_read_texts(X))

    def score(self, X: Iterable[str], y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """The share of texts whose labels are all right; `y` in any form that `fit` takes."""
        check_is_fitted(self, "classifier_")
        scheme = self.classifier_.scheme
        truth, _, _ = _read_targets(y, scheme.names)
        predicted = self.predict(X)
        if scheme.exclusive:
            predicted = predicted[:, None] == self.classes_[None, :]
        right = (truth == predicted.astype(np.bool_)).all(axis=1)
        return float(np.average(right, weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        tags.no_validation = True
        return tags

    def _train(self, data: Path, scheme: LabelScheme, folder: Path) -> Classifier:
        from newsacts.training.config import parse_config
        from newsacts.training.run import train

        values: dict[str, Any] = {
            "name": "scikit-learn estimator",
            "seed": self.seed,
            "scheme": {"names": scheme.names, "exclusive": scheme.exclusive},
            "data": {"train": [str(data)], "dev_fraction": self.dev_fraction},
            "model": {"base": self.base},
            "optimization": {"epochs": self.epochs, "body_learning_rate": self.body_learning_rate},
            "output": {"folder": str(folder)},
        }
        for key, value in (self.settings or {}).items():
            section, _, name = key.rpartition(".")
            inner = values
            for part in section.split(".") if section else []:
                inner = inner.setdefault(part, {})
            inner[name] = value
        if values["optimization"].get("early_stopping") is None:
            # An estimator is never resumed, so nothing is saved on the way, unless the best of it is wanted.
            values["output"].setdefault("save_every", NEVER)
        checkpoint = train(parse_config(values, origin="NewsactsClassifier"), quiet=True)
        if checkpoint is None:
            raise UsageError("NewsactsClassifier trains in one process; use `newsacts train` under torchrun")
        return Classifier.from_pretrained(checkpoint.folder, device=self.device)


def _read_texts(values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise UsageError("expected a list of texts for X, got one str; write [text]")
    texts = np.asarray(values, dtype=object) if not isinstance(values, np.ndarray) else values
    if texts.ndim != 1:
        raise UsageError(f"expected a list of texts for X, got an array of shape {texts.shape}; pass one column")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise UsageError(f"X[{row}] is {type(text).__name__}, expected str: X is texts, not numbers")
    return [str(text) for text in texts]


def _read_targets(y: Any, labels: Sequence[str] | None) -> tuple[BoolArray, LabelScheme, npt.NDArray[Any]]:
    """Targets (n, k), their scheme, and the classes in column order."""
    if hasattr(y, "columns"):
        y, labels = _read_table(y, labels)
    if isinstance(y, np.ndarray) and y.ndim == MATRIX_DIMENSIONS:
        return _read_matrix(y, labels)
    rows = list(y)
    if rows and all(np.isscalar(row) for row in rows):
        return _read_single(rows, labels)
    if any(isinstance(row, str) or not isinstance(row, Iterable) for row in rows):
        raise UsageError("y mixes single values and lists; expected one value, or one list of labels, for each text")
    lists = [list(row) for row in rows]
    if any(lists) and all(isinstance(value, Integral | np.bool_) for row in lists for value in row):
        if len({len(row) for row in lists}) > 1:
            raise UsageError(
                "the rows of y are numbers and differ in length; expected a 0 or 1 for each label in each row"
            )
        return _read_matrix(np.asarray(lists), labels)
    names = tuple(labels) if labels is not None else tuple(sorted({str(name) for row in lists for name in row}))
    scheme = LabelScheme(names)
    targets = np.zeros((len(lists), len(names)), dtype=np.bool_)
    for row, found in enumerate(lists):
        targets[row, [scheme.index(str(name)) for name in found]] = True
    return targets, scheme, np.asarray(names)


def _read_table(y: Any, labels: Sequence[str] | None) -> tuple[npt.NDArray[Any], Sequence[str]]:
    """A table of pandas as a matrix, its columns in the order of the labels."""
    columns = [str(name) for name in y.columns]
    wanted = columns if labels is None else list(labels)
    if sorted(columns) != sorted(wanted):
        raise UsageError(
            f"y has the columns {', '.join(columns)}, expected {', '.join(wanted)}; for columns without names give "
            "y.to_numpy()"
        )
    return np.asarray(y)[:, [columns.index(name) for name in wanted]], wanted


def _read_matrix(y: npt.NDArray[Any], labels: Sequence[str] | None) -> tuple[BoolArray, LabelScheme, npt.NDArray[Any]]:
    names = tuple(labels) if labels is not None else tuple(str(column) for column in range(y.shape[1]))
    if len(names) != y.shape[1]:
        raise UsageError(f"y has {y.shape[1]} columns and labels names {len(names)}; expected as many")
    if not np.isin(y, (0, 1)).all():
        raise UsageError("an indicator matrix for y holds 0 and 1 alone; probabilities cannot be learned from here")
    return y.astype(np.bool_), LabelScheme(names), np.asarray(names)


def _read_single(rows: Sequence[Any], labels: Sequence[str] | None) -> tuple[BoolArray, LabelScheme, npt.NDArray[Any]]:
    values = np.asarray(rows)
    if labels is None:
        classes = np.unique(values)
    else:
        by_name = {str(value): value for value in values.tolist()}
        classes = np.asarray([by_name.get(name, name) for name in labels])
    scheme = LabelScheme(tuple(str(value) for value in classes.tolist()), exclusive=True)
    columns = [scheme.index(str(value)) for value in values.tolist()]
    targets = np.zeros((len(columns), len(scheme)), dtype=np.bool_)
    targets[np.arange(len(columns)), columns] = True
    return targets, scheme, classes


def _write_examples(
    path: Path, texts: Sequence[str], targets: BoolArray, scheme: LabelScheme, groups: Sequence[str] | None
) -> None:
    if groups is not None and len(groups) != len(texts):
        raise UsageError(f"groups holds {len(groups)} values and X {len(texts)} texts; expected as many")
    with path.open("w", encoding="utf-8") as stream:
        for row, (text, flags) in enumerate(zip(texts, targets, strict=True)):
            line = {
                "id": f"row-{row}",
                "text": text,
                "labels": [name for name, flag in zip(scheme.names, flags, strict=True) if flag],
                **({} if groups is None else {"group": str(groups[row])}),
            }
            stream.write(json.dumps(line) + "\n")
