"""What reports and reviews make of a run with a cascade, on a first stage whose estimates are far too high."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.bulk.finished import open_run, read_parts
from newsacts.cascade import FOLDER, FirstStage, describe_model, estimate_log_odds, open_cascade, write_cascade
from newsacts.checkpoint import Checkpoint
from newsacts.errors import DataError
from newsacts.report.corpus import CorpusOptions, build_corpus_report
from newsacts.report.corpus_rates import find_errors
from newsacts.review import draw_for_rates
from newsacts.review.estimates import measure_errors
from newsacts.review.values import Review, parse_design, read_json, write_design
from tests import tiny
from tests.integration.test_corpus_report import Page
from tests.integration.test_review import write_archive

ESTIMATE = 5.0
"""Log-odds that the stage gives every label of every sentence: above all thresholds."""
NEVER = 1e9


def write_loud_stage(checkpoint: Checkpoint) -> None:
    """A cascade that estimates every label high, and still discards about half of the sentences."""
    size = len(checkpoint.facts.scheme)
    generator = np.random.default_rng(0)
    head = np.zeros((size + 1, 16))
    head[-1] = generator.normal(size=16) / 10_000
    stage = FirstStage(
        generator.integers(-127, 128, (600, 4), dtype=np.int8), generator.integers(-127, 128, (12, 8), dtype=np.int8),
        np.zeros(8, dtype=np.int32), head, np.full(size + 1, ESTIMATE),
    )  # fmt: skip
    from newsacts.batching import WindowTokenizer

    windows = WindowTokenizer(checkpoint.tokenizer_file, max_tokens=checkpoint.facts.max_tokens).tokenize(
        [text for text, _ in tiny.SENTENCES]
    )
    middle = float(np.median(estimate_log_odds(stage, windows.ids)[:, -1]))
    label = {"found": 40, "kept": 40, "bound": 0.928}
    measured = {
        "thresholds": [NEVER] * size + [middle], "target": 0.97, "bound": 0.9712,
        "labels": dict.fromkeys(checkpoint.facts.scheme.names, label),
    }  # fmt: skip
    calibration = checkpoint.facts.calibration
    facts = {
        "model": describe_model(checkpoint), "levels": {"fast": measured},
        "calibration": {name: list(getattr(calibration, name)) for name in ("slopes", "intercepts", "thresholds")},
    }  # fmt: skip
    write_cascade(checkpoint.folder / FOLDER, stage, facts)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    checkpoint = tiny.write_tiny_checkpoint(tmp_path_factory.mktemp("loud") / "checkpoint")
    write_loud_stage(checkpoint)
    return Classifier(checkpoint, FakeBackend(4), cascade=open_cascade(checkpoint, "fast"))


def make_run(folder: Path, classifier: Classifier, output_format: Any = "jsonl") -> Path:
    settings = BulkSettings(output_format=output_format, shard_articles=7)
    archive = write_archive(folder / "in.jsonl")
    return classify_corpus([archive], folder / "run", classifier=classifier, settings=settings).folder


@pytest.fixture(scope="module")
def run_folder(staged: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"), staged)


def read_rows(folder: Path) -> list[dict[str, Any]]:
    parts = sorted((folder / "sentences").glob("*.jsonl"))
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]


@pytest.mark.parametrize("output_format", ["parquet", "csv", "jsonl"])
def test_what_was_discarded_is_read_back_and_is_never_decided(
    staged: Classifier, run_folder: Path, tmp_path: Path, output_format: Any
) -> None:
    stages = [row["stage"] for row in read_rows(run_folder)]
    run = open_run(make_run(tmp_path, staged, output_format))
    parts = list(read_parts(run))
    assert ["first" if one else "full" for part in parts for one in part.discarded] == stages
    assert {"first", "full"} == set(stages)
    for part in parts:
        assert (part.probabilities[part.discarded] > 0.9).all()
        assert not run.decide(part, [0.001] * 4)[part.discarded].any()


@pytest.mark.parametrize("threshold", [None, 0.02])
def test_a_report_counts_no_discarded_sentence_at_any_threshold(
    run_folder: Path, tmp_path: Path, threshold: float | None
) -> None:
    run = open_run(run_folder)
    changed = {} if threshold is None else dict.fromkeys(run.scheme.names, threshold)
    options = CorpusOptions(thresholds=changed)
    report = build_corpus_report(run_folder, tmp_path / "report.html", options=options)
    read = [row for row in read_rows(run_folder) if row["stage"] == "full"]
    for place, (name, rate) in enumerate(report.views[0].whole.rates.items()):
        assert rate.count == sum(row[f"p_{name}"] >= (threshold or run.thresholds[place]) for row in read)
    if threshold is None:
        assert tuple(rate.count for rate in report.views[0].whole.rates.values()) == run.tally.total.labels


def test_a_report_names_level_bounds_and_the_share_discarded(run_folder: Path, tmp_path: Path) -> None:
    page = Page(build_corpus_report(run_folder, tmp_path / "report.html").path.read_text(encoding="utf-8"))
    stages = [row["stage"] for row in read_rows(run_folder)]
    first = stages.count("first")
    assert f"discarded {first} of {len(stages)} sentences ({100 * first / len(stages):.1f} %)" in page.text
    assert "A cascade ran (fast)" in page.text
    assert "at least 97.1 % were kept" in page.text
    assert "denial 40 of 40 (at least 92.8%; too few to prove 97%)" in page.text
    assert "of those that the cascade let through" in page.text


def test_a_report_without_a_cascade_has_no_word_of_it(staged: Classifier, tmp_path: Path) -> None:
    run = make_run(tmp_path, staged.without_cascade())
    page = Page(build_corpus_report(run, tmp_path / "report.html").path.read_text(encoding="utf-8"))
    assert "cascade" not in page.text
    assert not any(part.discarded.any() for part in read_parts(open_run(run)))


def test_scores_on_dev_correct_nothing_where_a_cascade_ran_and_the_reason_is_told(
    run_folder: Path, tmp_path: Path
) -> None:
    run = open_run(run_folder)
    assert run.manifest["model"]["dev_scores"] == {}
    assert "cascade 'fast' kept some sentences from it" in run.manifest["model"]["dev_scores_left_out"]
    row = {"support": 40, "precision": 0.8, "recall": 0.6}
    run.manifest["model"]["dev_scores"] = {"sentences": 100, "labels": dict.fromkeys(run.scheme.names, row)}
    assert find_errors(run, run.thresholds, None) is None
    page = Page(build_corpus_report(run_folder, tmp_path / "report.html").path.read_text(encoding="utf-8"))
    assert "those of the full model, which did not read what the cascade discarded" in page.text


def test_a_sheet_knows_that_what_was_discarded_is_unlabelled_at_any_threshold(run_folder: Path, tmp_path: Path) -> None:
    design = draw_for_rates(run_folder, size=200)
    assert {row.discarded for row in design.rows} == {True, False}
    write_design(design, tmp_path / "design.json")
    assert parse_design(read_json(tmp_path / "design.json", "newsacts review design"), tmp_path) == design
    thresholds = [0.02] * 4
    truth = [
        () if row.discarded else tuple(name for name, p in zip(design.scheme.names, row.probabilities, strict=True)
                                       if p >= thresholds[0])
        for row in design.rows
    ]  # fmt: skip
    for errors in measure_errors(Review(design, tuple(truth)), thresholds).values():
        assert errors is not None
        assert (errors.sensitivity, errors.specificity) == (1, 1)


def test_a_manifest_that_does_not_tell_the_bounds_and_a_strange_stage_are_errors(
    staged: Classifier, tmp_path: Path
) -> None:
    folder = make_run(tmp_path, staged)
    part = sorted((folder / "sentences").glob("*.jsonl"))[0]
    part.write_text(part.read_text().replace('"stage": "first"', '"stage": "third"'))
    with pytest.raises(DataError, match="'third', expected first or full"):
        list(read_parts(open_run(folder)))
    part.write_text(part.read_text().replace('"stage": "third"', '"stage": "first"'))
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["cascade"]["measured"]["labels"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="says of the cascade"):
        build_corpus_report(folder, tmp_path / "report.html")
