"""What docs/bulk.md says is run, in a folder with an archive and its labels."""

import json
import re
from pathlib import Path

import pytest

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.checkpoint import Checkpoint
from tests import tiny

PAGE = (Path(__file__).parents[2] / "docs" / "bulk.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier(tiny_checkpoint, FakeBackend(4))


@pytest.mark.parametrize("block", BLOCKS)
def test_the_code_of_the_page_runs_as_it_stands(
    block: str, classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "archive").mkdir()
    rows = [{"text": text, "date": "2017-05-01", "source": "Wire"} for text, _ in tiny.SENTENCES]
    (tmp_path / "archive" / "may.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("newsacts.Classifier.from_pretrained", lambda *_, **__: classifier)
    classify_corpus(["archive"], "labelled", classifier=classifier, settings=BulkSettings(near_duplicates=True))
    exec(block, {})  # noqa: S102 - our own page


def test_the_page_names_every_column(classifier: Classifier, tmp_path: Path) -> None:
    import pandas as pd

    (tmp_path / "in.jsonl").write_text('{"text": "Rain fell."}\n')
    settings = BulkSettings(articles=True, near_duplicates=True)
    result = classify_corpus([tmp_path / "in.jsonl"], tmp_path / "out", classifier=classifier, settings=settings)
    for column in map(str, pd.read_parquet(result.sentences_folder)):
        assert f"`{column}`" in PAGE or column.startswith("p_")
    for entry in (tmp_path / "out").iterdir():
        assert entry.name == ".lock" or entry.name in PAGE
