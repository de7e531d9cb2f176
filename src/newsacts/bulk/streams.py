"""Labels without an output folder, for people whose articles and rows live elsewhere: generators and batches.

Nothing is kept on the disk here, so nothing can be resumed: whoever stores the rows knows which are stored.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from newsacts.bulk.job import open_inputs
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings, Shard, cut_shards, make_plan
from newsacts.bulk.readers import read_articles
from newsacts.bulk.run import look_ahead
from newsacts.bulk.scoring import ScoredShard, prepare_shard, score_shard
from newsacts.classifier import Classifier
from newsacts.data.tables import Reject
from newsacts.errors import ModelError, UsageError
from newsacts.records import Article, LabelledSentence, Prediction

LabelledArticle = tuple[Article, list[LabelledSentence]]


def iter_corpus(
    inputs: Sequence[str | Path],
    *,
    classifier: Classifier | None = None,
    settings: BulkSettings | None = None,
    on_reject: Callable[[Reject], None],
) -> Iterator[LabelledArticle]:
    """Each article of a corpus with its labelled sentences, in reading order.

    The rows are those of `classify_corpus`. `on_reject` is called with each row that cannot be used.
    """
    settings = settings or BulkSettings()
    found, classifier = open_inputs(inputs, settings), classifier or Classifier.from_pretrained()
    plan, meter = make_plan(found, settings, classifier), Meter()
    shards = cut_shards(read_articles(found, settings.make_field_reader(), meter), plan, settings, meter)
    for scored in _score_shards(shards, classifier):
        for reject in scored.shard.rejects:
            on_reject(reject)
        yield from _label_articles(scored)


def iter_articles(
    articles: Iterable[Article], *, classifier: Classifier | None = None, at_once: int = 100
) -> Iterator[LabelledArticle]:
    """Each of these articles with its labelled sentences, in their order; `at_once` are in memory, times three.

    Raises `ModelError` where the model gives no finite number for a sentence.
    """
    if at_once < 1:
        raise UsageError(f"expected at least 1 article at once, got {at_once}")
    rest, classifier = iter(articles), classifier or Classifier.from_pretrained()
    batches = iter(lambda: tuple(itertools.islice(rest, at_once)), ())
    for scored in _score_shards((Shard(0, "", batch, (), 0) for batch in batches), classifier):
        for reject in scored.shard.rejects:
            raise ModelError(f"{reject.path}, sentence {reject.row}: {reject.reason}")
        yield from _label_articles(scored)


@dataclass(frozen=True, slots=True)
class BatchLabeller:
    """A function on batches of columns, as `datasets.Dataset.map(batched=True)` wants it: adds labels to sentences.

    `column` holds the sentences; `model`, `device` and `dtype` go to `Classifier.from_pretrained`. It holds no model,
    so it travels to other processes at no cost; each opens the classifier once, at its first batch. Adds `labels`
    (lists, strongest first), `primary`, and one column `p_…` a label.
    """

    column: str = "text"
    model: str | None = None
    device: str = "auto"
    dtype: str = "auto"

    def __call__(self, batch: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
        """The new columns of a batch, as long as `batch[column]`. Raises `UsageError` where the column is missing."""
        if self.column not in batch:
            raise UsageError(f"the batch has no column {self.column!r}; it has {', '.join(batch)}")
        classifier = _open_once(self.model, self.device, self.dtype)
        predictions = classifier.predict(list(batch[self.column]))
        return {
            "labels": [list(one.labels) for one in predictions],
            "primary": [one.primary for one in predictions],
            **{f"p_{name}": [one.probabilities[name] for one in predictions] for name in classifier.scheme.names},
        }


@lru_cache(maxsize=2)
def _open_once(model: str | None, device: str, dtype: str) -> Classifier:
    return Classifier.from_pretrained(model, device=device, dtype=dtype)


def _score_shards(shards: Iterable[Shard], classifier: Classifier) -> Iterator[ScoredShard]:
    for prepared in look_ahead(map(prepare_shard, shards)):
        yield score_shard(prepared, classifier)


def _label_articles(scored: ScoredShard) -> Iterator[LabelledArticle]:
    for article, numbers in scored.stretches():
        yield article, [_label_sentence(scored, number) for number in numbers]


def _label_sentence(scored: ScoredShard, number: int) -> LabelledSentence:
    values = zip(scored.scheme.names, scored.probabilities[number].tolist(), strict=True)
    prediction = Prediction(scored.name_labels(number), dict(values), scored.name_stage(number))
    return LabelledSentence(scored.sentences[number], prediction)
