"""The work on one shard: sentences, probabilities, labels. A function of the shard and the classifier alone.

Split in two, so that one thread can segment the next shard while another classifies this one: `prepare_shard` needs
no model, `score_shard` needs nothing else. A sentence that repeats inside a shard, spacing and case aside, is
classified once and gets the same numbers everywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from newsacts.bulk.near_duplicates import group_sentences
from newsacts.bulk.plan import Shard
from newsacts.calibration import BoolArray, FloatArray, name_labels
from newsacts.classifier import Classifier
from newsacts.data.tables import Reject
from newsacts.labels import LabelScheme
from newsacts.records import Article, Sentence
from newsacts.scoring import FIRST, FULL
from newsacts.segmentation import split_sentences
from newsacts.tally import NO_SOURCE, Counts, Tally, add_tallies, find_month

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PreparedShard:
    """A shard cut into sentences. `owners[i]` is the article of sentence i; `groups[i]` its row in `texts`."""

    shard: Shard
    sentences: list[Sentence]
    owners: list[int]
    texts: list[str]
    groups: IntArray


@dataclass(frozen=True, slots=True)
class ScoredShard:
    """Sentences with probabilities float32 (n, k) and decided labels bool (n, k), in reading order.

    With a cascade, `reached` bool (n,) tells which sentences the full model read.
    """

    shard: Shard
    scheme: LabelScheme
    sentences: list[Sentence]
    owners: list[int]
    probabilities: FloatArray
    decided: BoolArray
    classified: int
    reached: BoolArray | None = None

    def name_stage(self, number: int) -> str | None:
        """Which stage decided on a sentence; None without a cascade."""
        return None if self.reached is None else FULL if self.reached[number] else FIRST

    def name_labels(self, number: int) -> tuple[str, ...]:
        """The labels of a sentence, strongest first."""
        return name_labels(self.probabilities[number].tolist(), self.decided[number].tolist(), self.scheme)

    def stretches(self) -> Iterator[tuple[Article, range]]:
        """Each article with the numbers of its sentences."""
        start = 0
        for place, article in enumerate(self.shard.articles):
            stop = start
            while stop < len(self.owners) and self.owners[stop] == place:
                stop += 1
            yield article, range(start, stop)
            start = stop


def prepare_shard(shard: Shard) -> PreparedShard:
    """Split the articles of a shard and find its repeated sentences."""
    sentences: list[Sentence] = []
    owners: list[int] = []
    for place, article in enumerate(shard.articles):
        found = split_sentences(article.text, article_id=article.id)
        sentences += found
        owners += [place] * len(found)
    texts, groups = group_sentences([sentence.text for sentence in sentences])
    return PreparedShard(shard, sentences, owners, texts, groups)


def score_shard(prepared: PreparedShard, classifier: Classifier) -> ScoredShard:
    """Classify a shard. Sentences for which the model gives no finite number become rejects."""
    scored = classifier.score(prepared.texts)
    probabilities, decided = scored.probabilities[prepared.groups], scored.decided[prepared.groups]
    reached = scored.reached[prepared.groups]
    shard, sentences, owners = prepared.shard, prepared.sentences, prepared.owners
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        rejects = [_reject_sentence(sentences[number]) for number in np.flatnonzero(~finite)]
        shard = replace(shard, rejects=(*shard.rejects, *rejects))
        kept = np.flatnonzero(finite)
        sentences, owners = [sentences[number] for number in kept], [owners[number] for number in kept]
        probabilities, decided, reached = probabilities[kept], decided[kept], reached[kept]
    return ScoredShard(
        shard=shard,
        scheme=classifier.scheme,
        sentences=sentences,
        owners=owners,
        probabilities=probabilities,
        decided=decided,
        classified=int(scored.reached.sum()),
        reached=None if classifier.cascade is None else reached,
    )


def tally_shard(scored: ScoredShard) -> Tally:
    """Counts of a shard by source and month."""
    names = scored.scheme.names
    return add_tallies(names, (_tally_article(names, *stretch, scored.decided) for stretch in scored.stretches()))


def _tally_article(names: Sequence[str], article: Article, numbers: range, decided: BoolArray) -> Tally:
    flags = decided[numbers.start : numbers.stop]
    unlabelled = int((~flags.any(axis=1)).sum())
    counts = Counts(1, len(numbers), unlabelled, tuple(flags.sum(axis=0).tolist()))
    return Tally(tuple(names), {(article.source or NO_SOURCE, find_month(article.date)): counts})


def _reject_sentence(sentence: Sentence) -> Reject:
    reason = "the model gave no finite number for this sentence; try --dtype float32"
    return Reject(f"article {sentence.article_id}", sentence.index + 1, reason, sentence.text)
