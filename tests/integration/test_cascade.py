"""The cascade on the tiny world: off changes nothing, what is discarded is never labelled, nothing falls back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from newsacts import Article, Classifier, LabelScheme, ModelError, UsageError
from newsacts.batching import WindowTokenizer
from newsacts.bulk import BulkSettings, classify_corpus, iter_articles
from newsacts.cascade import DIGEST, FACTS, FOLDER, STAGE, digest_facts, estimate_log_odds, read_stage
from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.errors import DataError, IntegrityError
from newsacts.evaluation.cascade import measure_kept
from newsacts.training.cascade_fit import BOUND, FIT, TEST, FitInputs, fit_cascade, read_source, read_texts
from newsacts.training.cascade_network import StageSettings
from tests import tiny
from tests.tiny import SENTENCES

TINY_STAGE = StageSettings(dimensions=4, channels=8, epochs=3)


def write_pool(path: Path, *, count: int = 2_400, seed: int = 0) -> Path:
    """Sentences of words from the tiny world, four a document."""
    words = sorted({word for text, _ in SENTENCES for word in text.rstrip(".").split()})
    generator = np.random.default_rng(seed)
    rows = [
        {"text": f"{' '.join(generator.choice(words, generator.integers(2, 9)))} {number}.", "document": number // 4}
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that labels most of the sentences, with a cascade."""
    folder = tmp_path_factory.mktemp("cascade")
    plain = tiny.write_tiny_checkpoint(folder / "plain")
    classifier = Classifier.from_pretrained(plain.folder)
    pool = write_pool(folder / "pool.jsonl")
    cut = np.quantile(classifier.predict_proba([text for text, _ in read_texts(pool)]), 0.7, axis=0)
    thresholds = dict(zip(classifier.scheme.names, cut.tolist(), strict=True))
    saved = classifier.with_thresholds(thresholds).save_pretrained(folder / "checkpoint")
    fit_cascade(Classifier.from_pretrained(saved), FitInputs((pool,)), TINY_STAGE)
    return saved


@pytest.fixture(scope="module")
def discarding(fitted: Path) -> Path:
    """The same with higher thresholds. Words in random order are too hard for the tiny stage: at those that keep what
    it promises it discards nothing."""
    copy = Classifier.from_pretrained(fitted).save_pretrained(fitted.parent / "discarding")
    note = copy / FOLDER / FACTS
    facts = json.loads(note.read_text())
    stage = read_stage(copy / FOLDER / STAGE, sha256=facts["stage_sha256"])
    windows = WindowTokenizer(copy / "tokenizer.json", max_tokens=tiny.MAX_TOKENS).tokenize(
        [text for text, _ in read_texts(fitted.parent / "pool.jsonl")]
    )
    log_odds = estimate_log_odds(stage, windows.ids)
    for level, share in (("safe", 0.6), ("fast", 0.8)):
        facts["levels"][level]["thresholds"] = np.quantile(log_odds, share, axis=0).tolist()
    note.write_text(json.dumps({**facts, DIGEST: digest_facts(facts)}))
    return copy


@pytest.fixture(scope="module")
def texts(fitted: Path) -> list[str]:
    return [text for text, _ in read_texts(write_pool(fitted.parent / "more.jsonl", count=400, seed=1))]


def test_off_is_what_no_cascade_gives_to_the_bit(fitted: Path, texts: list[str], tmp_path: Path) -> None:
    off = Classifier.from_pretrained(fitted, cascade="off")
    assert off.cascade is None
    assert "cascade" not in off.choices
    assert np.array_equal(off.predict_logits(texts), Classifier.from_pretrained(fitted).predict_logits(texts))
    assert {one.stage for one in off.predict(texts)} == {None}


def test_what_is_discarded_has_no_label_and_what_is_not_has_the_models_own_numbers(
    discarding: Path, texts: list[str]
) -> None:
    staged, full = Classifier.from_pretrained(discarding, cascade="fast"), Classifier.from_pretrained(discarding)
    scored = staged.score(texts)
    assert 0 < scored.reached.sum() < len(texts)
    assert not scored.decided[~scored.reached].any()
    exact = full.predict_proba(texts)
    assert scored.probabilities[scored.reached] == pytest.approx(exact[scored.reached], abs=1e-5)
    assert np.array_equal(staged.find_reached(texts), scored.reached)
    assert np.array_equal(staged.without_cascade().predict_proba(texts), exact)
    for prediction, reached in zip(staged.predict(texts), scored.reached, strict=True):
        assert prediction.stage == ("full" if reached else "first")


def test_even_the_lowest_thresholds_give_no_label_to_what_is_discarded(discarding: Path, texts: list[str]) -> None:
    staged = Classifier.from_pretrained(discarding, cascade="fast")
    lowest = staged.with_thresholds(dict.fromkeys(staged.scheme.names, 0.0))
    scored = lowest.score(texts)
    assert not scored.decided[~scored.reached].any()
    assert scored.decided[scored.reached].all()
    assert "says nothing here" in lowest.choices["cascade"].reason


def test_a_sentence_gets_the_same_stage_and_estimate_alone_and_in_a_batch(discarding: Path, texts: list[str]) -> None:
    staged = Classifier.from_pretrained(discarding, cascade="safe")
    together = staged.score(texts)
    for row in range(0, len(texts), 23):
        alone = staged.score([texts[row]])
        assert alone.reached[0] == together.reached[row]
        if not alone.reached[0]:
            assert np.array_equal(alone.probabilities[0], together.probabilities[row])


def test_no_text_and_a_text_of_many_windows_go_through(discarding: Path) -> None:
    staged = Classifier.from_pretrained(discarding, cascade="safe")
    assert staged.predict([]) == []
    assert staged.score([]).reached.shape == (0,)
    scored = staged.score(["The mayor denied the claim. " * 40, "Rain.", ""])
    assert scored.probabilities.shape == (3, 4)


def test_the_promise_in_the_checkpoint_reaches_the_target_over_all_sources(fitted: Path) -> None:
    facts = json.loads((fitted / FOLDER / FACTS).read_text())
    for level, target in (("safe", 0.99), ("fast", 0.97)):
        row = facts["levels"][level]
        assert row["target"] == target
        assert row["bound"] >= target
        bound, test = row["measured"]["bound"]["pool.jsonl"], row["measured"]["test"]["pool.jsonl"]
        assert bound["kept"] <= bound["found"]
        assert test["sentences"] > 0
        for name, label in row["labels"].items():
            assert label["proven"] == (label["bound"] >= target)
            assert label["proven"] or label["kept"] == label["found"]
            assert label["found"] == bound["by_label"][name]["found"]
    safe, fast = (facts["levels"][level]["thresholds"] for level in ("safe", "fast"))
    assert len(safe) == len(facts["labels"]) + 1
    assert all(low <= high for low, high in zip(safe, fast, strict=True))


def test_no_document_stands_on_two_sides_and_what_the_model_knows_only_fits(fitted: Path) -> None:
    pool = fitted.parent / "pool.jsonl"
    rows = list(read_texts(pool))
    known = frozenset({"nothing"})
    source = read_source(pool, rows, known, role="fit")
    sides: dict[str, set[str]] = {}
    for (_, document), part in zip(dict.fromkeys(rows), source.parts, strict=True):
        sides.setdefault(document, set()).add(part)
    assert all(len(parts) == 1 for parts in sides.values())
    assert {part for parts in sides.values() for part in parts} == {FIT, BOUND, TEST}
    from newsacts.data.splits import normalise_text

    everything = frozenset(normalise_text(text) for text, _ in rows)
    assert set(read_source(pool, rows, everything, role="fit").parts) == {FIT}
    assert set(read_source(pool, rows, everything, role="hold").parts) == {"left out"}
    assert set(read_source(pool, rows, known, role="measure").parts) == {TEST}
    written = read_source("corpus:seed", list(read_texts("corpus:seed")), known, role="fit")
    assert (written.name, set(written.parts)) == ("corpus:seed", {FIT, BOUND, TEST})


def test_the_check_on_text_of_ones_own_counts_against_the_full_model(discarding: Path, texts: list[str]) -> None:
    staged = Classifier.from_pretrained(discarding, cascade="fast")
    counts = measure_kept(staged, texts)
    decided = staged.without_cascade().score(texts).decided
    reached = staged.find_reached(texts)
    assert counts.found == decided.any(axis=1).sum()
    assert counts.kept == (decided.any(axis=1) & reached).sum()
    assert counts.bound <= counts.kept / counts.found
    for name, column in zip(staged.scheme.names, decided.T, strict=True):
        assert (counts.by_label[name].found, counts.by_label[name].kept) == (column.sum(), (column & reached).sum())
    with pytest.raises(UsageError, match="no cascade"):
        measure_kept(staged.without_cascade(), texts)
    with pytest.raises(DataError, match="no sentence"):
        measure_kept(staged, [])


def test_what_is_not_there_is_refused_and_named(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has none.*cascade fit"):
        Classifier.from_pretrained(tiny_checkpoint.folder, cascade="safe")
    with pytest.raises(UsageError, match="'quick' is unknown; expected one of off, safe, fast"):
        Classifier.from_pretrained(tiny_checkpoint.folder, cascade="quick")
    exclusive = tiny.write_tiny_checkpoint(tmp_path / "one", scheme=LabelScheme(("a", "b"), exclusive=True))
    with pytest.raises(UsageError, match="exclude each other"):
        Classifier.from_pretrained(exclusive.folder, cascade="safe")
    with pytest.raises(UsageError, match="do not exclude"):
        fit_cascade(Classifier.from_pretrained(exclusive.folder), FitInputs((tmp_path / "none.jsonl",)))


def test_a_damaged_cascade_and_that_of_another_model_are_refused(fitted: Path, tmp_path: Path) -> None:
    copy = Classifier.from_pretrained(fitted, cascade="safe").save_pretrained(tmp_path / "copy")
    assert Classifier.from_pretrained(copy, cascade="safe").cascade is not None
    tiny.change_byte(copy / FOLDER / STAGE)
    with pytest.raises(IntegrityError, match="changed or damaged"):
        Classifier.from_pretrained(copy, cascade="safe")
    assert Classifier.from_pretrained(copy).cascade is None
    note = copy / FOLDER / FACTS
    note.write_text(note.read_text().replace('"confidence": 0.95', '"confidence": 0.99'))
    with pytest.raises(IntegrityError, match="digest"):
        Classifier.from_pretrained(copy, cascade="safe")
    other = tiny.write_tiny_checkpoint(tmp_path / "other", pooling="cls")
    (other.folder / FOLDER).mkdir()
    for name in (STAGE, FACTS):
        (other.folder / FOLDER / name).write_bytes((fitted / FOLDER / name).read_bytes())
    with pytest.raises(ModelError, match="another model"):
        Classifier.from_pretrained(other.folder, cascade="safe")


def test_a_cascade_of_the_first_protocol_is_refused_with_what_to_do(fitted: Path, tmp_path: Path) -> None:
    copy = Classifier.from_pretrained(fitted).save_pretrained(tmp_path / "copy")
    note = copy / FOLDER / FACTS
    facts = {**json.loads(note.read_text()), "protocol": 1}
    note.write_text(json.dumps({**facts, DIGEST: digest_facts(facts)}))
    with pytest.raises(ModelError, match=r"of protocol 1, expected 2, .*fit the cascade anew"):
        Classifier.from_pretrained(copy, cascade="safe")
    assert Classifier.from_pretrained(copy).cascade is None


def test_what_only_measures_chooses_nothing(fitted: Path, tmp_path: Path) -> None:
    copy = Classifier.from_pretrained(fitted).save_pretrained(tmp_path / "copy")
    pool, more = fitted.parent / "pool.jsonl", write_pool(tmp_path / "extra.jsonl", count=200, seed=2)
    facts = fit_cascade(Classifier.from_pretrained(copy), FitInputs((pool,), measure=(more,)), TINY_STAGE)
    before = json.loads((fitted / FOLDER / FACTS).read_text())
    for level, row in facts["levels"].items():
        assert row["thresholds"] == before["levels"][level]["thresholds"]
        assert set(row["measured"]["test"]) == {"pool.jsonl", "extra.jsonl"}
        assert set(row["measured"]["bound"]) == {"pool.jsonl"}


def test_bulk_writes_the_stage_and_the_promise_and_its_plan_knows_the_cascade(
    discarding: Path, texts: list[str], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    articles = [Article(str(number), " ".join(texts[number * 5 : number * 5 + 5])) for number in range(40)]
    corpus.write_text("".join(json.dumps({"id": one.id, "text": one.text}) + "\n" for one in articles))
    staged = Classifier.from_pretrained(discarding, cascade="fast")
    settings = BulkSettings(output_format="jsonl")
    result = classify_corpus([corpus], tmp_path / "out", classifier=staged, settings=settings)
    parts = sorted(result.sentences_folder.glob("*.jsonl"))
    rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    discarded = [row for row in rows if row["stage"] == "first"]
    assert discarded
    assert all(row["labels"] == [] and np.isfinite(row["p_denial"]) for row in discarded)
    manifest = json.loads((result.folder / "manifest.json").read_text())
    assert manifest["cascade"]["level"] == "fast"
    assert manifest["cascade"]["measured"]["bound"] >= 0.97
    assert set(manifest["cascade"]["measured"]["labels"]) == set(staged.scheme.names)
    assert manifest["model"]["dev_scores"] == {}
    assert "kept some sentences from it" in manifest["model"]["dev_scores_left_out"]
    assert manifest["cascade"]["doubt"] is None
    assert result.classified == sum(row["stage"] == "full" for row in rows)
    with pytest.raises(UsageError, match="cascade"):
        classify_corpus([corpus], tmp_path / "out", classifier=staged.without_cascade(), settings=settings)
    with pytest.raises(UsageError, match="cannot keep stage"):
        classify_corpus([corpus], tmp_path / "b", classifier=staged, settings=replace(settings, keep=("stage",)))
    (_, labelled), *_ = iter_articles(articles[:1], classifier=staged)
    assert {one.prediction.stage for one in labelled} <= {"first", "full"}


def test_a_run_without_a_cascade_has_no_word_of_it(fitted: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("The mayor denied the claim.")
    settings = BulkSettings(output_format="jsonl")
    result = classify_corpus(
        [tmp_path / "one.txt"], tmp_path / "out", classifier=Classifier.from_pretrained(fitted), settings=settings
    )
    (part,) = result.sentences_folder.glob("*.jsonl")
    assert "stage" not in json.loads(part.read_text().splitlines()[0])
    assert "cascade" not in json.loads((result.folder / "plan.json").read_text())


def test_explanations_are_those_of_the_full_model(discarding: Path) -> None:
    text = "The mayor denied the claim."
    staged = Classifier.from_pretrained(discarding, cascade="fast")
    assert staged.explain([text]) == Classifier.from_pretrained(discarding).explain([text])


def test_the_commands_pass_the_level_on_and_check_prints_counts(
    discarding: Path, texts: list[str], tmp_path: Path
) -> None:
    runner = CliRunner()
    shown = runner.invoke(
        app, ["classify", "--model", str(discarding), "--cascade", "fast", "--format", "jsonl", *texts[:30]]
    )
    assert shown.exit_code == 0, shown.output
    assert {json.loads(line)["stage"] for line in shown.stdout.splitlines()} <= {"first", "full"}
    (tmp_path / "mine.txt").write_text("\n".join(texts))
    command = ["cascade", "check", "--model", str(discarding), "--data", str(tmp_path / "mine.txt")]
    checked = runner.invoke(app, [*command, "--cascade", "fast"])
    assert checked.exit_code == 0, checked.output
    counts = json.loads(checked.stdout.splitlines()[0])
    assert counts["sentences"] == len(texts)
    assert counts["confidence"] == 0.95
    assert tuple(counts["by_label"]) == Classifier.from_pretrained(discarding).scheme.names
    assert all(row["kept"] <= row["found"] for row in counts["by_label"].values())
    assert "by label: " in checked.stderr


def test_the_fit_command_writes_into_the_checkpoint(fitted: Path, tmp_path: Path) -> None:
    copy = Classifier.from_pretrained(fitted).save_pretrained(tmp_path / "copy")
    for name in (STAGE, FACTS):
        (copy / FOLDER / name).unlink()
    done = CliRunner().invoke(
        app, ["cascade", "fit", "--model", str(copy), "--texts", str(fitted.parent / "pool.jsonl")]
    )
    assert done.exit_code == 0, done.output
    assert Classifier.from_pretrained(copy, cascade="safe").cascade is not None
