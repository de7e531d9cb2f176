"""Claims about the scikit-learn estimator."""

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit, cross_val_predict
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from newsacts.bulk import classify_corpus
from newsacts.errors import DataError, UsageError
from newsacts.interop.estimator import NewsactsClassifier, _read_targets
from newsacts.labels import DEFAULT_SCHEME
from tests import tiny

TEXTS = [text for text, _ in tiny.SENTENCES]
LISTS = [list(labels) for _, labels in tiny.SENTENCES]
MATRIX = np.array([[name in labels for name in DEFAULT_SCHEME.names] for labels in LISTS], dtype=np.int64)
SINGLE = ["act" if labels else "other" for labels in LISTS]

# These need no data. The rest of `check_estimator` fits on numbers, which a classifier of texts refuses: scikit-learn
# leaves it out by itself (see the test of that), and the tests below claim the same things on texts.
CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
]


PAIRS = [str(row // 2) for row in range(len(TEXTS))]


def make(base: Path, **options: Any) -> NewsactsClassifier:
    settings = {"model.max_tokens": 32, "model.freeze_embeddings": False, "calibration.folds": 2}
    chosen: dict[str, Any] = {"epochs": 0.5, "dev_fraction": 0.3, "device": "cpu", "settings": settings} | options
    return NewsactsClassifier(base=str(base), **chosen)


@pytest.fixture(scope="module")
def fitted(tiny_base: Path) -> NewsactsClassifier:
    return make(tiny_base, labels=DEFAULT_SCHEME.names).fit(TEXTS, LISTS, groups=PAIRS)


def test_groups_stay_on_one_side(fitted: NewsactsClassifier) -> None:
    assert fitted.scores_["articles"] * 2 == fitted.scores_["sentences"]


@pytest.mark.parametrize("name", CHECKS)
def test_the_checks_of_scikit_learn_that_need_no_numbers_pass(name: str) -> None:
    check: Callable[[str, NewsactsClassifier], None] = getattr(estimator_checks, name)
    check("NewsactsClassifier", NewsactsClassifier())


def test_scikit_learn_leaves_its_numeric_checks_out() -> None:
    with pytest.warns(SkipTestWarning, match="Can't test estimator"):
        results = check_estimator(NewsactsClassifier())
    assert all(result["status"] == "passed" for result in results)


def test_training_sees_each_label_as_often_as_it_was_given(fitted: NewsactsClassifier) -> None:
    facts = fitted.classifier_.checkpoint.facts.training["data"]
    for column, name in enumerate(DEFAULT_SCHEME.names):
        assert facts["train"][name] + facts["dev"][name] == MATRIX[:, column].sum()
    assert facts["train"]["no label"] + facts["dev"]["no label"] == sum(not labels for labels in LISTS)
    assert tuple(fitted.classes_) == DEFAULT_SCHEME.names


def test_the_score_is_the_share_that_is_all_right_in_any_form_of_y(fitted: NewsactsClassifier) -> None:
    predicted = fitted.predict(TEXTS)
    assert fitted.score(TEXTS, MATRIX) == fitted.score(TEXTS, LISTS) == (predicted == MATRIX).all(axis=1).mean()
    assert fitted.score(TEXTS, predicted) == 1


def test_probabilities_stand_in_the_order_of_the_classes(fitted: NewsactsClassifier) -> None:
    probabilities = fitted.predict_proba(np.array(TEXTS))
    assert probabilities.shape == MATRIX.shape
    assert np.array_equal(probabilities, fitted.classifier_.predict_proba(TEXTS))
    subset = fitted.predict_proba(TEXTS[5:7])
    np.testing.assert_allclose(subset, probabilities[5:7], atol=1e-6)


def test_a_matrix_and_lists_teach_the_same(tiny_base: Path, fitted: NewsactsClassifier) -> None:
    other = make(tiny_base, labels=DEFAULT_SCHEME.names).fit(np.array(TEXTS, dtype=object), MATRIX, groups=PAIRS)
    assert np.array_equal(fitted.predict_proba(TEXTS), other.predict_proba(TEXTS))


@pytest.mark.parametrize(
    "y",
    [
        MATRIX,
        MATRIX.tolist(),
        list(MATRIX),
        MATRIX.astype(np.bool_).tolist(),
        list(MATRIX.astype(np.bool_)),
        pandas.DataFrame(MATRIX, columns=list(DEFAULT_SCHEME.names)).iloc[:, ::-1],
        LISTS,
        pandas.Series(LISTS),
        [np.array(labels, dtype=str) for labels in LISTS],
    ],
    ids=[
        "matrix",
        "lists of int",
        "rows of int",
        "lists of bool",
        "rows of bool",
        "table",
        "names",
        "column",
        "arrays",
    ],
)
def test_every_form_of_y_is_read_as_the_same_targets(y: Any) -> None:
    targets, scheme, classes = _read_targets(y, DEFAULT_SCHEME.names)
    assert np.array_equal(targets, MATRIX.astype(np.bool_))
    assert (scheme.names, tuple(classes)) == (DEFAULT_SCHEME.names, DEFAULT_SCHEME.names)


def test_single_values_make_exclusive_classes(tiny_base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    model = make(tiny_base, folder=folder).fit(TEXTS, SINGLE)
    assert list(model.classes_) == ["act", "other"]
    assert set(model.predict(TEXTS)) <= {"act", "other"}
    np.testing.assert_allclose(model.predict_proba(TEXTS).sum(axis=1), 1, atol=1e-6)
    assert 0 <= model.score(TEXTS, SINGLE) <= 1
    assert (folder / "newsacts.json").is_file()


def test_grid_search_works_on_texts_and_numbers_as_classes_come_back_as_numbers(tiny_base: Path) -> None:
    numbers = [int(value == "act") for value in SINGLE]
    folds = ShuffleSplit(1, test_size=0.3, random_state=0)
    search = GridSearchCV(make(tiny_base), {"seed": [1]}, cv=folds).fit(TEXTS, numbers)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(TEXTS[:3]).dtype.kind == "i"


def test_early_stopping_of_an_estimator_looks_at_dev_and_stops(tiny_base: Path) -> None:
    settings = {
        "model.max_tokens": 32,
        "optimization.early_stopping": 1,
        "optimization.head_learning_rate": 1e-6,
        "optimization.precision": "float32",
    }
    model = make(tiny_base, epochs=30, body_learning_rate=1e-6, settings=settings).fit(TEXTS, SINGLE)
    assert model.classifier_.checkpoint.facts.training["run"]["steps"] < 30


def test_cross_validation_works_on_texts_and_label_lists(tiny_base: Path) -> None:
    model = make(tiny_base, labels=DEFAULT_SCHEME.names)
    assert cross_val_predict(model, TEXTS, LISTS, cv=KFold(2, shuffle=True)).shape == MATRIX.shape


def test_a_clone_is_unfitted_and_has_the_same_parameters(fitted: NewsactsClassifier) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)


@pytest.mark.parametrize(
    ("texts", "y", "message"),
    [
        ("one text", ["a"], "got one str"),
        ([1, 2], ["a", "b"], r"X\[0\] is int, expected str"),
        (["a", "b"], ["x"], "2 texts and y 1 rows"),
        ([["a"], ["b"]], ["x", "y"], "an array of shape"),
        (["a", "b"], ["x", ["y"]], "y mixes single values and lists"),
        (["a", "b"], np.array([[0.5, 1], [0, 1]]), "0 and 1 alone"),
        (["a", "b"], np.array([[1, 1, 1], [0, 1, 0]]), "y has 3 columns and labels names 4"),
        (["a", "b"], [[1, 0], [1]], "differ in length"),
        (["a", "b"], pandas.DataFrame({"praise": [1, 0]}), "y has the columns praise, expected accusation"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_words(texts: Any, y: Any, message: str) -> None:
    labels = DEFAULT_SCHEME.names if "labels names" in message or "columns praise" in message else None
    with pytest.raises(UsageError, match=message):
        NewsactsClassifier(labels=labels).fit(texts, y)


def test_groups_of_another_length_and_blank_texts_are_refused() -> None:
    with pytest.raises(UsageError, match="groups holds 1 values"):
        NewsactsClassifier().fit(["a", "b"], ["x", "y"], groups=["g"])
    with pytest.raises(DataError, match="more than white space"):
        NewsactsClassifier().fit(["a", " "], ["x", "y"])


def test_without_a_folder_the_checkpoint_lives_as_long_as_the_classifier(tiny_base: Path, tmp_path: Path) -> None:
    model = make(tiny_base).fit(TEXTS, SINGLE)
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": TEXTS[0]}) + "\n")
    assert classify_corpus([source], tmp_path / "run", classifier=model.classifier_).sentences == 1
    assert model.classifier_.save_pretrained(tmp_path / "saved").is_dir()
    folder = model.classifier_.checkpoint.folder
    derived = model.classifier_.with_calibration(model.classifier_.calibration)
    del model
    gc.collect()
    assert not folder.parent.exists()
    with pytest.raises(UsageError, match=r"the checkpoint of this classifier is gone.*give folder="):
        classify_corpus([source], tmp_path / "other", classifier=derived)


def test_importing_newsacts_does_not_load_the_estimator() -> None:
    import subprocess
    import sys

    code = "import sys, newsacts; print('sklearn' in sys.modules, 'newsacts.interop' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
