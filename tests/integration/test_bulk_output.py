"""Claims about what a bulk run finds and counts: rows, clusters, article tables, tallies, rejects, streams, memory."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from newsacts import Article, Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BatchLabeller, BulkSettings, classify_corpus, iter_articles, iter_corpus
from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.errors import DataError, UsageError
from tests import tiny
from tests.integration.bulk_rows import ARTICLES, COLUMNS, run, write_rows
from tests.integration.test_bulk_resume import ROOT, write_articles


@pytest.fixture
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier(tiny_checkpoint, FakeBackend(4))


def test_rows_are_those_of_the_classifier(classifier: Classifier, tmp_path: Path) -> None:
    frame = run(classifier, write_rows(tmp_path / "in.jsonl"), tmp_path / "out")
    assert list(frame) == COLUMNS
    expected = [
        (article["id"], labelled)
        for article in ARTICLES
        for labelled in classifier.classify_article(Article(str(article["id"]), str(article["text"])))
    ]
    assert len(frame) == len(expected)
    for (identity, labelled), row in zip(expected, frame.to_dict("records"), strict=True):
        sentence, prediction = labelled.sentence, labelled.prediction
        place = (identity, sentence.index, sentence.start, sentence.end, sentence.text)
        assert tuple(row[name] for name in ("article_id", "sentence_index", "start", "end", "text")) == place
        assert (tuple(row["labels"]), row["primary"]) == (prediction.labels, prediction.primary)
        assert [row[f"p_{name}"] for name in prediction.probabilities] == pytest.approx(
            list(prediction.probabilities.values()), abs=1e-6
        )


def test_a_sentence_that_repeats_is_classified_once(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    backend = FakeBackend(4)
    rows = [{"text": text} for text in ("Rain fell.", "RAIN  fell.", "rain\tfell.", "Snow fell.")]
    result = classify_corpus(
        [write_rows(tmp_path / "in.jsonl", rows)], tmp_path / "out", classifier=Classifier(tiny_checkpoint, backend)
    )
    assert (result.sentences, result.classified) == (4, 2)
    frame = pd.read_parquet(result.sentences_folder)
    assert list(frame["text"]) == [row["text"] for row in rows]
    assert frame["p_denial"][:3].nunique() == 1


def test_one_story_in_several_papers_is_one_cluster(classifier: Classifier, tmp_path: Path) -> None:
    draw = random.Random(0)
    stories = [
        " ".join(draw.choices([text for text, _ in tiny.SENTENCES], k=30)) + f" It was day {n}." for n in range(6)
    ]
    rows = [
        {"id": f"{paper}-{number}", "text": f"{text} {paper}."}
        for paper in "abc"
        for number, text in enumerate(stories)
    ]
    frame = run(classifier, write_rows(tmp_path / "in.jsonl", rows), tmp_path / "out", near_duplicates=True)
    clusters = pd.read_parquet(tmp_path / "out" / "clusters")
    groups = clusters.groupby("cluster")["article_id"].apply(lambda ids: {name[2:] for name in ids})
    assert [len(names) for names in groups] == [1] * 6
    assert set(clusters["cluster_size"]) == {3}
    once = frame.merge(clusters.drop_duplicates("cluster"), on="article_id")
    assert len(once) * 3 == len(frame)


def test_the_article_table_counts_and_points(classifier: Classifier, tmp_path: Path) -> None:
    frame = run(classifier, write_rows(tmp_path / "in.jsonl"), tmp_path / "out", articles=True)
    table = pd.read_parquet(tmp_path / "out" / "articles").set_index("article_id")
    assert list(table.index) == [row["id"] for row in ARTICLES]
    for identity in table.index:
        row, group = table.loc[identity], frame[frame["article_id"] == identity]
        for name in ("accusation", "denial", "regret", "sanction"):
            flagged = group[[name in labels for labels in group["labels"]]]
            assert (row["sentences"], row[f"count_{name}"]) == (len(group), len(flagged))
            assert row[f"share_{name}"] == pytest.approx(len(flagged) / len(group))
            if len(flagged):
                strongest = flagged.loc[flagged[f"p_{name}"].idxmax()]
                assert (row[f"first_{name}"], row[f"strongest_{name}"]) == (
                    flagged["sentence_index"].iloc[0], strongest["sentence_index"],
                )  # fmt: skip
                assert row[f"strongest_{name}_text"] == strongest["text"]
            else:
                assert pd.isna(row[f"first_{name}"])


def test_the_tally_of_the_manifest_is_that_of_the_rows(classifier: Classifier, tmp_path: Path) -> None:
    frame = run(classifier, write_rows(tmp_path / "in.jsonl"), tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    cells = {(cell["source"], cell["month"]): cell for cell in manifest["tally"]["cells"]}
    for month, group in frame.groupby(frame["date"].str[:7]):
        cell = cells["Wire", month]
        by_label = [sum(name in labels for labels in group["labels"]) for name in manifest["tally"]["labels"]]
        assert (cell["articles"], cell["sentences"]) == (group["article_id"].nunique(), len(group))
        assert cell["by_label"] == by_label
    assert manifest["choices"]["field text"][0]["reason"] == "the first of text, body, content among the columns"
    assert len(manifest["checkpoint"]) == 64


def test_rejects_say_file_row_and_reason(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Rain fell."}\n{"text": 3}\n{"text": "\\ud83d"}\n')
    result = classify_corpus([tmp_path / "in.jsonl"], tmp_path / "out", classifier=classifier)
    (path,) = (tmp_path / "out" / "rejects").iterdir()
    rejects = [json.loads(line) for line in path.read_text().splitlines()]
    assert result.rejected == 2
    assert [(one["file"], one["row"]) for one in rejects] == [("in.jsonl", 2), ("in.jsonl", 3)]
    assert rejects[0]["reason"] == "expected text in 'text', got int"


def test_a_sentence_without_a_finite_number_is_rejected(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = classifier.score

    def score_badly(texts: list[str]) -> Any:
        scored = score(texts)
        bad = np.arange(len(texts))[:, None] == 1
        return replace(scored, probabilities=np.where(bad, np.nan, scored.probabilities).astype(np.float32))

    monkeypatch.setattr(classifier, "score", score_badly)
    frame = run(classifier, write_rows(tmp_path / "in.jsonl", ARTICLES[:1]), tmp_path / "out")
    assert list(frame["sentence_index"]) == [0, 2, 3]
    (path,) = (tmp_path / "out" / "rejects").iterdir()
    assert "no finite number" in path.read_text()


def test_the_generator_gives_the_rows_of_the_folder(classifier: Classifier, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl")
    frame = run(classifier, source, tmp_path / "out")
    pairs = iter_corpus([source], classifier=classifier, settings=BulkSettings(shard_articles=7), on_reject=print)
    flat = [(article.id, labelled) for article, sentences in pairs for labelled in sentences]
    assert [(identity, one.sentence.text, one.prediction.labels) for identity, one in flat] == [
        (row["article_id"], row["text"], tuple(row["labels"])) for row in frame.to_dict("records")
    ]
    assert [one.prediction.probabilities["regret"] for _, one in flat] == list(frame["p_regret"])


def test_articles_in_hand_get_the_labels_of_the_folder_and_are_read_as_needed(
    classifier: Classifier, tmp_path: Path
) -> None:
    frame = run(classifier, write_rows(tmp_path / "in.jsonl"), tmp_path / "out")
    taken = 0

    def take() -> Iterator[Article]:
        nonlocal taken
        for row in ARTICLES:
            taken += 1
            yield Article(row["id"], row["text"], row["title"], row["date"], row["source"])

    found = iter_articles(take(), classifier=classifier, at_once=4)
    first = next(found)
    assert taken <= 12
    rows = [
        (article.id, one.sentence.text, list(one.prediction.labels))
        for article, ones in [first, *found]
        for one in ones
    ]
    assert rows == [(row["article_id"], row["text"], list(row["labels"])) for row in frame.to_dict("records")]
    with pytest.raises(UsageError, match="at least 1 article"):
        next(iter_articles([], classifier=classifier, at_once=0))


def test_a_batch_of_a_dataset_gets_labels_in_its_order(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import Dataset

    monkeypatch.setattr(Classifier, "from_pretrained", lambda *_, **__: classifier)
    texts = [text for text, _ in tiny.SENTENCES]
    labelled = Dataset.from_dict({"said": texts}).map(BatchLabeller("said", model="mine"), batched=True, batch_size=7)
    expected = classifier.predict(texts)
    assert list(labelled["labels"]) == [list(one.labels) for one in expected]
    assert list(labelled["primary"]) == [one.primary for one in expected]
    assert list(labelled["p_denial"]) == pytest.approx([one.probabilities["denial"] for one in expected])
    with pytest.raises(UsageError, match="no column 'text'; it has said"):
        BatchLabeller()({"said": texts})


def test_input_without_an_article_is_an_error(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,story\n1,Rain\n")
    with pytest.raises(DataError, match="no article in the input; 1 rows were rejected"):
        classify_corpus([tmp_path / "in.csv"], tmp_path / "out", classifier=classifier)


def test_a_scheme_of_other_labels_runs_through_the_same_code(tmp_path: Path) -> None:
    from newsacts import LabelScheme

    scheme = LabelScheme(("neutral", "x_text"), exclusive=True)
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "model", scheme=scheme)
    frame = run(
        Classifier(checkpoint, FakeBackend(2)), write_rows(tmp_path / "in.jsonl"), tmp_path / "out", articles=True
    )
    assert {len(labels) for labels in frame["labels"]} == {1}
    assert {"p_neutral", "p_x_text"} < set(frame)


def test_the_command_runs_dries_and_limits(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", [*ARTICLES, {"text": None}])
    command = ["bulk", str(tmp_path / "in.jsonl"), "--model", str(tiny_checkpoint.folder), "--output"]
    dry = CliRunner().invoke(app, [*command, str(tmp_path / "dry"), "--dry-run"])
    assert dry.exit_code == 0
    assert "text: text (the first of text, body, content among the columns)" in dry.stdout
    assert "estimate: 30 articles, 120 sentences" in dry.stdout
    assert not (tmp_path / "dry").exists()
    done = CliRunner().invoke(app, [*command, str(tmp_path / "out"), "--limit", "5", "--strict"])
    assert (done.exit_code, done.stdout.strip()) == (0, str(tmp_path / "out"))
    assert pd.read_parquet(tmp_path / "out" / "sentences")["article_id"].nunique() == 5
    assert CliRunner().invoke(app, [*command, str(tmp_path / "all"), "--strict"]).exit_code == 1
    again = CliRunner().invoke(app, [*command, str(tmp_path / "all"), "--no-resume"])
    assert isinstance(again.exception, UsageError)
    assert "holds a run already" in str(again.exception)


def measure_peak(count: int, folder: Path, model: Path) -> int:
    corpus = write_articles(folder / f"{count}.jsonl", count)
    command = [sys.executable, "-m", "tests.integration.bulk_driver", str(corpus), "--output", str(folder / str(count))]
    done = subprocess.run([*command, "--model", str(model)], cwd=ROOT, text=True, capture_output=True, check=True)
    return int(done.stderr.split("VmHWM:")[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize(("few", "many"), [(400, 4_000), pytest.param(10_000, 100_000, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_corpus(few: int, many: int, tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    small, large = (measure_peak(count, tmp_path, tiny_checkpoint.folder) for count in (few, many))
    assert large < 1.1 * small
