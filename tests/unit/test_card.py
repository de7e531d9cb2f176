"""Claims about the model card: metadata that the hub's own library accepts, and nothing the facts do not say."""

from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from newsacts.base_models import DEFAULT_BASE
from newsacts.calibration import identity_calibration
from newsacts.checkpoint import ModelFacts
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.training.card import render_model_card

SORT = LabelScheme(("praise", "blame", "other"), exclusive=True)


def make_facts(scheme: LabelScheme = DEFAULT_SCHEME, **changes: Any) -> ModelFacts:
    """Facts of an invented run over sixty sentences; of several labels, the last is never true and never given."""
    generator = np.random.default_rng(0)
    columns = max(1, len(scheme) - 1)
    if scheme.exclusive:
        truth = np.eye(len(scheme), dtype=bool)[generator.integers(columns, size=60)]
    else:
        truth = np.pad(generator.random((60, columns)) < 0.4, ((0, 0), (0, len(scheme) - columns)))
    decided = np.where(np.arange(60)[:, None] % 5 == 0, np.roll(truth, 1, axis=0), truth)
    probabilities = np.where(decided, 0.8, 0.1).astype(np.float32)
    scores = score_predictions(Judged(truth, probabilities, decided, [str(row // 2) for row in range(60)]), scheme)
    counts = {"sentences": 1200, **dict.fromkeys(scheme.names, 7), "no label": 3}
    data = {
        "files": {"/home/ada/secret/mine.jsonl": "a" * 64, "corpus:sentences": "b" * 64, "hf:ada/acts": "from the hub"},
        "train": counts,
        "dev": counts | {"sentences": 60},
        "of_other_splits": 2,
        "wire_copies": 11,
        "dropped": {"stands in dev": 4},
        "rejects": 5,
    }
    given: dict[str, Any] = {
        "scheme": scheme,
        "calibration": identity_calibration(len(scheme)),
        "pooling": "mean",
        "max_tokens": 256,
        "weight_format": "full",
        "base_source": DEFAULT_BASE,
        "base_revision": "0.1.0",
        "base_sha256": "0" * 64,
        "codebook": "1.3",
        "training": {"data": data, "run": {"steps": 9}, "config": {}},
        "scores": {"dev": scores, "how": "calibration cross-fitted, 5 folds"},
    }
    return ModelFacts(**given | changes)


@pytest.mark.parametrize(
    "scheme", [DEFAULT_SCHEME, SORT, LabelScheme(("praise",))], ids=["default", "exclusive", "one"]
)
@pytest.mark.parametrize("name", ["mine", 'it\'s "quoted": --- {name}', "wörter"])
def test_the_hub_library_reads_the_metadata_back(scheme: LabelScheme, name: str) -> None:
    facts = make_facts(scheme)
    card = ModelCard(render_model_card(facts, name=name))
    data: Any = card.data
    assert (data.pipeline_tag, data.library_name, data.license) == ("text-classification", "newsacts", "apache-2.0")
    assert (data.base_model, data.datasets) == ("sentence-transformers/all-MiniLM-L6-v2", ["ada/acts"])
    for known in (data.base_model, *data.datasets):
        validate_repo_id(known)
    assert data.model_name == name
    assert {result.metric_type for result in data.eval_results} == set(data.metrics)
    values = {result.metric_name: result.metric_value for result in data.eval_results}
    dev = facts.scores["dev"]
    assert values["macro-F1"] == pytest.approx(dev["macro_f1"], abs=1e-4)
    shown = {name: row for name, row in dev["labels"].items() if row["f1"] is not None}
    for label, row in shown.items():
        assert values[f"recall, {label}"] == pytest.approx(row["recall"], abs=1e-4)
    assert len(values) == 3 + 3 * len(shown)
    assert all(isinstance(value, float) for value in values.values())


def test_every_label_has_a_row_with_its_intervals_and_its_counts() -> None:
    facts = make_facts()
    card = render_model_card(facts, name="mine")
    low, high = facts.scores["dev"]["labels"]["denial"]["recall_interval"]
    assert f"({low:.3f} to {high:.3f})" in card
    assert card.count("| sanction |") == 2
    assert "| sanction | 0 | – | – | – |" in card
    assert "| sentences | 1,200 | 60 |" in card
    assert "11 copies in wire register" in card
    assert "4 (stands in dev), 2 (of another split), 5 (unreadable)" in card


def test_a_card_of_exclusive_labels_speaks_of_no_threshold_and_no_codebook_of_ours() -> None:
    card = render_model_card(make_facts(SORT, codebook=None), name="mine")
    assert "exactly one a sentence" in card
    assert "threshold |" not in card
    assert "Thresholds:" not in card
    assert "codebook of newsacts" not in card
    assert "codebook of newsacts" in render_model_card(make_facts(), name="mine")
    for heads in (line for line in card.splitlines() if line.startswith("| label |")):
        assert heads.count("|") == 7


def test_a_base_that_is_not_known_gets_no_licence_no_language_and_no_path() -> None:
    card = render_model_card(make_facts(base_source="/home/ada/bases/bert"), name="mine")
    data: Any = ModelCard(card).data
    assert (data.license, data.language, data.base_model) == ("unknown", None, None)
    assert "a folder named 'bert'" in card
    assert "/home/ada" not in card
    assert "state them before publishing" in card


def test_a_base_of_the_hub_is_named_as_the_hub_names_it() -> None:
    data: Any = ModelCard(render_model_card(make_facts(base_source="hf:ada/bert"), name="mine")).data
    assert (data.base_model, data.base_model_relation) == ("ada/bert", "finetune")


def test_a_label_cannot_break_the_table() -> None:
    scheme = LabelScheme(("<b>x</b>", "a_b"))
    assert "<b>" not in render_model_card(make_facts(scheme), name="mine").split("---\n", 2)[2]
