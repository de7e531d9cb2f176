"""What a cascade keeps: measured on sentences, and bounded for sentences drawn from where those were drawn.

The unit is a sentence that the full model gives at least one label: it is kept if the first stage lets it through. The
bound is that of Clopper and Pearson (1934), one-sided. It takes sentences as drawn independently, which those of one
article are not quite, and says nothing about text of another kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsacts.calibration import BoolArray
from newsacts.cascade import DoubleArray
from newsacts.classifier import Classifier
from newsacts.errors import DataError, UsageError

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class KeptActs:
    """Counts over `sentences` sentences, `discarded` of them by the first stage.

    The full model labels `found` sentences with `labels` labels in all; `kept` and `labels_kept` are those that reach
    it. `bound` is the share of labelled sentences that is kept at least, with `CONFIDENCE`.
    """

    sentences: int
    discarded: int
    found: int
    kept: int
    labels: int
    labels_kept: int
    bound: float

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
    return count_kept(decided, classifier.find_reached(texts))


def count_kept(decided: BoolArray, reached: BoolArray) -> KeptActs:
    """Counts from what the full model decided, bool (n, k), and which sentences reach it, bool (n,)."""
    found = decided.any(axis=1)
    kept = int((found & reached).sum())
    return KeptActs(
        sentences=len(reached),
        discarded=int((~reached).sum()),
        found=int(found.sum()),
        kept=kept,
        labels=int(decided.sum()),
        labels_kept=int(decided[reached].sum()),
        bound=find_lower_bound(kept, int(found.sum())),
    )


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
