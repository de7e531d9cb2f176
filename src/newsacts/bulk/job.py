"""What all engines share: a job is checked, its folder opened, its shards done by the engine, the outcome written down.

Everything that says what a row is lives elsewhere (`plan`, `readers`, `scoring`, `writers`); an engine (`run`,
`ray_data`) only says when and where. So it does not matter which engine begins a folder and which one finishes it.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsacts.backends.base import Choice
from newsacts.bulk.folder import MANIFEST, OutputFolder, open_folder
from newsacts.bulk.manifest import BulkResult, RunFacts, build_manifest, sum_marks
from newsacts.bulk.near_duplicates import import_datasketch
from newsacts.bulk.plan import BulkSettings, Plan, make_plan
from newsacts.bulk.shard_files import write_clusters
from newsacts.bulk.sources import Inputs
from newsacts.bulk.writers import require_free_names
from newsacts.classifier import Classifier
from newsacts.crosswalk import find_codes
from newsacts.errors import DataError, UsageError
from newsacts.tally import Counts, tally_from_json

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


@dataclass(frozen=True, slots=True)
class Job:
    """What an engine is to do: which inputs, how, by which classifier, in which shards."""

    inputs: Inputs
    settings: BulkSettings
    classifier: Classifier
    plan: Plan


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine knows once it has read the input to its end. `choices` are the columns chosen, by role."""

    shards: int
    choices: Mapping[str, Sequence[Choice]]
    unknown_files: int


class Watch:
    """Counts what is done, in whatever order, and tells the caller."""

    def __init__(self, plan: Plan, on_progress: Callable[[Progress], None] | None) -> None:
        self._total = int(plan.files["bytes"])
        self._start, self._on_progress = time.perf_counter(), on_progress
        self._articles = self._resumed = self._rejected = self._bytes = self._bytes_resumed = 0
        self._counts: Counts | None = None

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self._start

    def note(self, mark: Mapping[str, Any], position: int, *, resumed: bool) -> None:
        """A shard is done, now or before; the input was used up to `position` when it was cut."""
        counts = tally_from_json(mark["tally"]).total
        self._counts = counts if self._counts is None else self._counts + counts
        self._articles += mark["articles"]
        self._rejected += mark["rejected"]
        self._bytes = max(self._bytes, position)
        if resumed:
            self._resumed, self._bytes_resumed = self._resumed + mark["articles"], self._bytes
        if self._on_progress is not None:
            amounts = (self._articles, self._resumed, self._rejected)
            places = (self._bytes, self._total, self._bytes_resumed)
            self._on_progress(Progress(*amounts, self._counts, *places, self.seconds))


Engine = Callable[[Job, OutputFolder, Watch], Reading]
"""Does every shard that is not done. Raises `KeyboardInterrupt` where it was stopped before the end."""


def make_job(inputs: Inputs, settings: BulkSettings, classifier: Classifier) -> Job:
    """A job, checked: raises `UsageError` for what would only fail later."""
    check_settings(settings, classifier)
    return Job(inputs, settings, classifier, make_plan(inputs, settings, classifier))


def run_job(
    job: Job, output: Path, engine: Engine, *, name: str, on_progress: Callable[[Progress], None] | None
) -> BulkResult:
    """Do a job in a folder, new or begun before; `name` is how the manifest calls the engine.

    Raises `UsageError` for a folder in use or of another plan, `DataError` for input without a single article, and
    `NewsactsError` where the disk is full or fails.
    """
    began = _now()
    with open_folder(output, job.plan) as folder:
        watch = Watch(job.plan, on_progress)
        reading = engine(job, folder, watch)
        folder.require_no_more(reading.shards)
        if reading.unknown_files:
            _logger.warning("%d files of unknown kinds were passed over", reading.unknown_files)
        clusters = write_clusters(folder, job.settings) if job.settings.near_duplicates else None
        facts = RunFacts(name, (began, _now()), watch.seconds, reading.unknown_files, clusters)
        outcome = sum_marks(folder, job.classifier.scheme.names)
        folder.write_json(MANIFEST, build_manifest(job.plan, job.classifier, reading.choices, outcome, facts))
    result = outcome[0]
    if not result.articles:
        raise DataError(f"no article in the input; {result.rejected} rows were rejected, see {folder.path / 'rejects'}")
    return result


def open_inputs(inputs: Sequence[str | Path], settings: BulkSettings, *, exclude: Path | None = None) -> Inputs:
    """The inputs, checked to be there; a folder `exclude` is passed over. Raises `UsageError` and `DataError`."""
    if isinstance(inputs, str):
        raise UsageError("expected a list of inputs, got one str; write [input]")
    return Inputs(tuple(map(str, inputs)), settings.input_format, exclude)


def check_settings(settings: BulkSettings, classifier: Classifier) -> None:
    """Raise `UsageError` for what would only fail later: a taken column name, a label without codes, a package."""
    require_free_names(settings.keep, classifier.scheme, staged=classifier.cascade is not None)
    if settings.codes is not None:
        find_codes(classifier.scheme.names, settings.codes)
    if settings.near_duplicates:
        import_datasketch()


@contextmanager
def catch_signals() -> Iterator[threading.Event]:
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


def explain_stop(folder: OutputFolder) -> KeyboardInterrupt:
    """What an engine raises when it was stopped and has put its work away."""
    return KeyboardInterrupt(
        f"stopped: {len(folder.done)} shards are done and safe; run the same command again to go on"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
