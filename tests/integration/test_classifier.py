"""Claims about the classifier, on the tiny random checkpoint."""

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsacts import Article, Classifier, LabelScheme, ModelError, UsageError
from newsacts.backends.artifacts import write_artifact
from newsacts.backends.fake import FakeBackend
from newsacts.backends.onnx_graphs import FOLDER as GRAPHS
from newsacts.backends.onnx_graphs import load_graph, ship_graph
from newsacts.backends.quantization import FULL_STEPS
from newsacts.checkpoint import MANIFEST, Checkpoint, open_checkpoint
from tests import tiny

TEXTS = [text for text, _ in tiny.SENTENCES]


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier.from_pretrained(tiny_checkpoint.folder, device="cpu")


def test_predictions_keep_length_and_order(classifier: Classifier) -> None:
    together = classifier.predict_proba(TEXTS)
    alone = np.concatenate([classifier.predict_proba([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), 4)
    assert together.dtype == np.float32
    assert together == pytest.approx(alone, abs=1e-5)


def test_nothing_in_gives_nothing_out(classifier: Classifier) -> None:
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, 4)
    assert classifier.classify_article(Article("1", "")) == []


def test_any_iterable_of_texts_will_do(classifier: Classifier) -> None:
    assert classifier.predict(text for text in TEXTS) == classifier.predict(TEXTS)
    assert classifier.predict(np.array(TEXTS)) == classifier.predict(TEXTS)


def test_a_prediction_tells_the_same_story_in_all_fields(classifier: Classifier) -> None:
    for prediction in classifier.predict(TEXTS):
        assert tuple(prediction.probabilities) == classifier.scheme.names
        expected = {name for name, value in prediction.probabilities.items() if value >= 0.5}
        assert set(prediction.labels) == expected
        assert prediction.primary == (
            max(expected, key=lambda name: prediction.probabilities[name]) if expected else "none"
        )


def test_a_bare_string_is_refused_with_a_hint(classifier: Classifier) -> None:
    with pytest.raises(UsageError, match=r"write predict\(\[text\]\)"):
        classifier.predict("We regret this.")


@pytest.mark.parametrize("bad", [None, 3, b"bytes", ["nested"]])
def test_what_is_no_text_is_named_by_its_place(classifier: Classifier, bad: Any) -> None:
    with pytest.raises(UsageError, match=rf"texts\[1\] is {type(bad).__name__}, expected str"):
        classifier.predict(["fine", bad])


def test_half_a_surrogate_pair_is_refused(classifier: Classifier) -> None:
    with pytest.raises(UsageError, match="surrogate"):
        classifier.predict(["cut \ud83d"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=6))
def test_any_text_gets_finite_probabilities(classifier: Classifier, texts: list[str]) -> None:
    probabilities = classifier.predict_proba(texts)
    assert probabilities.shape == (len(texts), 4)
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00\x01", "😀", "\u202eעברית", "a" * 5000, "mill\nbank"], ids=lambda text: repr(text[:8])
)
def test_odd_texts_are_classified_and_do_not_disturb_others(classifier: Classifier, text: str) -> None:
    probabilities = classifier.predict_proba([TEXTS[0], text, TEXTS[1]])
    assert np.isfinite(probabilities).all()
    assert probabilities[[0, 2]] == pytest.approx(classifier.predict_proba(TEXTS[:2]), abs=1e-5)


def test_a_text_of_two_megabytes_is_read_to_its_end(tiny_checkpoint: Checkpoint) -> None:
    fake = Classifier(tiny_checkpoint, FakeBackend(4))
    text = "mill " * 400_000
    assert fake.count_windows(text) > 10_000
    assert not np.array_equal(fake.predict_logits([text]), fake.predict_logits([text + "sanctions"]))


def test_a_long_text_is_windowed_and_never_cut(classifier: Classifier) -> None:
    filler = "The mill makes paper . " * 30
    base, ended = classifier.predict_logits([filler, filler + TEXTS[0]])
    assert classifier.count_windows(filler) > 1
    assert (ended >= base - 1e-4).any()
    assert not np.allclose(base, ended)


def test_chunks_do_not_change_results(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = classifier.predict_proba(TEXTS)
    monkeypatch.setattr("newsacts.scoring.CHUNK_SIZE", 3)
    assert classifier.predict_proba(TEXTS) == pytest.approx(whole, abs=1e-5)


def test_an_article_is_split_with_offsets_that_rebuild_it(classifier: Classifier) -> None:
    text = "The mayor denied the claim. Rain fell on the mill.\n\nWe regret the delay."
    labelled = classifier.classify_article(Article("a-1", text))
    assert [item.sentence.text for item in labelled] == [
        "The mayor denied the claim.", "Rain fell on the mill.", "We regret the delay.",
    ]  # fmt: skip
    assert all(text[item.sentence.start : item.sentence.end] == item.sentence.text for item in labelled)
    assert {item.sentence.article_id for item in labelled} == {"a-1"}
    assert [item.prediction for item in labelled] == classifier.predict([item.sentence.text for item in labelled])


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean_max", "attention"])
def test_every_pooling_gives_the_same_alone_and_together(pooling: str, tmp_path: Path) -> None:
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / pooling, pooling=pooling)
    model = Classifier.from_pretrained(checkpoint.folder, device="cpu")
    alone = np.concatenate([model.predict_logits([text]) for text in TEXTS])
    assert model.predict_logits(TEXTS) == pytest.approx(alone, abs=1e-4)


def test_an_exclusive_scheme_always_gives_one_label(tmp_path: Path) -> None:
    scheme = LabelScheme(("sport", "politics", "weather"), exclusive=True)
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "checkpoint", scheme=scheme)
    model = Classifier.from_pretrained(checkpoint.folder, device="cpu")
    for prediction in model.predict(TEXTS):
        assert len(prediction.labels) == 1
        assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_saving_copies_every_byte(classifier: Classifier, tmp_path: Path) -> None:
    saved = classifier.save_pretrained(tmp_path / "saved")
    origin = classifier.checkpoint.folder
    assert {path.name for path in saved.iterdir()} == {MANIFEST, *classifier.checkpoint.files}
    assert all(path.read_bytes() == (origin / path.name).read_bytes() for path in saved.iterdir())
    with pytest.raises(UsageError, match="new or empty folder"):
        classifier.save_pretrained(saved)


def test_stray_files_of_the_folder_are_not_saved_along(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "copy"))
    (folder / "secret.txt").write_text("x")
    saved = Classifier.from_pretrained(folder, device="cpu").save_pretrained(tmp_path / "saved")
    assert not (saved / "secret.txt").exists()


def test_an_export_keeps_its_graph_when_it_is_saved_and_a_graph_of_other_weights_stays_behind(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "copy"))
    ship_graph(tiny_checkpoint, folder, steps=FULL_STEPS)
    shipped = {path.name for path in (folder / GRAPHS).iterdir()}
    (folder / GRAPHS / "secret.txt").write_text("x")
    write_artifact(folder / GRAPHS, f"int8-127-{'0' * 32}", b"of another model", suffix=".onnx")
    saved = Classifier.from_pretrained(folder, device="cpu").save_pretrained(tmp_path / "saved")
    assert {path.name for path in (saved / GRAPHS).iterdir()} == shipped
    assert len(shipped) == 4
    assert load_graph(open_checkpoint(saved), steps=FULL_STEPS)[1] == "shipped with the checkpoint"


def test_pushing_sends_only_the_files_of_the_checkpoint_with_the_thresholds_as_they_are(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    class Hub:
        def __init__(self, token: str | None) -> None:
            calls.append(("token", {"token": token}))

        def create_repo(self, name: str, **options: Any) -> None:
            calls.append((name, options))

        def upload_folder(self, **options: Any) -> Any:
            uploaded = open_checkpoint(options["folder_path"])
            calls.append(("upload", {path.name: uploaded for path in uploaded.folder.iterdir()}))
            return type("Commit", (), {"commit_url": "https://hub.example/commit/1"})

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    changed = classifier.with_thresholds({"denial": 0.91})
    assert changed.push_to_hub("me/mine", token="t") == "https://hub.example/commit/1"  # noqa: S106
    assert calls[1] == ("me/mine", {"private": True, "exist_ok": True})
    assert set(calls[2][1]) == {MANIFEST, *classifier.checkpoint.files}
    assert calls[2][1][MANIFEST].facts.calibration.thresholds[1] == 0.91


def test_a_mistyped_path_does_not_go_to_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("models/mine", "nothing", "/nowhere/at/all", "a/b/c"):
        with pytest.raises(ModelError, match="no such checkpoint folder"):
            Classifier.from_pretrained(name)


def test_a_hub_id_is_fetched(tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(name: str, **_: Any) -> str:
        asked.append(name)
        return str(tiny_checkpoint.folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    monkeypatch.chdir(tmp_path)
    assert Classifier.from_pretrained("owner/name", device="cpu").scheme == tiny_checkpoint.facts.scheme
    assert asked == ["owner/name"]


def test_an_unknown_backend_lists_what_there_is(tiny_checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="expected one of auto, pytorch"):
        Classifier.from_pretrained(tiny_checkpoint.folder, backend="abacus")


def test_what_auto_chose_is_logged_with_its_reason(
    tiny_checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="newsacts"):
        classifier = Classifier.from_pretrained(tiny_checkpoint.folder)
    assert {"backend", "device", "dtype"} <= set(classifier.choices)
    for name, choice in classifier.choices.items():
        assert f"{name}: {choice.value} ({choice.reason})" in caplog.messages
