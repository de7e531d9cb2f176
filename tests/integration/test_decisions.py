"""Claims about thresholds, operating points and priors of a loaded model, in Python, on the command line, on disk."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings
from newsacts.bulk.plan import describe_rows
from newsacts.calibration import sigmoid
from newsacts.checkpoint import MANIFEST, Checkpoint, open_checkpoint, write_manifest
from newsacts.classifier import Classifier
from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.training.calibrate_fit import DevSet, fit_calibration
from newsacts.training.config import CalibrationSection
from newsacts.training.operating_fit import measure_curves
from tests import tiny

PAGES = [Path(__file__).parents[2] / "docs" / name for name in ("calibration.md", "evaluation.md")]
BLOCKS = [block for page in PAGES for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
TEXTS = [text for text, _ in tiny.SENTENCES]


@pytest.fixture(scope="module")
def folder(tiny_checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint with operating points; regret does not reach a high precision."""
    generator = np.random.default_rng(0)
    logits = generator.normal(-1, 2, size=(800, 4))
    logits[:, 2] *= 0.2
    truth = generator.random((800, 4)) < sigmoid(2 * logits)
    dev = DevSet(logits.astype(np.float32), truth, [str(row // 2) for row in range(800)])
    section = CalibrationSection()
    facts = replace(
        tiny_checkpoint.facts,
        calibration=fit_calibration(dev.logits, truth, DEFAULT_SCHEME, section),
        curves=measure_curves(dev, DEFAULT_SCHEME, section),
    )
    target = tmp_path_factory.mktemp("points") / "checkpoint"
    shutil.copytree(tiny_checkpoint.folder, target)
    write_manifest(target, facts, tiny_checkpoint.files)
    assert open_checkpoint(target).facts == facts
    return target


@pytest.fixture
def without_regret(folder: Path) -> Classifier:
    """What a development set without regret leaves: no share, no line and no curve of it."""
    opened = open_checkpoint(folder)
    known, curves = opened.facts.calibration, opened.facts.curves
    assert known.prevalence is not None
    assert curves is not None
    seen = [name != "regret" for name in DEFAULT_SCHEME.names]
    shares = tuple(share if kept else 0.0 for share, kept in zip(known.prevalence, seen, strict=True))
    labels = tuple(curve if kept else None for curve, kept in zip(curves.labels, seen, strict=True))
    facts = replace(opened.facts, calibration=replace(known, prevalence=shares), curves=replace(curves, labels=labels))
    return Classifier(replace(opened, facts=facts), FakeBackend(4))


@pytest.fixture
def classifier(folder: Path) -> Classifier:
    return Classifier(open_checkpoint(folder), FakeBackend(4))


def test_thresholds_make_another_classifier_on_the_same_model(classifier: Classifier) -> None:
    before = classifier.calibration
    changed = classifier.with_thresholds({"denial": 0.0})
    assert all("denial" in prediction.labels for prediction in changed.predict(TEXTS))
    assert classifier.calibration == before
    assert changed._scorer is classifier._scorer
    assert np.array_equal(changed.predict_proba(TEXTS), classifier.predict_proba(TEXTS))
    with pytest.raises(UsageError, match="did you mean 'denial'"):
        classifier.with_thresholds({"denail": 0.5})
    with pytest.raises(UsageError, match="between 0 and 1"):
        classifier.with_thresholds({"denial": 50})


def test_an_operating_point_is_taken_from_the_stored_curve(classifier: Classifier) -> None:
    labels = ["accusation", "denial", "sanction"]
    points = classifier.find_operating_points("precision", 0.9, labels=labels)
    careful = classifier.with_operating_point("precision", 0.9, labels=labels)
    for name in labels:
        column = DEFAULT_SCHEME.index(name)
        assert careful.calibration.thresholds[column] == points[name].threshold
        assert points[name].precision >= 0.9
    assert careful.calibration.thresholds[2] == classifier.calibration.thresholds[2]
    assert careful.calibration.policy.startswith("precision 0.9 for accusation, denial, sanction; best F1")
    with pytest.raises(UsageError, match=r"regret reaches precision 0\.\d+ at most"):
        classifier.with_operating_point("precision", 0.95)
    assert "regret: 0." in classifier.with_operating_point("precision", 0.95, nearest=True).calibration.policy
    assert classifier.find_operating_points("precision", 0.95, labels=[]) == {}


def test_best_f1_of_the_curve_is_close_to_the_fitted_threshold(classifier: Classifier) -> None:
    again = classifier.with_operating_point("f1").calibration.thresholds
    assert again == pytest.approx(classifier.calibration.thresholds, abs=0.03)


def test_a_rarer_label_needs_a_higher_logit_for_the_same_precision(classifier: Classifier) -> None:
    labels = ["accusation"]
    rare = classifier.with_prior({"accusation": 0.05})
    assert rare.calibration.prevalence is not None
    assert rare.calibration.prevalence[0] == 0.05
    assert rare.predict_proba(TEXTS)[:, 0].mean() < classifier.predict_proba(TEXTS)[:, 0].mean()
    assert np.array_equal(rare.predict_proba(TEXTS)[:, 1:], classifier.predict_proba(TEXTS)[:, 1:])
    before = classifier.find_operating_points("precision", 0.8, labels=labels)["accusation"]
    after = rare.find_operating_points("precision", 0.8, labels=labels)["accusation"]
    assert after.recall < before.recall


def test_an_estimated_prior_can_be_used_at_once(classifier: Classifier) -> None:
    prior = classifier.estimate_prior(TEXTS)
    assert list(prior) == list(DEFAULT_SCHEME.names)
    assert classifier.with_prior(prior).calibration.prevalence == tuple(prior.values())


def test_a_label_that_dev_did_not_hold_hinders_no_other(
    without_regret: Classifier, classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    wished = without_regret.with_operating_point("precision", 0.5)
    assert caplog.messages == ["the development sentences held only one case of regret, which keeps its threshold"]
    assert wished.thresholds["regret"] == without_regret.thresholds["regret"]
    expected = classifier.with_operating_point("precision", 0.5).thresholds
    assert {**wished.thresholds, "regret": expected["regret"]} == expected
    with pytest.raises(UsageError, match="regret: the development sentences held only one case"):
        without_regret.find_operating_points("precision", 0.5, labels=["regret"])
    moved = without_regret.with_prior({"accusation": 0.02})
    assert moved.calibration.intercepts == classifier.with_prior({"accusation": 0.02}).calibration.intercepts
    caplog.clear()
    estimated = without_regret.estimate_prior(TEXTS)
    assert estimated["regret"] == 0.0
    assert "regret, which keeps its share" in caplog.text
    assert without_regret.with_prior(estimated).calibration.prevalence == tuple(estimated.values())
    with pytest.raises(UsageError, match="the share of regret cannot be changed"):
        without_regret.with_prior({"regret": 0.1})
    told = without_regret.with_prior({"regret": 0.1}, fitted_at={"regret": 0.2})
    assert told.calibration.intercepts[2] < without_regret.calibration.intercepts[2]


def test_a_checkpoint_without_points_and_prevalence_says_so(tiny_checkpoint: Checkpoint) -> None:
    old = Classifier(tiny_checkpoint, FakeBackend(4))
    with pytest.raises(UsageError, match="stores no operating points"):
        old.with_operating_point("recall", 0.9)
    with pytest.raises(UsageError, match="fitted_at"):
        old.with_prior({"denial": 0.1})
    shares = dict.fromkeys(DEFAULT_SCHEME.names, 0.2)
    assert old.with_prior({"denial": 0.2}, fitted_at=shares).calibration.intercepts == (0.0,) * 4


def test_other_lines_leave_the_points_behind(classifier: Classifier) -> None:
    other = classifier.with_calibration(replace(classifier.calibration, slopes=(9.0,) * 4))
    with pytest.raises(UsageError, match="stores no operating points"):
        other.find_operating_points("recall", 0.9)


def test_exclusive_labels_take_a_prior_and_no_threshold(tmp_path: Path) -> None:
    scheme = LabelScheme(DEFAULT_SCHEME.names, exclusive=True)
    exclusive = Classifier(tiny.write_tiny_checkpoint(tmp_path / "model", scheme=scheme), FakeBackend(4))
    with pytest.raises(UsageError, match="exclusive"):
        exclusive.with_thresholds({"denial": 0.5})
    with pytest.raises(UsageError, match="exclusive"):
        exclusive.with_operating_point("recall", 0.9)
    even = dict.fromkeys(scheme.names, 0.25)
    moved = exclusive.with_prior({"accusation": 0.7, "denial": 0.1, "regret": 0.1, "sanction": 0.1}, fitted_at=even)
    assert moved.predict_proba(TEXTS).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_what_was_changed_is_saved_and_an_untouched_copy_keeps_bytes(classifier: Classifier, tmp_path: Path) -> None:
    changed = classifier.with_prior({"denial": 0.01}).with_thresholds({"denial": 0.7})
    assert open_checkpoint(changed.save_pretrained(tmp_path / "changed")).facts == changed.checkpoint.facts
    same = classifier.save_pretrained(tmp_path / "same")
    assert (same / MANIFEST).read_bytes() == (classifier.checkpoint.folder / MANIFEST).read_bytes()


def test_a_bulk_run_with_other_thresholds_is_another_plan(classifier: Classifier) -> None:
    settings = BulkSettings()
    plans = [
        describe_rows(settings, one)
        for one in (classifier, classifier.with_thresholds({"denial": 0.7}), classifier.with_prior({"denial": 0.01}))
    ]
    assert plans[0] != plans[1] != plans[2] != plans[0]


def test_the_command_line_tells_what_a_label_does_not_reach(folder: Path) -> None:
    command = [str(Path(sys.executable).with_name("newsacts")), "classify", "We regret this.", "--model", str(folder)]
    options = ["--precision", "0.95", "--prior", "denial=0.01", "--format", "jsonl"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "We regret this."
    assert re.search(r"regret: threshold .* does not reach precision 0.95, this is its highest", done.stderr)
    assert len(done.stderr.splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": 0.9, "recall": 0.9}, "not both"),
        ({"precision": 90.0}, "between 0 and 1"),
        ({"prior": "denial"}, "LABEL=SHARE"),
        ({"prior": "denial=2"}, "LABEL=SHARE"),
        ({"prior": "denial=0.1,denial=0.2"}, "twice"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_a_model_is_loaded(
    options: dict[str, float | str], words: str
) -> None:
    from newsacts.cli.decisions import check_decisions

    given = {"precision": None, "recall": None, "prior": None} | options
    with pytest.raises(UsageError, match=words):
        check_decisions(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_code_of_the_pages_runs_as_it_stands(
    block: str, classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": text, "labels": list(labels), "outlet": "Gazette"} for text, labels in tiny.SENTENCES]
    (tmp_path / "labelled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    # The regret of this tiny world reaches no high precision; the labels of the page's model are taken to.
    reaching = Classifier.with_operating_point
    monkeypatch.setattr(Classifier, "with_operating_point", lambda self, *wish: reaching(self, *wish, nearest=True))
    points = Classifier.find_operating_points
    monkeypatch.setattr(
        Classifier,
        "find_operating_points",
        lambda self, *wish, labels=None, nearest=False: points(self, *wish, labels=labels, nearest=True),
    )
    monkeypatch.setattr(Classifier, "from_pretrained", lambda *_: classifier)
    exec(block, {"classifier": classifier})  # noqa: S102 - our own page
    if "write_page" in block:
        assert "How good are the labels?" in (tmp_path / "scores" / "evaluation.html").read_text("utf-8")


def test_evaluate_writes_page_and_json_with_slices_and_a_comparison(folder: Path, tmp_path: Path) -> None:
    rows = [{"text": text, "labels": list(labels), "outlet": "<b>"} for text, labels in tiny.SENTENCES]
    data = tmp_path / "labelled.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    program = str(Path(sys.executable).with_name("newsacts"))
    command = [program, "evaluate", "--data", str(data), "--model", str(folder), "--compare", str(folder)]
    options = ["--slice-by", "outlet", "--recall", "0.5", "--wire", "--output", str(tmp_path / "scores")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 mended, 0 broken" in done.stdout
    stored = json.loads((tmp_path / "scores" / "evaluation.json").read_text())
    assert stored["slices"]["outlet"]["parts"]["<b>"]["sentences"] == len(rows)
    assert stored["comparison"]["micro_f1"]["difference"] == 0
    assert stored["comparison"]["model"]["policy"] == stored["model"]["policy"] == "recall 0.5"
    assert stored["data"] == [f"{data}, lower-cased tokenised copy"]
    assert (tmp_path / "scores" / "flips.jsonl").read_text() == ""
    assert "&lt;b&gt;" in (tmp_path / "scores" / "evaluation.html").read_text()
