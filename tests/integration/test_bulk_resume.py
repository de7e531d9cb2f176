"""Claims about stopping: whatever the moment, nothing is lost, nothing is left over, nothing is done twice."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus, folder
from newsacts.checkpoint import Checkpoint
from newsacts.classifier import Classifier
from newsacts.errors import NewsactsError, UsageError
from tests import tiny

pytestmark = pytest.mark.timeout(1800)  # many processes, which a busy machine takes its time for
ROOT = Path(__file__).parents[2]
SENTENCES = [text for text, _ in tiny.SENTENCES]
STEPS = (
    "half:plan.json", "written:plan.json", "renamed:part-000000", "half:part-000001", "written:part-000001",
    "renamed:articles-000002", "written:rejects-", "half:done-000003", "written:done-000003", "renamed:done-000003",
    "half:manifest", "written:manifest",
)  # fmt: skip


def write_articles(path: Path, count: int) -> Path:
    """Articles of three sentences, and a bad row after every fiftieth."""
    draw = random.Random(0)
    lines = []
    for number in range(count):
        text = " ".join(draw.choices(SENTENCES, k=3))
        lines.append(json.dumps({"id": f"a{number}", "text": text, "date": "2017-05-01", "source": f"s{number % 3}"}))
        if number % 50 == 49:
            lines.append('{"text": broken')
    path.write_text("\n".join(lines))
    return path


def start(corpus: Path, output: Path, model: Path, *options: str, **others: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.integration.bulk_driver", str(corpus), "--output", str(output)]
    command += ["--model", str(model), "--shard-articles", "20", "--articles", *options]
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **others}
    return subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **streams)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    errors = process.communicate(timeout=240)[1]
    return process.returncode, " ".join(errors.split())


def count_done(output: Path) -> int:
    return len(list((output / "done").iterdir())) if (output / "done").exists() else 0


def read_folder(path: Path) -> dict[str, Any]:
    """Every file of an output folder by name; of what holds timings, what does not."""
    contents: dict[str, Any] = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.suffix == ".json":
            contents[name] = json.loads(file.read_text())
            contents[name].pop("timings", None)
            contents[name].pop("seconds", None)
        else:
            contents[name] = file.read_bytes() if file.is_file() else None
    return contents


class FailingBackend(FakeBackend):
    """Finds a fault that nobody has thought of."""

    def logits(self, batch: Any) -> Any:
        raise RuntimeError(f"a fault in a batch of {len(batch.ids)}")


@pytest.fixture
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier(tiny_checkpoint, FakeBackend(4))


SMALL = BulkSettings(shard_articles=20, articles=True)


def test_killed_at_twenty_moments_and_resumed_equals_a_run_that_was_not(
    tmp_path: Path, tiny_checkpoint: Checkpoint
) -> None:
    corpus, torn, whole = write_articles(tmp_path / "in.jsonl", 500), tmp_path / "torn", tmp_path / "whole"
    assert finish(start(corpus, whole, tiny_checkpoint.folder))[0] == 0
    draw, killed = random.Random(1), 0
    for step in [*STEPS[:10], *[None] * 8, *STEPS[10:]]:
        # Half a second a shard while the moment is drawn: eight times two shards do not finish the 26 that there are.
        options = ["--slow", "0.5"] if step is None else ["--kill", step]
        before = count_done(torn)
        process = start(corpus, torn, tiny_checkpoint.folder, *options)
        if step is None:
            while draw.random() < 0.98 and count_done(torn) == before:
                time.sleep(0.05)
            time.sleep(draw.uniform(0, 0.5))
            os.killpg(process.pid, signal.SIGKILL)
        killed += finish(process)[0] == -signal.SIGKILL
    assert killed == 20
    assert finish(start(corpus, torn, tiny_checkpoint.folder))[0] == 0
    assert read_folder(torn) == read_folder(whole)


def test_a_second_run_into_one_folder_is_refused(tmp_path: Path, tiny_checkpoint: Checkpoint) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 100), tmp_path / "out"
    first = start(corpus, output, tiny_checkpoint.folder, "--slow", "2")
    while not (output / "done").exists():
        time.sleep(0.05)
    code, message = finish(start(corpus, output, tiny_checkpoint.folder))
    assert (code, "another run is writing to this folder" in message) == (2, True)
    assert finish(first)[0] == 0


def test_control_c_finishes_the_shard_and_says_how_to_go_on(tmp_path: Path, tiny_checkpoint: Checkpoint) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 200), tmp_path / "out"
    process = start(corpus, output, tiny_checkpoint.folder, "--slow", "0.3")
    while not (output / "done").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, message = finish(process)
    assert code == 130
    assert "run the same command again to go on" in message
    done = len(list((output / "done").iterdir()))
    assert 0 < done < 10
    assert len(list((output / "sentences").iterdir())) == done


def test_a_finished_run_is_not_done_again(tmp_path: Path, tiny_checkpoint: Checkpoint) -> None:
    corpus, output, backend = write_articles(tmp_path / "in.jsonl", 60), tmp_path / "out", FakeBackend(4)
    classifier = Classifier(tiny_checkpoint, backend)
    first = classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    batches = backend.batches
    assert classify_corpus([corpus], output, classifier=classifier, settings=SMALL) == first
    assert backend.batches == batches > 0


def test_a_lost_part_makes_a_finished_run_an_unfinished_one(tmp_path: Path, classifier: Classifier) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 60), tmp_path / "out"
    classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    next((output / "sentences").iterdir()).unlink()
    broken = Classifier(classifier.checkpoint, FailingBackend(4))
    with pytest.raises(RuntimeError, match="a fault"):
        classify_corpus([corpus], output, classifier=broken, settings=SMALL)
    assert not (output / "manifest.json").exists()


def test_a_lost_part_is_made_again(tmp_path: Path, classifier: Classifier) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 60), tmp_path / "out"
    classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    before = read_folder(output)
    next((output / "sentences").iterdir()).unlink()
    classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    assert read_folder(output) == before


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        (
            BulkSettings(shard_articles=30, articles=True),
            "settings.shard_articles: the folder was begun with 20, now it is 30",
        ),
        (BulkSettings(shard_articles=20, articles=True, limit=10), "settings.limit: the folder was begun with None"),
        (BulkSettings(shard_articles=20), "settings.articles: the folder was begun with True, now it is False"),
    ],
)
def test_other_settings_are_refused_by_name(
    tmp_path: Path, classifier: Classifier, settings: BulkSettings, difference: str
) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 60), tmp_path / "out"
    classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    before = read_folder(output)
    with pytest.raises(UsageError, match=difference):
        classify_corpus([corpus], output, classifier=classifier, settings=settings)
    assert read_folder(output) == before


def test_another_checkpoint_is_refused(tmp_path: Path, classifier: Classifier) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 20), tmp_path / "out"
    classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    other = Classifier(tiny.write_tiny_checkpoint(tmp_path / "other", pooling="max"), FakeBackend(4))
    with pytest.raises(UsageError, match="checkpoint: the folder was begun with"):
        classify_corpus([corpus], output, classifier=other, settings=SMALL)


def test_input_that_has_changed_is_refused_even_at_the_same_size(tmp_path: Path, classifier: Classifier) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 60), tmp_path / "out"
    classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    content = corpus.read_text()
    corpus.write_text(content.replace("a45", "b45"))
    with pytest.raises(UsageError, match="shard 2, from article 'a40' on, has other content now"):
        classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    corpus.write_text(content + "\n")
    with pytest.raises(UsageError, match=r"input 'in.jsonl' had \d+ bytes, now it has \d+"):
        classify_corpus([corpus], output, classifier=classifier, settings=SMALL)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, classifier: Classifier) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 20), tmp_path / "out"
    output.mkdir()
    (output / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"expected a new or empty folder.*found 'thesis.txt'"):
        classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    assert (output / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("failing", [0, 1, 4, 9])
def test_a_full_disk_stops_clearly_and_the_run_goes_on_later(
    failing: int, tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, output = write_articles(tmp_path / "in.jsonl", 60), tmp_path / "out"
    whole = classify_corpus([corpus], tmp_path / "whole", classifier=classifier, settings=SMALL)
    write, writes = folder._write_durably, 0

    def write_until_full(path: Path, content: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes > failing:
            path.write_bytes(content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(folder, "_write_durably", write_until_full)
    with pytest.raises(NewsactsError, match=r"no space left on the disk.*then run the same command again"):
        classify_corpus([corpus], output, classifier=classifier, settings=SMALL)
    assert not (output / ".aside").exists()
    monkeypatch.undo()
    assert classify_corpus([corpus], output, classifier=classifier, settings=SMALL).tally == whole.tally
    assert read_folder(output) == read_folder(tmp_path / "whole")


def test_a_quota_that_is_met_stops_clearly_and_the_run_goes_on_later(
    tmp_path: Path, tiny_checkpoint: Checkpoint
) -> None:
    corpus, torn, whole = write_articles(tmp_path / "in.jsonl", 100), tmp_path / "torn", tmp_path / "whole"
    assert finish(start(corpus, whole, tiny_checkpoint.folder))[0] == 0
    parts = sorted(path.stat().st_size for path in whole.rglob("*.parquet"))
    code, message = finish(start(corpus, torn, tiny_checkpoint.folder, "--file-bytes", str(parts[-1] - 1)))
    assert (code, "cannot be written" in message, "run it again to go on" in message) == (3, True, True)
    assert not (torn / ".aside").exists()
    assert finish(start(corpus, torn, tiny_checkpoint.folder))[0] == 0
    assert read_folder(torn) == read_folder(whole)


def test_a_disk_that_is_full_stops_clearly_and_the_run_goes_on_later(
    tmp_path: Path, tiny_checkpoint: Checkpoint
) -> None:
    corpus, disk, whole = write_articles(tmp_path / "in.jsonl", 200), tmp_path / "disk", tmp_path / "whole"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs rights that this process has not")
    try:
        assert finish(start(corpus, whole, tiny_checkpoint.folder))[0] == 0
        code, message = finish(start(corpus, disk / "out", tiny_checkpoint.folder))
        assert (code, "no space left on the disk" in message, "run the same command again" in message) == (
            3,
            True,
            True,
        )
        assert 0 < count_done(disk / "out") < count_done(whole)
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        assert finish(start(corpus, disk / "out", tiny_checkpoint.folder))[0] == 0
        assert read_folder(disk / "out") == read_folder(whole)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
