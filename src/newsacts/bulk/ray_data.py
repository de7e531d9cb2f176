"""The Ray engine: the same plan, by the same parts, over the processes and machines of a Ray cluster.

One task of Ray Data reads the input and cuts it into shards, on the machine of the driver, so that no other machine
needs the files. A pool of actors, each with a classifier, turns shards into the bytes of their files. The driver
writes them, and it alone, as the local engine does; so a shard that Ray does twice, because a process or a machine was
lost, is written once, and losing the driver costs the shards in flight: run again, by either engine.

Rows are those of the local engine, as far as the model gives the same bits for the same batch on every machine.
"""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from newsacts.backends.base import Choice
from newsacts.batching import TokenBatch
from newsacts.bulk.folder import OutputFolder
from newsacts.bulk.job import Job, Progress, Reading, Watch, catch_signals, explain_stop, make_job, open_inputs, run_job
from newsacts.bulk.manifest import BulkResult
from newsacts.bulk.messages import Errand, Message, Opener, ShardWorker, read_messages, take_message
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.ray_cluster import SAFE, Workers, connect, count_workers, import_ray, map_ray_errors
from newsacts.bulk.ray_register import keep_register, pin_here
from newsacts.bulk.sources import URL_MARK
from newsacts.calibration import Calibration, FloatArray
from newsacts.cascade import OFF, open_cascade
from newsacts.checkpoint import open_checkpoint
from newsacts.classifier import Classifier, find_checkpoint_folder
from newsacts.data.inputs import STANDARD_INPUT
from newsacts.errors import BackendError, NewsactsError, UsageError

_logger = logging.getLogger("newsacts")


def classify_corpus_on_ray(
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    workers: Workers | None = None,
    settings: BulkSettings | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> BulkResult:
    """`classify_corpus` on a Ray cluster: same folder, same rows, and each engine goes on where the other stopped.

    Raises what `classify_corpus` does, `UsageError` where Ray is missing, a stream is to be read or no worker fits,
    and `NewsactsError` where the cluster fails for good; finished shards are safe then.
    """
    workers, settings = workers or Workers(), settings or BulkSettings()
    found = open_inputs(_make_absolute(inputs), settings, exclude=Path(output).absolute())
    ray = import_ray()
    with map_ray_errors(ray), connect(ray, workers.address):
        count = count_workers(ray.cluster_resources(), workers)
        opener = _make_opener(workers)
        _logger.info("ray: %s", workers.describe(count))
        job = make_job(found, settings, _describe_workers(ray, workers, opener))
        pool = _Pool(opener, count, workers.cpus, workers.gpus)
        engine = partial(_run_on_ray, pool=pool)
        return run_job(job, Path(output), engine, name=f"ray, {workers.describe(count)}", on_progress=on_progress)


def open_without_model(source: str | Path | None) -> Classifier:
    """A checkpoint's scheme and calibration, for who does not classify: asked for logits, it raises `BackendError`."""
    return Classifier(open_checkpoint(find_checkpoint_folder(source)), _Elsewhere({}))


@dataclass(frozen=True, slots=True)
class _Pool:
    """The actors, and what each opens."""

    opener: Opener
    count: int
    cpus: float
    gpus: float


class _Elsewhere:
    """The backend of a driver that holds no model: it tells what the workers chose."""

    def __init__(self, choices: dict[str, Choice]) -> None:
        self.choices = choices

    def logits(self, batch: TokenBatch) -> FloatArray:
        raise BackendError("the model is in the workers of the Ray cluster and not here")


class _Actor:
    """A worker as Ray Data calls it: tables of messages in and out."""

    def __init__(self, opener: Opener, errand: Errand, register: Any) -> None:
        import ray

        ray.get(register.add.remote(ray.get_runtime_context().current_actor))
        self._worker = ShardWorker(opener, errand)

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        answers = [self._worker.do(json.loads(row)) for row in table["message"].to_pylist()]
        messages = [json.dumps(message) for message, _ in answers]
        return pa.table({"message": messages, "content": pa.array([content for _, content in answers], pa.binary())})


def _run_on_ray(job: Job, folder: OutputFolder, watch: Watch, *, pool: _Pool) -> Reading:
    errand = Errand(job.inputs, job.settings, job.plan)
    reading: Reading | None = None
    with catch_signals() as stopped, keep_register() as register:
        dataset = _make_dataset(errand, OutputFolder(folder.path, dict(folder.done)), pool, register)
        for row in dataset.iter_rows():
            reading = take_message(json.loads(row["message"]), row["content"], folder, watch) or reading
            if stopped.is_set():
                raise explain_stop(folder)
    if reading is None or len(folder.done) < reading.shards:
        raise NewsactsError(f"{folder.path}: the Ray cluster ended before every shard was done; {SAFE}")
    return reading


def _make_dataset(errand: Errand, folder: OutputFolder, pool: _Pool, register: Any) -> Any:
    """The lazy dataset whose rows are the answers of the workers, who add themselves to the register."""
    from ray.data import ActorPoolStrategy, read_datasource

    source = _make_source(lambda: map(_make_block, read_messages(errand, folder)))
    with warnings.catch_warnings():
        # The named parameters that Ray asks for instead do not include the scheduling strategy yet.
        warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
        where = {"scheduling_strategy": pin_here()}
        shards = read_datasource(source, override_num_blocks=1, num_cpus=0, ray_remote_args=where)
    # A shard is a block: larger blocks would wait until they are full, and starve the workers.
    shards.context.target_max_block_size = 1
    shards.context.enable_progress_bars = False
    shards.context.print_on_execution_start = False
    shards.context.raise_original_map_exception = True
    return shards.map_batches(
        _Actor,
        fn_constructor_args=(pool.opener, errand, register),
        batch_size=1,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=pool.count),
        num_cpus=pool.cpus,
        num_gpus=pool.gpus,
    )


def _make_source(read: Callable[[], Iterator[Any]]) -> Any:
    """A Ray Data source of one task, whose blocks `read` yields; done again from the start, it yields the same."""
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    class Shards(Datasource):
        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
            return [ReadTask(read, BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None))]

    return Shards()  # type: ignore[no-untyped-call]


def _make_block(message: Message) -> Any:
    import pyarrow as pa

    return pa.table({"message": [json.dumps(message)]})


def _make_absolute(inputs: Sequence[str | Path]) -> Sequence[str | Path]:
    """The inputs as a process in another folder would find them. Raises `UsageError` for streams."""
    if isinstance(inputs, str):
        return inputs  # refused where all inputs are checked
    for path in map(Path, inputs):
        if str(path) == STANDARD_INPUT or (path.exists() and not path.is_file() and not path.is_dir()):
            raise UsageError(f"the Ray engine reads in another process, which has no stream {path}; save it to a file")
    return [name if URL_MARK in str(name) else Path(name).absolute() for name in inputs]


def _make_opener(workers: Workers) -> Opener:
    source = workers.model
    if source is not None and Path(source).expanduser().exists():
        source = Path(source).expanduser().absolute()
    opener = partial(Classifier.from_pretrained, source, **workers.options)
    return partial(_open_calibrated, opener, workers.calibration)


def _open_calibrated(opener: Opener, calibration: Calibration | None) -> Classifier:
    classifier = opener()
    return classifier if calibration is None else classifier.with_calibration(calibration)


def _describe_workers(ray: Any, workers: Workers, opener: Opener) -> Classifier:
    """The classifier as the driver needs it, without a model: the checkpoint, and the choices that a worker made."""
    ask = ray.remote(_find_choices).options(num_cpus=workers.cpus, num_gpus=workers.gpus)
    choices = ray.get(ask.remote(opener))
    for name, choice in choices.items():
        _logger.info("%s: %s (%s)", name, choice.value, choice.reason)
    checkpoint = open_checkpoint(find_checkpoint_folder(workers.model))
    cascade = open_cascade(checkpoint, workers.options.get("cascade", OFF))
    return _open_calibrated(lambda: Classifier(checkpoint, _Elsewhere(choices), cascade=cascade), workers.calibration)


def _find_choices(opener: Opener) -> dict[str, Choice]:
    return opener().choices
