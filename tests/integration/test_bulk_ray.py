"""Claims about the Ray engine: the rows of the local engine, whatever dies on the way. One small cluster for all."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.bulk.messages import Errand, ShardWorker
from newsacts.bulk.plan import make_plan
from newsacts.bulk.ray_cluster import Workers, connect
from newsacts.bulk.ray_data import classify_corpus_on_ray
from newsacts.bulk.ray_register import keep_register
from newsacts.bulk.sources import Inputs
from newsacts.checkpoint import Checkpoint, open_checkpoint
from newsacts.classifier import Classifier
from newsacts.errors import ModelError, NewsactsError, UsageError
from tests import tiny
from tests.integration.bulk_driver import open_fake
from tests.integration.test_bulk_resume import FailingBackend, count_done, finish, read_folder, start, write_articles

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.enable_socket,  # the processes of a cluster talk over the loopback
    # Half a minute on a quiet machine. By a thread, since no signal reaches a test that waits inside Ray.
    pytest.mark.timeout(900, method="thread"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),
]
SETTINGS = BulkSettings(shard_articles=20, articles=True)


class DyingBackend(FakeBackend):
    """Kills its process in its third batch, once: where the file is not there yet."""

    def __init__(self, size: int, flag: Path) -> None:
        super().__init__(size)
        self.flag = flag

    def logits(self, batch: Any) -> Any:
        if self.batches == 2 and not self.flag.exists():
            self.flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().logits(batch)


def open_dying(flag: Path, source: Path, **_: Any) -> Classifier:
    checkpoint = open_checkpoint(source)
    return Classifier(checkpoint, DyingBackend(len(checkpoint.facts.scheme), flag))


def open_other_later(flag: Path, other: Path, source: Path) -> Classifier:
    """The checkpoint that was asked for, and another one as soon as the first is asked what it would do."""
    known = flag.exists()
    flag.touch()
    return open_fake(str(other if known else source))


def open_failing(source: Path) -> Classifier:
    checkpoint = open_checkpoint(source)
    return Classifier(checkpoint, FailingBackend(len(checkpoint.facts.scheme)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_AUTH_TOKEN": 64 * "0"}
    small = {"num_cpus": 2, "object_store_memory": 100 << 20, "include_dashboard": False}
    # Not below the folder of the test: the path of a socket has 107 characters at the most.
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        context = ray.init(address="local", log_to_driver=False, _temp_dir=folder, **small)
        yield context.address_info["address"]
        ray.shutdown()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_articles(tmp_path_factory.mktemp("corpus") / "in.jsonl", 200)


@pytest.fixture(scope="module")
def whole(corpus: Path, tiny_checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The folder of an undisturbed local run."""
    output = tmp_path_factory.mktemp("whole") / "out"
    classify_corpus([corpus], output, classifier=open_fake(str(tiny_checkpoint.folder)), settings=SETTINGS)
    return read_folder(output)


def run_on_ray(corpus: Path, output: Path, model: Path, **options: Any) -> Any:
    workers = Workers(model=model, count=2, **options)
    return classify_corpus_on_ray([corpus], output, workers=workers, settings=SETTINGS)


@pytest.mark.usefixtures("cluster")
def test_a_worker_killed_on_the_way_leaves_the_rows_of_the_local_engine(
    corpus: Path, whole: Any, tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "killed"
    monkeypatch.setattr(Classifier, "from_pretrained", partial(open_dying, flag))
    result = run_on_ray(corpus, tmp_path / "out", tiny_checkpoint.folder)
    assert flag.exists()
    assert (result.articles, result.rejected) == (200, 4)
    assert read_folder(tmp_path / "out") == whole
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["timings"]["engine"].startswith("ray, 2 work")


def test_a_killed_driver_loses_nothing_and_either_engine_goes_on(
    cluster: str, corpus: Path, whole: Any, tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, copy, model = corpus.parent / "torn", corpus.parent / "copy", tiny_checkpoint.folder
    options = ["--slow", "0.3", "--engine", "ray", "--address", cluster, "--workers", "2"]
    process = start(corpus, output, model, *options)
    while count_done(output) < 2:
        assert process.poll() is None, finish(process)[1]
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert finish(process)[0] == -signal.SIGKILL
    assert not (output / "manifest.json").exists()
    shutil.copytree(output, copy)
    classify_corpus([corpus], copy, classifier=open_fake(str(model)), settings=SETTINGS)
    assert read_folder(copy) == whole
    monkeypatch.setattr(Classifier, "from_pretrained", open_fake)
    run_on_ray(corpus, output, model)
    assert read_folder(output) == whole


@pytest.mark.slow
def test_control_c_stops_a_cluster_of_its_own_which_prints_nothing_and_leaves_nothing_at_home(
    corpus: Path, whole: Any, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    output, home, printed = tmp_path / "out", tmp_path / "home", tmp_path / "printed"
    home.mkdir()
    with tempfile.TemporaryDirectory(prefix="ray") as folder, printed.open("w") as stdout:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment |= {"HOME": str(home), "RAY_TMPDIR": folder}
        options = ["--slow", "0.3", "--engine", "ray", "--workers", "1"]
        process = start(corpus, output, tiny_checkpoint.folder, *options, stdout=stdout, env=environment)
        while count_done(output) < 2:
            assert process.poll() is None, finish(process)[1]
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        code, message = finish(process)
    assert (code, "shards are done and safe; run the same command again" in message) == (130, True)
    assert printed.read_text() == ""
    assert not (home / ".ray").exists()
    classify_corpus([corpus], output, classifier=open_fake(str(tiny_checkpoint.folder)), settings=SETTINGS)
    assert read_folder(output) == whole


@pytest.mark.usefixtures("cluster")
def test_an_error_in_a_process_of_the_cluster_is_told_as_the_local_engine_tells_it(
    tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 40), tmp_path / "out"
    classify_corpus([corpus], output, classifier=open_fake(str(tiny_checkpoint.folder)), settings=SETTINGS)
    corpus.write_text(corpus.read_text().replace("a25", "b25"))
    monkeypatch.setattr(Classifier, "from_pretrained", open_fake)
    with pytest.raises(UsageError, match=r"shard 1, from article 'a20' on, .* choose a new folder$"):
        run_on_ray(corpus, output, tiny_checkpoint.folder)


@pytest.mark.usefixtures("cluster")
def test_what_cannot_be_run_is_refused_before_anything_is_written(corpus: Path, tmp_path: Path) -> None:
    for workers, message in (
        (Workers(count=3), "3 workers with 1 CPUs and 0 GPUs each do not fit into 2 CPUs"),
        (Workers(gpus=1), "1 worker with 1 CPUs and 1 GPUs each do not fit into 2 CPUs and 0 GPUs"),
    ):
        with pytest.raises(UsageError, match=message):
            classify_corpus_on_ray([corpus], tmp_path / "out", workers=workers)
    with pytest.raises(UsageError, match="has no stream -"):
        classify_corpus_on_ray(["-"], tmp_path / "out")
    with pytest.raises(ModelError, match="no such checkpoint folder"):
        classify_corpus_on_ray([corpus], tmp_path / "out", workers=Workers(model=tmp_path / "gone"))
    assert not (tmp_path / "out").exists()


def test_nonsense_is_refused_without_a_cluster() -> None:
    with pytest.raises(UsageError, match="expected at least one worker"):
        Workers(count=0)
    for address in ("ray://head:10001", "head", "head:http", ":6379", "head:99999"):
        with pytest.raises(UsageError, match="expected auto or host:port"):
            Workers(address=address)


def test_a_cluster_that_is_not_there_is_told_at_once() -> None:
    unconnected = SimpleNamespace(is_initialized=lambda: False)
    with pytest.raises(NewsactsError, match=r"no Ray cluster answers at 127.0.0.1:1 \(.*\); all finished shards"):
        connect(unconnected, "127.0.0.1:1").__enter__()


def test_ray_that_is_not_installed_is_told_with_what_to_install(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'newsacts\[ray\]', or leave out --engine ray"):
        classify_corpus_on_ray([corpus], tmp_path / "out")


@pytest.mark.usefixtures("cluster")
def test_a_fault_in_a_worker_ends_the_run_and_is_told(
    corpus: Path, tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tiny.write_tiny_checkpoint(tmp_path / "other", pooling="max").folder
    openers: dict[str, Any] = {
        r"a worker failed: RuntimeError\('a fault in a batch of \d+'\); all finished": open_failing,
        r"the Ray cluster failed: .*would make other rows": partial(open_other_later, tmp_path / "asked", other),
    }
    for number, (message, opener) in enumerate(openers.items()):
        monkeypatch.setattr(Classifier, "from_pretrained", opener)
        with pytest.raises(NewsactsError, match=message):
            run_on_ray(corpus, tmp_path / f"{number}", tiny_checkpoint.folder)


class Answering:
    """An actor that adds itself to a register, and says that it lives."""

    def __init__(self, register: Any) -> None:
        ray.get(register.add.remote(ray.get_runtime_context().current_actor))

    def answer(self) -> bool:
        return True


@pytest.mark.usefixtures("cluster")
def test_who_is_in_the_register_ends_with_it_though_it_is_still_referred_to() -> None:
    with keep_register() as register:
        actor = ray.remote(Answering).options(num_cpus=2).remote(register)
        assert ray.get(actor.answer.remote(), timeout=60)
    with pytest.raises(ray.exceptions.RayActorError):
        ray.get(actor.answer.remote(), timeout=60)


def test_a_worker_with_another_checkpoint_refuses_to_begin(
    corpus: Path, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    mine, other = open_fake(str(tiny_checkpoint.folder)), tiny.write_tiny_checkpoint(tmp_path / "other", pooling="max")
    inputs = Inputs((str(corpus),))
    errand = Errand(inputs, SETTINGS, make_plan(inputs, SETTINGS, mine))
    with pytest.raises(ModelError, match=r"would make other rows \(checkpoint differ\)"):
        ShardWorker(lambda: open_fake(str(other.folder)), errand)
