"""Articles in files for claims about bulk runs, and a run over one such file."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from newsacts import Classifier
from newsacts.bulk import BulkSettings, classify_corpus
from tests import tiny

COLUMNS = [
    "article_id", "date", "source", "sentence_index", "start", "end", "text",
    "p_accusation", "p_denial", "p_regret", "p_sanction", "labels", "primary",
]  # fmt: skip
ARTICLES = [
    {"id": f"a{number}", "text": " ".join(tiny.SENTENCES[(3 * number + place) % 20][0] for place in range(4)),
     "title": "Mill", "date": f"2017-0{1 + number % 3}-01", "source": "Wire"}
    for number in range(30)
]  # fmt: skip


def write_rows(path: Path, rows: list[dict[str, Any]] = ARTICLES) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(classifier: Classifier, source: Path, output: Path, **options: Any) -> pd.DataFrame:
    classify_corpus([source], output, classifier=classifier, settings=BulkSettings(shard_articles=7, **options))
    return pd.read_parquet(output / "sentences")
