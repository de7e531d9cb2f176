"""What a run would do and how long it would take, from its plan and a short probe: nothing is written."""

import itertools
import time
from dataclasses import dataclass

from newsacts.backends.base import Choice
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings, Plan, cut_shards
from newsacts.bulk.readers import read_articles
from newsacts.bulk.scoring import prepare_shard
from newsacts.bulk.sources import Inputs
from newsacts.classifier import Classifier

PROBE_SHARDS = 4
PROBE_SENTENCES = 512


@dataclass(frozen=True, slots=True)
class Estimate:
    """Numbers of a probe, and what they come to for the whole input. `articles` is None for a stream.

    `exact` tells that the probe read all there is to read.
    """

    probed_articles: int
    probed_sentences: int
    rejected: int
    sentences_a_second: float
    articles: int | None
    sentences: int | None
    seconds: float | None
    exact: bool
    choices: dict[str, list[Choice]]


def estimate_run(inputs: Inputs, plan: Plan, settings: BulkSettings, classifier: Classifier) -> Estimate:
    """Read the first shards, classify some of their sentences, and reckon from their share of the bytes."""
    fields, meter = settings.make_field_reader(), Meter()
    shards = cut_shards(read_articles(inputs, fields, meter), plan, settings, meter)
    articles = sentences = rejected = position = 0
    sample: list[str] = []
    for shard in itertools.islice(shards, PROBE_SHARDS):
        articles, rejected, position = articles + len(shard.articles), rejected + len(shard.rejects), shard.position
        prepared = prepare_shard(shard)
        sentences += len(prepared.sentences)
        sample += prepared.texts[: PROBE_SENTENCES - len(sample)]
    exact = next(shards, None) is None
    rate = _measure_rate(sample, classifier)
    factor = 1.0 if exact else plan.files["bytes"] / position if position and plan.files["bytes"] else None
    total = None if factor is None else round(articles * factor)
    if total is not None and settings.limit is not None:
        total = min(total, settings.limit)
    expected = None if total is None else round(sentences * total / articles) if articles else 0
    return Estimate(
        probed_articles=articles,
        probed_sentences=sentences,
        rejected=rejected,
        sentences_a_second=rate,
        articles=total,
        sentences=expected,
        seconds=None if expected is None or not rate else expected / rate,
        exact=exact,
        choices=fields.choices,
    )


def _measure_rate(sample: list[str], classifier: Classifier) -> float:
    """Sentences a second; the first few are not timed, since a model is slow until it is warm."""
    if not sample:
        return 0.0
    classifier.predict_proba(sample[:16])
    start = time.perf_counter()
    classifier.predict_proba(sample)
    return len(sample) / (time.perf_counter() - start)
