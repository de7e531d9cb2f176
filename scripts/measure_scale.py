"""Rates, bytes and memory of bulk runs, for docs/scale.md. Only figures are written, never a text.

    python scripts/measure_scale.py ../shared/data/articles/reuters_2017.jsonl --output benchmarks/results/bulk.json

All parts, or those that --only names. Each is written when it is measured, beside what is there already from the same
machine; so a part that fails, or a run that is stopped, costs no other.
"""

import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from newsacts import Article, Classifier
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.bulk.job import make_job, open_inputs
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import cut_shards
from newsacts.bulk.readers import read_articles
from newsacts.bulk.scoring import prepare_shard, score_shard
from newsacts.bulk.shard_files import describe_shard, encode_shard
from newsacts.classifier import DEFAULT_CHECKPOINT
from newsacts.segmentation import split_sentences
from newsacts.training.machine import describe_machine

ROOT = Path(__file__).parents[1]
WORDS = ("mill", "bank", "rain", "union", "mayor", "army", "paper", "branch", "match", "delay", "claim", "fire")
LONG, SHORT = 14, 3
"""Sentences of a synthetic article: about as agency news, and few, where it is the number of articles that counts."""
SHARD_SIZES = (100, 300, 1_000_000)


def count_repeats(options: Namespace) -> dict[str, Any]:
    """Which share of the sentences of the corpus repeats, inside shards of several sizes."""
    texts = [split_sentences(one.text, article_id="") for one in read_corpus(options.corpus, None)]
    keys = [[" ".join(one.text.split()).casefold() for one in sentences] for sentences in texts]
    total = sum(map(len, keys))
    shares = {}
    for size in (min(size, len(keys)) for size in SHARD_SIZES):
        shards = [keys[start : start + size] for start in range(0, len(keys), size)]
        kept = sum(len({key for article in shard for key in article}) for shard in shards)
        shares[str(size)] = 1 - kept / total
    return {"articles": len(keys), "sentences": total, "share_by_articles_a_shard": shares}


def profile_steps(options: Namespace) -> dict[str, float]:
    """Milliseconds of processor time an article, step by step, one after the other, with the model."""
    settings, meter = BulkSettings(limit=min(options.articles, 100)), Meter()
    job = make_job(open_inputs([options.corpus], settings), settings, open_model())
    rows = read_articles(job.inputs, settings.make_field_reader(), meter)
    read, reading = clock(lambda: list(cut_shards(rows, job.plan, settings, meter)))
    prepared, splitting = clock(lambda: [prepare_shard(shard) for shard in read])
    scored, scoring = clock(lambda: [score_shard(one, job.classifier) for one in prepared])
    _, packing = clock(lambda: [(encode_shard(one, settings), describe_shard(one, seconds=0)) for one in scored])
    count = sum(len(shard.articles) for shard in read)
    steps = {"read": reading, "split": splitting, "tokenise and infer": scoring, "pack and tally": packing}
    return {name: 1000 * processor / count for name, (_, processor) in steps.items()}


def compare_rates(options: Namespace) -> dict[str, Any]:
    """The bare model against a whole run on the same sentences, turn by turn: what else goes on hits both."""
    classifier, settings = open_model(), BulkSettings(limit=options.articles)
    articles = read_corpus(options.corpus, options.articles)
    texts = [sentence.text for one in articles for sentence in split_sentences(one.text, article_id="")]
    bare, whole, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            output = Path(folder) / str(repeat)
            _, (seconds, processor) = clock(lambda: classifier.predict_proba(texts))
            run = partial(classify_corpus, [options.corpus], output, classifier=classifier, settings=settings)
            _, (run_seconds, run_processor) = clock(run)
            bare.append(len(texts) / seconds)
            whole.append(len(texts) / run_seconds)
            ratios.append({"by_clock": seconds / run_seconds, "by_processor": processor / run_processor})
            tell(f"  {bare[-1]:.0f} sentences a second bare, {whole[-1]:.0f} by bulk")
        bytes_out = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return {
        "articles": len(articles),
        "sentences": len(texts),
        "repeats": options.repeats,
        "bare_sentences_a_second": {"median": statistics.median(bare), "best": max(bare)},
        "bulk_sentences_a_second": {"median": statistics.median(whole), "best": max(whole)},
        "ratio": {key: statistics.median(one[key] for one in ratios) for key in ("by_clock", "by_processor")},
        "bytes_in_an_article": statistics.fmean(len(one.text.encode()) for one in articles),
        "bytes_out_an_article": bytes_out / len(articles),
        "choices": {name: choice.value for name, choice in classifier.choices.items()},
    }


def compare_engines(options: Namespace) -> dict[str, Any]:
    """The whole corpus with the model by both engines, each in processes of its own: rates, rows, peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        # Sentences are recognised inside a shard only, so a copy is as much work as the first.
        corpus = [Path(folder) / f"{copy}.jsonl" for copy in range(options.copies)]
        for path in corpus:
            shutil.copy(options.corpus, path)
        return run_both(corpus, ["--real", "--shard-articles", "20"], options.workers)


def measure_machinery(options: Namespace) -> dict[str, Any]:
    """A model that costs nothing, by both engines: what all but the model can carry."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "in.jsonl", options.synthetic, LONG)
        return run_both([corpus], [], options.workers)


def measure_memory(options: Namespace) -> dict[str, Any]:
    """Peaks of the resident set, without a model, at two sizes of the corpus."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in options.memory:
            corpus = write_synthetic(Path(folder) / f"{count}.jsonl", count, SHORT)
            peaks[str(count)] = run_driver([corpus], Path(folder) / str(count), [], 1)["peak_mb"]
    return {"peak_mb_by_articles": peaks}


PARTS: dict[str, Callable[[Namespace], dict[str, Any]]] = {
    "news": count_repeats,
    "steps": profile_steps,
    "rates": compare_rates,
    "engines": compare_engines,
    "machinery": measure_machinery,
    "memory": measure_memory,
}


def run_both(corpus: Sequence[Path], extra: list[str], workers: int) -> dict[str, Any]:
    """A corpus by both engines, and how their rows differ."""
    with tempfile.TemporaryDirectory() as name:
        folder, ray = Path(name), ["--engine", "ray", "--workers", str(workers)]
        local_run = run_driver(corpus, folder / "local", extra, 1)
        ray_run = run_driver(corpus, folder / "ray", [*extra, *ray], workers)
        return {
            "local": local_run,
            "ray": ray_run,
            "workers": workers,
            "ray_to_local": ray_run["sentences_a_second"] / local_run["sentences_a_second"],
            "rows": compare_rows(folder / "local", folder / "ray"),
        }


def run_driver(corpus: Sequence[Path], output: Path, extra: list[str], workers: int) -> dict[str, float]:
    """A run in a process of its own: its rate from the first shard of every worker to the last shard, and its peak."""
    command = [sys.executable, "-m", "tests.integration.bulk_driver", *map(str, corpus), "--output", str(output)]
    command += ["--model", str(DEFAULT_CHECKPOINT), *extra]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    manifest = json.loads((output / "manifest.json").read_text())
    marks = sorted((output / "done").iterdir(), key=lambda path: path.stat().st_mtime)
    # Processes and models start up to the first shard of each worker, which is no matter of size.
    seconds = marks[-1].stat().st_mtime - marks[workers - 1].stat().st_mtime
    counted = [json.loads(path.read_text()) for path in marks[workers:]]
    result = {
        "articles": manifest["counts"]["articles"],
        "sentences": manifest["counts"]["sentences"],
        "seconds_with_start": manifest["timings"]["seconds_of_this_run"],
        "sentences_a_second": sum(mark["sentences"] for mark in counted) / seconds,
        "articles_a_second": sum(mark["articles"] for mark in counted) / seconds,
        "peak_mb": int(done.stderr.split("VmHWM:")[1].split()[0]) / 1000,
    }
    tell(f"  {output.name}: {result['sentences_a_second']:.0f} sentences a second, peak {result['peak_mb']:.0f} MB")
    return result


def compare_rows(left: Path, right: Path) -> dict[str, Any]:
    """Whether two runs wrote the same bytes, and if not, what differs."""
    from pyarrow import parquet

    names = [sorted(path.name for path in (folder / "sentences").iterdir()) for folder in (left, right)]
    one, other = (parquet.read_table(folder / "sentences").to_pandas() for folder in (left, right))
    numbers = [column for column in one if str(column).startswith("p_")]
    same_bytes = names[0] == names[1] and all(
        (left / "sentences" / name).read_bytes() == (right / "sentences" / name).read_bytes() for name in names[0]
    )
    rest = [
        frame.drop(columns=numbers).map(lambda value: value if isinstance(value, str | None) else str(value))
        for frame in (one, other)
    ]
    return {
        "same_bytes": same_bytes,
        "same_but_for_probabilities": bool(rest[0].equals(rest[1])),
        "largest_difference_of_a_probability": float((one[numbers] - other[numbers]).abs().to_numpy().max()),
    }


@cache
def open_model() -> Classifier:
    """The shipped checkpoint on the CPU, warm."""
    classifier = Classifier.from_pretrained(device="cpu")
    classifier.predict_proba(["The mill denied it."] * 64)
    return classifier


def read_corpus(corpus: Path, limit: int | None) -> list[Article]:
    """The articles of a corpus, up to the limit."""
    settings = BulkSettings()
    rows = read_articles(open_inputs([corpus], settings), settings.make_field_reader(), Meter())
    return [row for row in rows if isinstance(row, Article)][:limit]


def write_synthetic(path: Path, count: int, size: int) -> Path:
    """Articles of so many sentences of 20 words, drawn anew."""
    draw = random.Random(0)
    with path.open("w") as stream:
        for number in range(count):
            sentences = [" ".join(draw.choices(WORDS, k=20)).capitalize() + "." for _ in range(size)]
            row = {"id": f"a{number}", "text": " ".join(sentences), "date": "2017-05-01", "source": f"s{number % 9}"}
            stream.write(json.dumps(row) + "\n")
    return path


def clock(function: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """What a function gives, its seconds by the clock, and those of this process's processor time."""
    start, processor = time.perf_counter(), time.process_time()
    return function(), (time.perf_counter() - start, time.process_time() - processor)


def keep(output: Path, name: str, figures: dict[str, Any]) -> None:
    """Add a part to the result file, whole or not at all; figures of another machine do not stay beside it."""
    machine = describe_machine()
    known = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    if known.get("machine") != machine:
        known = {"machine": machine}
    aside = output.with_suffix(".aside")
    aside.write_text(json.dumps(known | {name: figures}, indent=1) + "\n", encoding="utf-8")
    aside.replace(output)


def tell(message: str) -> None:
    """Print a message on standard error."""
    print(message, file=sys.stderr, flush=True)


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--articles", type=int, default=200, help="articles for steps and rates")
    parser.add_argument("--repeats", type=int, default=3, help="turns of rates")
    parser.add_argument("--copies", type=int, default=1, help="how often engines reads the corpus")
    parser.add_argument("--synthetic", type=int, default=4_000, help="articles for the machinery, 14 sentences each")
    parser.add_argument("--memory", type=int, nargs=2, default=(10_000, 100_000), help="two numbers of articles")
    parser.add_argument("--workers", type=int, default=2, help="of the Ray engine")
    options = parser.parse_args()
    failed = []
    for name in options.only:
        tell(f"{name}: {PARTS[name].__doc__}")
        start = time.perf_counter()
        try:
            figures = PARTS[name](options)
        except subprocess.CalledProcessError as error:
            tell(f"{name} failed:\n{error.stderr[-2000:]}")
            failed.append(name)
            continue
        command = "python " + " ".join(sys.argv)
        keep(options.output, name, figures | {"command": command, "seconds": round(time.perf_counter() - start, 1)})
    if failed:
        sys.exit(f"failed, and not in {options.output}: {', '.join(failed)}")


if __name__ == "__main__":
    main()
