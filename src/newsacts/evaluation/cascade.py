"""What a cascade keeps: measured on sentences, and bounded for sentences drawn from where those were drawn.

Two units. A sentence that the full model gives at least one label, of all labels together; and, label by label, a
sentence that it gives that label: a rare one would not be missed among the others. Either is kept if the first stage
lets the sentence through. The bound is that of Clopper and Pearson (1934), one-sided, each by itself. It takes
sentences as drawn independently, which those of one article are not quite, and says nothing about text of another kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsacts.calibration import BoolArray
from newsacts.cascade import DoubleArray
from newsacts.classifier import Classifier
from newsacts.errors import DataError, UsageError

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class KeptLabel:
    """Sentences that the full model gives one label, and how many of them reach it. `bound` is as in `KeptActs`."""

    found: int
    kept: int
    bound: float


@dataclass(frozen=True, slots=True)
class KeptActs:
    """Counts over `sentences` sentences, `discarded` of them by the first stage.

    The full model labels `found` sentences with `labels` labels in all; `kept` and `labels_kept` are those that reach
    it. `bound` is the share of labelled sentences that is kept at least, with `CONFIDENCE`; `by_label` says the same of
    each label.
    """

    sentences: int
    discarded: int
    found: int
    kept: int
    labels: int
    labels_kept: int
    bound: float
    by_label: Mapping[str, KeptLabel]

    @property
    def discarded_share(self) -> float:
        """Share of all sentences that the full model does not read."""
        return self.discarded / self.sentences if self.sentences else 0.0


def measure_kept(classifier: Classifier, texts: Sequence[str]) -> KeptActs:
    """Run the full model on all texts and count what its cascade would have kept, with the thresholds as they are.

    Raises `UsageError` for a classifier without a cascade, `DataError` for no text.
    """
    if classifier.cascade is None:
        raise UsageError("this classifier has no cascade to measure; open it with cascade='safe' or cascade='fast'")
    if not texts:
        raise DataError("no sentence to measure the cascade on, expected at least one")
    decided = classifier.without_cascade().score(texts).decided
    return count_kept(decided, classifier.find_reached(texts), classifier.scheme.names)


def count_kept(decided: BoolArray, reached: BoolArray, names: Sequence[str]) -> KeptActs:
    """Counts from what the full model decided on k names, bool (n, k), and which sentences reach it, bool (n,)."""
    every = _count(np.asarray(decided.any(axis=1)), reached)
    return KeptActs(
        sentences=len(reached),
        discarded=int((~reached).sum()),
        found=every.found,
        kept=every.kept,
        labels=int(decided.sum()),
        labels_kept=int(decided[reached].sum()),
        bound=every.bound,
        by_label={name: _count(column, reached) for name, column in zip(names, decided.T, strict=True)},
    )


def tell_labels(counts: Mapping[str, Any], *, target: float | None = None) -> str:
    """Each label's counts, in words: mappings with found, kept and bound, by name.

    With the `target` that was to be proven, says where the sentences are too few for it.
    """
    parts = []
    for name, row in counts.items():
        short = target is not None and row["bound"] < target
        doubt = f"; too few to prove {target:.0%}" if short else ""
        parts.append(f"{name} {row['kept']:,} of {row['found']:,} (at least {row['bound']:.1%}{doubt})")
    return ", ".join(parts)


def find_lower_bound(kept: int, found: int, *, confidence: float = CONFIDENCE) -> float:
    """The smallest share that is not refuted by `kept` of `found`: a one-sided exact binomial bound. 0 of 0 gives 0."""
    from scipy.special import betaincinv

    if not 0 <= kept <= found:
        raise UsageError(f"expected at most {found} kept and at least 0, got {kept}")
    return 0.0 if kept == 0 else float(betaincinv(kept, found - kept + 1, 1 - confidence))


def choose_threshold(scores: DoubleArray, found: BoolArray, *, target: float, confidence: float = CONFIDENCE) -> float:
    """The highest threshold whose bound reaches `target`; scores and `found` are (n,).

    Thresholds are tried from below and the first that fails ends it, so that choosing costs no confidence: the share
    that is kept falls with the threshold (fixed-sequence testing; Bates et al. 2021). Raises `DataError` where even
    losing nothing proves too little.
    """
    held = np.sort(scores[found])
    allowed = -1
    while allowed + 1 < len(held) and find_lower_bound(len(held) - allowed - 1, len(held), confidence=confidence) >= (
        target
    ):
        allowed += 1
    if allowed < 0:
        needed = int(np.ceil(np.log(1 - confidence) / np.log(target)))
        raise DataError(
            f"{len(held)} held-out sentences are labelled by the full model; to promise {target:.0%} of them with "
            f"{confidence:.0%} confidence takes at least {needed}: give more held-out text"
        )
    return float(held[allowed])


def choose_thresholds(
    log_odds: DoubleArray, decided: BoolArray, names: Sequence[str], *, target: float
) -> tuple[float, ...]:
    """A threshold for each of k labels, and one for any label: log-odds (n, k + 1), decided (n, k).

    Each is chosen by itself, on the sentences that carry its label, so each bound holds by itself, and that one of them
    is reached can only keep more. Where a label has too few sentences to prove the target, none of them may be lost.
    Raises `DataError` for a label without a sentence, and where all labels together prove too little.
    """
    chosen = []
    for column, name in enumerate(names):
        held = log_odds[decided[:, column], column]
        if not len(held):
            raise DataError(
                f"the full model gives {name!r} to no held-out sentence, so nothing is known of what would be lost; "
                "give held-out text in which it occurs"
            )
        provable = find_lower_bound(len(held), len(held)) >= target
        everything = np.ones(len(held), dtype=np.bool_)
        chosen.append(choose_threshold(held, everything, target=target) if provable else float(held.min()))
    return (*chosen, choose_threshold(log_odds[:, -1], np.asarray(decided.any(axis=1)), target=target))


def _count(found: BoolArray, reached: BoolArray) -> KeptLabel:
    total, kept = int(found.sum()), int((found & reached).sum())
    return KeptLabel(total, kept, find_lower_bound(kept, total))
