"""Claims about the evaluation page: everything is shown, everything is text, and the rules are the codebook's."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from newsacts.evaluation.compare import compare_models, find_flips
from newsacts.evaluation.confusion import count_confusions
from newsacts.evaluation.curves import describe_curves
from newsacts.evaluation.run import EvaluationReport
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.evaluation.slices import score_slices
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.records import Example
from newsacts.report.codebook_rules import CODEBOOK_RULES, CODEBOOK_VERSION
from newsacts.report.evaluation_page import render_evaluation
from newsacts.report.evaluation_plots import draw_precision_recall, draw_reliability

CODEBOOK = (Path(__file__).parents[2] / "docs" / "codebook.md").read_text(encoding="utf-8")
HOSTILE = '</script><script>alert(1)</script> "quoted" & <img src=x onerror=alert(2)> \u202eright to left\u202c 🙏'


def make_report(text: str = HOSTILE, scheme: LabelScheme = DEFAULT_SCHEME) -> EvaluationReport:
    generator = np.random.default_rng(0)
    truth = generator.random((60, 4)) < 0.3
    values = np.clip(truth * 0.6 + generator.random((60, 4)) * 0.5, 0, 1).astype(np.float32)
    judged = Judged(truth, values, values >= 0.5, [str(row // 2) for row in range(60)])
    second = Judged(truth, values, values >= 0.7, judged.groups)
    examples = [Example(str(row), text, (), str(row // 2), extra={"outlet": text}) for row in range(60)]
    sentence = {"id": text, "text": text, "gold": ["denial"], "predicted": []}
    names = scheme.names
    flips = [sentence | flip for flip in find_flips(judged, second, scheme)]
    model = {"folder": text, "labels": list(names), "exclusive": False, "thresholds": [0.5] * 4, "policy": text}
    model |= {"computed": "onnx in int8 on cpu"}
    return EvaluationReport(
        model=model | {"prevalence": None},
        scores=score_predictions(judged, scheme),
        curves=describe_curves(judged, scheme),
        confusion=count_confusions(judged, scheme),
        slices=score_slices(judged, examples, scheme, ["length", "outlet"]),
        worst_errors=[
            sentence
            | {"label": name, "error": "missed", "probability": 0.1, "probabilities": dict.fromkeys(names, 0.1)}
            for name in names
        ],
        comparison={"model": model, "mended": 1, "broken": 2, "flips": flips, **compare_models(judged, second, scheme)},
    )


def test_what_comes_from_data_is_text_and_nothing_else() -> None:
    page = render_evaluation(make_report(), data=[HOSTILE])
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;/script&gt;&lt;script&gt;alert(1)") >= 8
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)


def test_the_embedded_counts_are_json_and_end_at_their_own_end() -> None:
    scheme = LabelScheme(("a</script>", "b'", 'c"', "d&"))
    report = make_report("Rain fell.", scheme)
    page = render_evaluation(report)
    (stored,) = re.findall(r'<script type="application/json" id="tallies">(.*?)</script>', page, re.DOTALL)
    tallies = json.loads(stored)
    assert [label["name"] for label in tallies] == list(scheme.names)
    assert tallies[0]["positives"] == report.curves["a</script>"]["thresholds"]["positives"]
    assert "What the codebook says" not in page


def test_the_page_says_what_the_report_holds() -> None:
    report = make_report("Rain fell.")
    page = render_evaluation(report, data=["test.jsonl"])
    for name in DEFAULT_SCHEME.names:
        assert f"{report.scores['labels'][name]['f1']:.3f}" in page
        assert CODEBOOK_RULES[name].counts[0].split('"')[0].replace("'", "&#39;") in page
    assert f"{report.scores['macro_f1']:.3f}" in page
    assert "test.jsonl" in page
    assert "1</strong> mended" in page


def test_exclusive_labels_have_no_explorer_and_a_lone_model_no_comparison() -> None:
    report = make_report("Rain fell.")
    page = render_evaluation(replace(report, model=report.model | {"thresholds": None}, comparison=None))
    assert 'id="explorer"' not in page
    assert 'id="comparison"' not in page


def test_a_label_without_a_sentence_has_no_curve_and_no_figures() -> None:
    nothing = np.zeros((10, 4), np.bool_)
    judged = Judged(nothing, nothing.astype(np.float32), nothing, ["x"] * 10)
    report = make_report("Rain fell.")
    bare = replace(
        report,
        scores=score_predictions(judged, DEFAULT_SCHEME),
        curves=describe_curves(judged, DEFAULT_SCHEME),
        confusion=count_confusions(judged, DEFAULT_SCHEME),
        worst_errors=[],
    )
    assert "No sentence of the data carries this label" in render_evaluation(bare)


def test_to_json_holds_no_sentence() -> None:
    report = make_report("A secret sentence.")
    assert report.comparison is not None
    nameless = replace(report, model={}, slices={}, comparison=report.comparison | {"model": {}})
    stored = json.dumps(nameless.to_json())
    assert "secret" not in stored
    assert json.loads(stored)["protocol"] == 1


@pytest.mark.parametrize("label", DEFAULT_SCHEME.names)
def test_the_rules_are_in_the_words_of_the_codebook(label: str) -> None:
    words = " ".join(CODEBOOK.replace("**", "").split())
    rule = CODEBOOK_RULES[label]
    for sentence in (rule.definition, *rule.counts, *rule.does_not):
        assert sentence in words
    section = CODEBOOK.partition(f"\n## {label}\n")[2].partition("\n## ")[0]
    assert len(rule.counts) == len(rule.does_not) == section.count("\n| ") - 1
    assert f"Version {CODEBOOK_VERSION}." in CODEBOOK


def test_plots_put_one_at_the_top_and_zero_at_the_bottom() -> None:
    curve = [{"recall": 1.0, "precision": 0.25}, {"recall": 0.5, "precision": 1.0}]
    assert draw_precision_recall(curve) == "50.00,0.00 100.00,75.00"
    assert draw_precision_recall(None) == ""
    (point,) = draw_reliability([{"predicted": 0.25, "observed": 1.0, "interval": (0.0, 1.0), "sentences": 3}])
    assert (point.x, point.y, point.y_low, point.y_high) == (50, 0, 100, 0)
