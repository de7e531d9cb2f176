"""The local engine: one thread reads and segments, one classifies, one writes; shards finish in order.

At most four shards are in memory. Whoever is interrupted does not wait for the reader, which may hang in a pipe that
stays open: after a moment its thread is left to end with the process. Several processes are the other engine's
(`ray_data`): one process has all that a machine can give where inference, which runs outside the interpreter's lock,
takes nearly all of the time.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from newsacts.bulk.folder import OutputFolder
from newsacts.bulk.job import Job, Progress, Reading, Watch, catch_signals, explain_stop, make_job, open_inputs, run_job
from newsacts.bulk.manifest import BulkResult
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings, Shard, cut_shards
from newsacts.bulk.readers import read_articles
from newsacts.bulk.scoring import ScoredShard, prepare_shard, score_shard
from newsacts.bulk.shard_files import describe_shard, encode_shard
from newsacts.classifier import Classifier

T = TypeVar("T")
LOOK_SECONDS = 0.1
"""How often it is looked whether a run that waits for its input was stopped."""
GRACE_SECONDS = 3.0
"""So long the reader may take to end what it is at: a shard takes a second, a pipe that stays open for ever."""


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
    settings = settings or BulkSettings()
    found = open_inputs(inputs, settings, exclude=Path(output))
    job = make_job(found, settings, classifier or Classifier.from_pretrained())
    return run_job(job, Path(output), run_locally, name="local", on_progress=on_progress)


def run_locally(job: Job, folder: OutputFolder, watch: Watch) -> Reading:
    """Do what is not done, in the threads of this process."""
    fields, meter = job.settings.make_field_reader(), Meter()
    shards = cut_shards(read_articles(job.inputs, fields, meter), job.plan, job.settings, meter)
    prepared = (shard if folder.is_done(shard) else prepare_shard(shard) for shard in shards)
    pending: Future[None] | None = None

    def write(scored: ScoredShard, seconds: float) -> None:
        mark = describe_shard(scored, seconds=seconds)
        folder.write_shard(scored.shard, encode_shard(scored, job.settings), mark)
        watch.note(mark, scored.shard.position, resumed=False)

    count = 0
    with catch_signals() as stopped, ThreadPoolExecutor(1) as writing:
        for item in look_ahead(prepared, stopped):
            count += 1
            if isinstance(item, Shard):
                task = partial(watch.note, folder.read_mark(item.number), item.position, resumed=True)
            else:
                start = time.perf_counter()
                scored = score_shard(item, job.classifier)
                task = partial(write, scored, time.perf_counter() - start)
            if pending is not None:
                pending.result()
            pending = writing.submit(task)
        if pending is not None:
            pending.result()
    if stopped.is_set():
        raise explain_stop(folder)
    return Reading(count, fields.choices, job.inputs.unknown)


def look_ahead(items: Iterable[T], stopped: threading.Event | None = None) -> Iterator[T]:
    """The items in order, the next always being made in one other thread, until they end or `stopped` is set.

    What the thread raises is raised here. Left early, it makes the item at hand and no more, and a moment is waited.
    """
    iterator, stopped = iter(items), stopped or threading.Event()
    wanted: SimpleQueue[Iterator[T] | None] = SimpleQueue()
    made: SimpleQueue[Future[T | None]] = SimpleQueue()
    # Not a pool: Python waits for the threads of pools before it ends.
    reading = threading.Thread(target=_make_items, args=(wanted, made), daemon=True, name="reading")
    reading.start()
    try:
        wanted.put(iterator)
        while (item := _wait_for(made, stopped)) is not None:
            wanted.put(iterator)
            yield item
    finally:
        wanted.put(None)
        reading.join(GRACE_SECONDS)


def _make_items(wanted: "SimpleQueue[Iterator[T] | None]", made: "SimpleQueue[Future[T | None]]") -> None:
    while (items := wanted.get()) is not None:
        future: Future[T | None] = Future()
        try:
            future.set_result(next(items, None))
        except BaseException as error:  # noqa: BLE001 - raised again where the item is waited for
            future.set_exception(error)
        made.put(future)


def _wait_for(made: "SimpleQueue[Future[T | None]]", stopped: threading.Event) -> T | None:
    while not stopped.is_set():
        try:
            future = made.get(timeout=LOOK_SECONDS)
        except Empty:
            continue
        return future.result()
    return None
