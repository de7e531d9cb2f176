"""Claims about the linear baselines."""

from pathlib import Path

import numpy as np
import pytest

from newsacts.baselines.linear import fit_frozen, fit_tfidf, make_embedder
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.records import Example
from tests import tiny

EXAMPLES = [Example(str(row), text, labels, str(row)) for row, (text, labels) in enumerate(tiny.SENTENCES)]
TEXTS = [example.text for example in EXAMPLES]


def test_words_of_a_label_raise_its_probability() -> None:
    model = fit_tfidf(EXAMPLES, DEFAULT_SCHEME, penalty=0.01)
    probabilities = model.predict_proba(["The union denied the theft.", "The mill makes paper."])
    denial = DEFAULT_SCHEME.index("denial")
    assert probabilities.dtype == np.float32
    assert probabilities[0].argmax() == denial
    assert probabilities[0, denial] > 5 * probabilities[1, denial]
    assert model.logits([*TEXTS]).shape == (len(TEXTS), 4)


def test_frozen_vectors_are_unit_vectors_whatever_stands_beside_them(tiny_base: Path) -> None:
    embed = make_embedder(str(tiny_base), max_tokens=32)
    together, alone = embed(TEXTS), np.concatenate([embed([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), tiny.HIDDEN)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_model_on_frozen_vectors_fits_what_it_was_shown(tiny_base: Path) -> None:
    model = fit_frozen(EXAMPLES, DEFAULT_SCHEME, base=str(tiny_base), penalty=1e-3)
    truth = np.array([[name in example.labels for name in DEFAULT_SCHEME.names] for example in EXAMPLES])
    assert ((model.logits(TEXTS) > 0) == truth).mean() > 0.85


def test_what_cannot_be_fitted_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="not exclusive"):
        fit_tfidf(EXAMPLES, LabelScheme(("a", "b"), exclusive=True))
    with pytest.raises(DataError, match="label 'praise' is on all or none"):
        fit_tfidf(EXAMPLES, LabelScheme(("praise",)))
