"""How long a corpus report takes and how large it is, on an invented run of a million sentences.

    python scripts/measure_report.py

Writes 50,000 articles of twenty sentences from fifty outlets over two years as a bulk run of its own, with clusters,
into a temporary folder, and builds the report in a process of its own, so that the peak of memory is the report's.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from newsacts.labels import DEFAULT_SCHEME
from newsacts.tally import Counts, Tally, tally_to_json

ROOT = Path(__file__).parents[1]
ARTICLES, SENTENCES, SHARD, DAYS, OUTLETS = 50_000, 20, 1_000, 730, 50
THRESHOLD = 0.4
CENTRES = (-3.2, -4.2, -5.3, -4.4)
WORDS = np.array(["the", "minister", "said", "talks", "would", "go", "on", "after", "rain", "harbour", "markets"])

BUILD = """
import json, resource, sys, time
from newsacts.report.corpus import build_corpus_report
began = time.perf_counter()
report = build_corpus_report(sys.argv[1], sys.argv[2])
print(json.dumps({
    "seconds": round(time.perf_counter() - began, 1),
    "processor_seconds": round(time.process_time(), 1),
    "megabytes": round(report.path.stat().st_size / 1e6, 2),
    "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
}))
"""


def main() -> None:
    """Write the run, build the report, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "report.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        write_run(folder)
        command = [sys.executable, "-c", BUILD, str(folder), str(Path(name) / "report.html")]
        measured = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    result = {
        "command": "python scripts/measure_report.py",
        "articles": ARTICLES,
        "sentences": ARTICLES * SENTENCES,
        **measured,
        "machine": platform.processor() or platform.machine(),
    }
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def write_run(folder: Path) -> None:
    """A finished run of invented sentences, shard by shard."""
    (folder / "sentences").mkdir(parents=True)
    (folder / "clusters").mkdir()
    generator = np.random.default_rng(0)
    leanings = generator.normal(0, 0.4, (OUTLETS, len(CENTRES)))
    counts, unlabelled = np.zeros(len(CENTRES), dtype=np.int64), 0
    for number in range(ARTICLES // SHARD):
        decided = write_shard(folder, number, generator, leanings)
        counts += decided.sum(axis=0)
        unlabelled += int((~decided.any(axis=1)).sum())
    total = Counts(ARTICLES, ARTICLES * SENTENCES, unlabelled, tuple(counts.tolist()))
    tally = tally_to_json(Tally(DEFAULT_SCHEME.names, {("all", "undated"): total}))
    manifest = {
        "id": "invented", "newsacts": "0", "checkpoint": "0" * 64, "input": {}, "tally": tally,
        "settings": {"keep": [], "output_format": "parquet"}, "timings": {"ended": "2026-01-01T00:00:00+00:00"},
        "model": {"labels": list(DEFAULT_SCHEME.names), "exclusive": False, "thresholds": [THRESHOLD] * len(CENTRES)},
        "counts": {"articles": ARTICLES, "sentences": ARTICLES * SENTENCES, "rejected": 0,
                   "near_duplicates": {"articles": ARTICLES, "clusters": ARTICLES}},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def write_shard(folder: Path, number: int, generator: np.random.Generator, leanings: Any) -> Any:
    """One shard; returns which labels were decided, (sentences, labels)."""
    import pyarrow as pa
    from pyarrow import parquet

    owners = np.repeat(np.arange(SHARD), SENTENCES)
    ids = np.array([f"article-{number * SHARD + place}" for place in range(SHARD)])
    outlets = np.minimum(generator.geometric(0.12, SHARD) - 1, OUTLETS - 1)
    days = [(date(2016, 1, 1) + timedelta(days=int(day))).isoformat() for day in generator.integers(0, DAYS, SHARD)]
    log_odds = np.array(CENTRES) + (generator.normal(0, 1, (SHARD, len(CENTRES))) + leanings[outlets])[owners]
    probabilities = (1 / (1 + np.exp(-log_odds - generator.normal(0, 2, log_odds.shape)))).astype(np.float32)
    decided = probabilities >= np.float32(THRESHOLD)
    texts = [" ".join(words) + f" {place}." for place, words in enumerate(generator.choice(WORDS, (len(owners), 17)))]
    labels = [[DEFAULT_SCHEME.names[place] for place in np.flatnonzero(row)] for row in decided]
    table = pa.table({
        "article_id": ids[owners], "date": np.array(days)[owners],
        "source": np.array([f"Outlet {one}" for one in outlets])[owners],
        "sentence_index": np.tile(np.arange(SENTENCES, dtype=np.int32), SHARD),
        "start": np.tile(np.arange(SENTENCES, dtype=np.int32) * 110, SHARD),
        "end": np.tile(np.arange(SENTENCES, dtype=np.int32) * 110 + 100, SHARD), "text": texts,
        **{f"p_{name}": probabilities[:, place] for place, name in enumerate(DEFAULT_SCHEME.names)},
        "labels": pa.array(labels, type=pa.list_(pa.string())),
        "primary": [row[0] if row else "none" for row in labels],
    })  # fmt: skip
    key = f"{number:06}-{'0' * 12}"
    parquet.write_table(table, folder / "sentences" / f"part-{key}.parquet", compression="zstd")
    clusters = pa.table({"article_id": ids, "cluster": np.arange(number * SHARD, (number + 1) * SHARD)})
    parquet.write_table(clusters, folder / "clusters" / f"article-clusters-{key}.parquet")
    return decided


if __name__ == "__main__":
    main()
