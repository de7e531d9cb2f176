"""Claims about scores, against figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from newsacts.calibration import BoolArray, FloatArray
from newsacts.evaluation.bootstrap import bootstrap_interval
from newsacts.evaluation.score import (
    Judged,
    count_by_group,
    find_worst_errors,
    measure_calibration_error,
    score_predictions,
)
from newsacts.labels import LabelScheme

PAIR = LabelScheme(("a", "b"))


def judge(truth: list[list[int]], probabilities: list[list[float]], groups: list[str] | None = None) -> Judged:
    values: FloatArray = np.array(probabilities, np.float32)
    gold: BoolArray = np.array(truth, np.bool_)
    return Judged(gold, values, values >= 0.5, groups or [str(row) for row in range(len(truth))])


def test_figures_are_those_worked_out_by_hand() -> None:
    judged = judge([[1, 0], [1, 0], [0, 1], [0, 0]], [[0.9, 0.1], [0.2, 0.1], [0.8, 0.7], [0.1, 0.6]])
    scores = score_predictions(judged, PAIR)
    assert scores["labels"]["a"]["precision"] == pytest.approx(1 / 2)
    assert scores["labels"]["a"]["recall"] == pytest.approx(1 / 2)
    assert scores["labels"]["a"]["f1"] == pytest.approx(1 / 2)
    assert scores["labels"]["b"]["f1"] == pytest.approx(2 / 3)
    assert scores["macro_f1"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert scores["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))
    assert scores["exact_match"] == pytest.approx(1 / 4)
    assert scores["no_label_rate"] == {"gold": pytest.approx(1 / 4), "predicted": pytest.approx(1 / 4)}


def test_a_label_absent_from_gold_does_not_score_one() -> None:
    absent = judge([[1, 0], [0, 0]], [[0.9, 0.1], [0.1, 0.1]])
    scores = score_predictions(absent, PAIR)
    assert scores["labels"]["b"]["f1"] is None
    assert scores["macro_f1_over"] == ["a"]
    invented = judge([[1, 0], [0, 0]], [[0.9, 0.9], [0.1, 0.1]])
    assert score_predictions(invented, PAIR)["labels"]["b"]["f1"] == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1, width=32), st.sampled_from("xyz")), min_size=1, max_size=30))
def test_counts_by_article_add_up_to_the_f1_of_scikit_learn(rows: list[tuple[bool, float, str]]) -> None:
    judged = judge([[gold] for gold, _, _ in rows], [[value] for _, value, _ in rows], [group for *_, group in rows])
    hits, false_alarms, misses = count_by_group(judged).sum(axis=0)[0]
    expected = f1_score(judged.truth[:, 0], judged.decided[:, 0], zero_division=0)
    assert 2 * hits / max(2 * hits + false_alarms + misses, 1) == pytest.approx(expected)


def test_an_interval_widens_when_sentences_cluster_in_articles() -> None:
    generator = np.random.default_rng(0)
    by_article = generator.random(40) < 0.7
    truth = np.ones((400, 1), np.bool_)
    decided = np.repeat(by_article, 10)[:, None]
    values = decided.astype(np.float32)
    articles = [str(row // 10) for row in range(400)]
    clustered = score_predictions(Judged(truth, values, decided, articles), LabelScheme(("a",)))
    alone = score_predictions(Judged(truth, values, decided, [str(row) for row in range(400)]), LabelScheme(("a",)))
    width = {name: np.ptp(scores["micro_f1_interval"]) for name, scores in (("c", clustered), ("a", alone))}
    assert width["c"] > 2 * width["a"]


def test_a_single_article_has_no_interval() -> None:
    scores = score_predictions(judge([[1, 0], [1, 0]], [[0.9, 0.1], [0.2, 0.1]], ["x", "x"]), PAIR)
    assert scores["micro_f1"] == pytest.approx(2 / 3)
    assert [scores[f"{kind}_f1_interval"] for kind in ("micro", "macro", "example")] == [None] * 3
    assert scores["labels"]["a"]["recall_interval"] is None


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        draws = (generator.random(80) < 0.6).astype(np.float64)
        counts = np.stack([draws, np.ones_like(draws)], axis=-1)
        interval = bootstrap_interval(counts, lambda sums: sums[..., 0] / sums[..., 1])
        assert interval is not None
        low, high = interval
        covered += low <= 0.6 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_calibration_error_is_the_gap_between_said_and_true() -> None:
    truth = np.array([True] * 30 + [False] * 70)
    assert measure_calibration_error(np.full(100, 0.3, np.float32), truth, bins=1) == pytest.approx(0, abs=1e-6)
    assert measure_calibration_error(np.full(100, 0.8, np.float32), truth, bins=1) == pytest.approx(0.5, abs=1e-6)


def test_worst_errors_are_the_most_confident_mistakes() -> None:
    judged = judge([[1, 0], [0, 0], [0, 1]], [[0.01, 0.1], [0.9, 0.1], [0.6, 0.4]])
    errors = find_worst_errors(judged, PAIR, limit=3)
    assert [(error["row"], error["label"], error["error"]) for error in errors] == [
        (0, "a", "missed"),
        (1, "a", "invented"),
        (2, "a", "invented"),
    ]


def test_scores_are_json_and_survive_one_sentence() -> None:
    import json

    scores = score_predictions(judge([[0, 0]], [[0.1, 0.2]]), PAIR)
    assert json.loads(json.dumps(scores))["sentences"] == 1
    assert scores["macro_f1"] is None
