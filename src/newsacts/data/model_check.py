"""Labels that a model trained on the other rows strongly disagrees with: where to read again first.

A TF-IDF and logistic-regression model predicts each row from folds that hold neither its group nor its text. A label
counts as doubtful by confident learning (Northcutt, Jiang and Chuang: Confident Learning: Estimating Uncertainty in
Dataset Labels, JAIR 70, 2021): the model prefers the other answer, and is at least as sure of it as it is, on
average, of rows that carry that answer. Doubtful rows are ranked by self-confidence, the probability that the
model gives to the label as it stands. Such a row is a candidate for a second reading, and not an error yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsacts.data.audit_rows import AuditRow
from newsacts.errors import DataError

FOLDS = 5
MINIMUM_ROWS = 10
"""A label on fewer rows than this, or missing from fewer, is not checked: a model could not learn it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row whose label `name` is doubtful. `confidence` is the probability of the label as it stands."""

    row: AuditRow
    name: str
    carried: bool
    confidence: float


def find_doubtful_labels(rows: Sequence[AuditRow], names: Sequence[str], *, seed: int = 0) -> list[Doubt]:
    """Doubtful labels, the least confident first. Of rows with equal text only the first is looked at.

    Raises `DataError` where no label is on enough rows to be checked.
    """
    distinct = list({row.key: row for row in reversed(rows) if row.labels is not None}.values())[::-1]
    carried = np.array([[name in (row.labels or ()) for name in names] for row in distinct], dtype=bool)
    carried = carried.reshape(len(distinct), len(names))
    totals = carried.sum(axis=0)
    checked = [column for column in range(len(names)) if MINIMUM_ROWS <= totals[column] <= len(distinct) - MINIMUM_ROWS]
    if not checked:
        raise DataError(
            f"no label can be checked by a model: each needs at least {MINIMUM_ROWS} rows with it and without, "
            f"got {dict(zip(names, totals.tolist(), strict=True))} in {len(distinct)} distinct rows"
        )
    probabilities = _predict_held_out(distinct, carried[:, checked], seed)
    doubts = []
    for place, column in enumerate(checked):
        labels, positive = carried[:, column], probabilities[:, place]
        for row in np.flatnonzero(select_doubtful(labels, positive)):
            confidence = positive[row] if labels[row] else 1 - positive[row]
            doubts.append(Doubt(distinct[row], names[column], bool(labels[row]), float(confidence)))
    return sorted(doubts, key=lambda doubt: (doubt.confidence, doubt.row.path, doubt.row.row, doubt.name))


def select_doubtful(labels: NDArray[np.bool_], positive: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of n labels are doubtful, given the held-out probabilities (n,) that they apply."""
    sure_yes, sure_no = positive[labels].mean(), (1 - positive[~labels]).mean()
    wrong_yes = labels & (1 - positive >= sure_no) & (positive < 0.5)  # noqa: PLR2004 - the even chance
    wrong_no = ~labels & (positive >= sure_yes) & (positive > 0.5)  # noqa: PLR2004
    doubtful: NDArray[np.bool_] = wrong_yes | wrong_no
    return doubtful


def _predict_held_out(rows: Sequence[AuditRow], targets: NDArray[np.bool_], seed: int) -> NDArray[np.float64]:
    """Probabilities (n, k) of each label, from models that saw no row of the same group."""
    from sklearn.model_selection import GroupKFold

    texts = [row.text for row in rows]
    groups = [row.group or row.key for row in rows]
    folds = min(FOLDS, len(set(groups)))
    if folds < 2:  # noqa: PLR2004 - to hold one out there must be another
        raise DataError("all rows are of one group, so no model can be trained on the others")
    probabilities = np.zeros(targets.shape)
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    for train, held in splitter.split(texts, groups=groups):
        features, held_features = _embed([texts[row] for row in train], [texts[row] for row in held])
        for column in range(targets.shape[1]):
            known = targets[train, column]
            probabilities[held, column] = _predict_label(features, known, held_features)
    return probabilities


def _embed(train: Sequence[str], held: Sequence[str]) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    return vectorizer.fit_transform(train), vectorizer.transform(held)


def _predict_label(features: Any, known: NDArray[np.bool_], held_features: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    if known.all() or not known.any():
        return float(known[0])
    model = LogisticRegression(C=10.0, solver="liblinear").fit(features, known)
    return model.predict_proba(held_features)[:, 1]
