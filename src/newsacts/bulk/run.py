"""The local engine: one thread reads and segments, one classifies, one writes; shards finish in order.

Everything that says what a row is lives elsewhere (`plan`, `readers`, `scoring`, `writers`), and another engine can
run the same plan with the same parts. This file only says when. At most four shards are in memory.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from newsacts.bulk.folder import MANIFEST, OutputFolder, open_folder
from newsacts.bulk.manifest import BulkResult, RunFacts, build_manifest, sum_marks
from newsacts.bulk.near_duplicates import import_datasketch
from newsacts.bulk.plan import BulkSettings, Plan, Shard, cut_shards, make_plan
from newsacts.bulk.readers import Meter, read_articles
from newsacts.bulk.scoring import ScoredShard, prepare_shard, score_shard
from newsacts.bulk.shard_files import describe_shard, encode_shard, write_clusters
from newsacts.bulk.sources import Inputs
from newsacts.bulk.writers import require_free_names
from newsacts.classifier import Classifier
from newsacts.data.tables import Reject
from newsacts.errors import DataError, UsageError
from newsacts.records import Article, LabelledSentence, Prediction
from newsacts.tally import Counts, tally_from_json

T = TypeVar("T")
_logger = logging.getLogger("newsacts")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `resumed` counts the articles that were done before it began; bytes are those of the input."""

    articles: int
    resumed: int
    rejected: int
    counts: Counts
    bytes_used: int
    bytes_total: int
    bytes_resumed: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """Reckoned from the bytes; None where nothing is done yet or the size of the input is not known."""
        fresh = self.bytes_used - self.bytes_resumed
        left = self.bytes_total - self.bytes_used
        return self.seconds * left / fresh if fresh > 0 and left >= 0 and self.bytes_total else None


def classify_corpus(
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    classifier: Classifier | None = None,
    settings: BulkSettings | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> BulkResult:
    """Classify every sentence of a corpus into a folder, or go on where an earlier call was stopped.

    `inputs` are files, folders, globs, URLs or "-"; see docs/bulk.md. Bad rows become rejects and stop nothing.
    Interrupted (SIGINT or SIGTERM, in the main thread), the shard in flight is finished and `KeyboardInterrupt`
    raised. Raises `UsageError` for a folder in use or of another plan, `DataError` for input that is not there or
    without a single article, and `NewsactsError` where the disk is full or fails.
    """
    settings, classifier = settings or BulkSettings(), classifier or Classifier.from_pretrained()
    check_settings(settings, classifier)
    found = open_inputs(inputs, settings, exclude=Path(output))
    plan = make_plan(found, settings, classifier)
    began, start = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    with open_folder(Path(output), plan) as folder:
        fields, meter = settings.make_field_reader(), Meter()
        shards = cut_shards(read_articles(found, fields, meter), plan, settings, meter)
        watch = _Watch(plan, start, on_progress)
        count = _run_shards(shards, folder, classifier, settings, watch)
        folder.require_no_more(count)
        if found.unknown:
            _logger.warning("%d files of unknown kinds were passed over", found.unknown)
        clusters = write_clusters(folder, settings) if settings.near_duplicates else None
        ended, seconds = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter() - start
        outcome = sum_marks(folder, classifier.scheme.names)
        facts = RunFacts(began, ended, seconds, found.unknown, clusters)
        folder.write_json(MANIFEST, build_manifest(plan, classifier, fields, outcome, facts))
    result = outcome[0]
    if not result.articles:
        raise DataError(f"no article in the input; {result.rejected} rows were rejected, see {folder.path / 'rejects'}")
    return result


def iter_corpus(
    inputs: Sequence[str | Path],
    *,
    classifier: Classifier | None = None,
    settings: BulkSettings | None = None,
    on_reject: Callable[[Reject], None],
) -> Iterator[tuple[Article, list[LabelledSentence]]]:
    """Each article of a corpus with its labelled sentences, in reading order, for people with storage of their own.

    The rows are those of `classify_corpus`. `on_reject` is called with each row that cannot be used. Keeps nothing on
    the disk, so it cannot be resumed.
    """
    settings, classifier = settings or BulkSettings(), classifier or Classifier.from_pretrained()
    found = open_inputs(inputs, settings)
    plan, meter = make_plan(found, settings, classifier), Meter()
    shards = cut_shards(read_articles(found, settings.make_field_reader(), meter), plan, settings, meter)
    with ThreadPoolExecutor(1) as reading:
        for prepared in look_ahead(reading, map(prepare_shard, shards)):
            scored = score_shard(prepared, classifier)
            for reject in scored.shard.rejects:
                on_reject(reject)
            for article, numbers in scored.stretches():
                yield article, [_label_sentence(scored, number) for number in numbers]


def open_inputs(inputs: Sequence[str | Path], settings: BulkSettings, *, exclude: Path | None = None) -> Inputs:
    """The inputs, checked to be there; a folder `exclude` is passed over. Raises `UsageError` and `DataError`."""
    if isinstance(inputs, str):
        raise UsageError("expected a list of inputs, got one str; write [input]")
    return Inputs(tuple(map(str, inputs)), settings.input_format, exclude)


def check_settings(settings: BulkSettings, classifier: Classifier) -> None:
    """Raise `UsageError` for what would only fail later: a taken column name, a missing package."""
    require_free_names(settings.keep, classifier.scheme)
    if settings.near_duplicates:
        import_datasketch()


def look_ahead(pool: ThreadPoolExecutor, items: Iterable[T]) -> Iterator[T]:
    """The items in order, the next always being made in the pool's thread. None ends them."""
    iterator = iter(items)
    future: Future[T | None] = pool.submit(next, iterator, None)
    while (item := future.result()) is not None:
        future = pool.submit(next, iterator, None)
        yield item


class _Watch:
    """Counts what is done and tells the caller."""

    def __init__(self, plan: Plan, start: float, on_progress: Callable[[Progress], None] | None) -> None:
        self._total = int(plan.files["bytes"])
        self._start, self._on_progress = start, on_progress
        self._articles = self._resumed = self._rejected = self._bytes_resumed = 0
        self._counts: Counts | None = None

    def note(self, mark: dict[str, Any], position: int, *, resumed: bool) -> None:
        """A shard is done, now or before."""
        counts = tally_from_json(mark["tally"]).total
        self._counts = counts if self._counts is None else self._counts + counts
        self._articles += mark["articles"]
        if resumed:
            self._resumed, self._bytes_resumed = self._articles, position
        self._rejected += mark["rejected"]
        if self._on_progress is not None:
            seconds = time.perf_counter() - self._start
            amounts = (self._articles, self._resumed, self._rejected)
            self._on_progress(Progress(*amounts, self._counts, position, self._total, self._bytes_resumed, seconds))


def _run_shards(
    shards: Iterable[Shard], folder: OutputFolder, classifier: Classifier, settings: BulkSettings, watch: _Watch
) -> int:
    """Do what is not done; returns the number of shards."""
    prepared = (shard if folder.is_done(shard) else prepare_shard(shard) for shard in shards)
    pending: Future[None] | None = None

    def write(scored: ScoredShard, seconds: float) -> None:
        mark = describe_shard(scored, seconds=seconds)
        folder.write_shard(scored.shard, encode_shard(scored, settings), mark)
        watch.note(mark, scored.shard.position, resumed=False)

    count = 0
    with _catch_signals() as stopped, ThreadPoolExecutor(1) as writing, ThreadPoolExecutor(1) as reading:
        for item in look_ahead(reading, prepared):
            if stopped.is_set():
                break
            count += 1
            if isinstance(item, Shard):
                watch.note(folder.read_mark(item.number), item.position, resumed=True)
                continue
            start = time.perf_counter()
            scored = score_shard(item, classifier)
            if pending is not None:
                pending.result()
            pending = writing.submit(write, scored, time.perf_counter() - start)
        if pending is not None:
            pending.result()
    if stopped.is_set():
        done = f"{len(folder.done)} shards are done and safe"
        raise KeyboardInterrupt(f"stopped: {done}; run the same command again to go on")
    return count


@contextmanager
def _catch_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second SIGINT stops at once."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, _frame: object) -> None:
        if stopped.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt("stopped at once; run the same command again to go on")
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _label_sentence(scored: ScoredShard, number: int) -> LabelledSentence:
    values = zip(scored.scheme.names, scored.probabilities[number].tolist(), strict=True)
    return LabelledSentence(scored.sentences[number], Prediction(scored.name_labels(number), dict(values)))
