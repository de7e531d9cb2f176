"""Explanations by occlusion: exact words, weights that are what deletion costs, any label scheme."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.calibration import Calibration, FloatArray, compute_log_odds, compute_probabilities, identity_calibration
from newsacts.errors import UsageError
from newsacts.explanation import Attribution, Explanation, find_words, occlude_words
from newsacts.explanation.faithfulness import measure_faithfulness
from newsacts.explanation.occlusion import delete_words
from newsacts.labels import LabelScheme

SCHEME = LabelScheme(("denial", "regret"))
CUES = {"denied": (4.0, 0.0), "sorry": (-1.0, 3.0), "not": (1.0, -2.0)}


class WordCounter:
    """A model whose logits are sums of word weights; counts the texts that it reads."""

    def __init__(self, scheme: LabelScheme = SCHEME, calibration: Calibration | None = None) -> None:
        self.scheme = scheme
        self.calibration = calibration or identity_calibration(len(scheme))
        self.read = 0

    def predict_logits(self, texts: Iterable[str]) -> FloatArray:
        rows = []
        for text in texts:
            self.read += 1
            words = [text[start:end].lower() for start, end in find_words(text)]
            rows.append(np.sum([CUES.get(word, (0.0, 0.0)) for word in words] or [(0.0, 0.0)], axis=0))
        return np.asarray(rows, dtype=np.float32).reshape(-1, len(self.scheme))


@given(st.text())
def test_words_are_in_order_apart_and_hold_everything_but_space_and_punctuation(text: str) -> None:
    words = find_words(text)
    ends = [place for word in words for place in word]
    assert ends == sorted(ends)
    assert all(start < end and not any(map(str.isspace, text[start:end])) for start, end in words)
    left = delete_words(text, words)
    assert not any(character.isalnum() for character in left)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "\u201cThe ship\u2019s owner\u201d, he said \u2014 full-scale.",
            ["The", "ship\u2019s", "owner", "he", "said", "full-scale"],
        ),
        ("( reuters ) - u.s. denied it .", ["reuters", "u.s", "denied", "it"]),
        ("\U0001f64f\U0001f64f sorry!", ["\U0001f64f\U0001f64f", "sorry"]),
        ("?! \u2026 -", []),
        ("", []),
    ],
)
def test_words_are_what_a_reader_calls_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in find_words(text)] == words


def test_a_weight_is_what_the_log_odds_lose_without_the_word() -> None:
    (explanation,) = occlude_words(WordCounter(), ["He denied it, and was sorry."])
    weights = {
        name: {explanation.text[word.start : word.end]: word.weight for word in words if word.weight}
        for name, words in explanation.attributions.items()
    }
    assert weights == {"denial": {"denied": 4.0, "sorry": -1.0}, "regret": {"sorry": 3.0}}
    assert len(explanation.attributions["denial"]) == 6


def test_weights_are_of_calibrated_log_odds() -> None:
    calibration = Calibration((2.0, 1.0), (0.5, 0.0), (0.5, 0.5))
    (explanation,) = occlude_words(WordCounter(calibration=calibration), ["denied"], labels=["denial"])
    assert explanation.attributions == {"denial": (Attribution(0, 6, 8.0),)}


def test_exclusive_labels_weigh_against_each_other() -> None:
    scheme = LabelScheme(("denial", "regret"), exclusive=True)
    (explanation,) = occlude_words(WordCounter(scheme), ["denied"])
    assert [words[0].weight for words in explanation.attributions.values()] == pytest.approx([4.0, -4.0])


@pytest.mark.parametrize("exclusive", [False, True])
def test_log_odds_are_those_of_the_probabilities(exclusive: bool) -> None:
    scheme = LabelScheme(("a", "b", "c"), exclusive=exclusive)
    calibration = Calibration((1.5, 0.5, 1.0), (0.1, 0.0, -0.3), (0.5,) * 3)
    logits = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    odds = compute_log_odds(logits, scheme, calibration)
    assert np.allclose(1 / (1 + np.exp(-odds)), compute_probabilities(logits, scheme, calibration), atol=1e-6)
    extreme = np.array([[300.0, -300.0, 0.0]], dtype=np.float32)
    assert np.isfinite(compute_log_odds(extreme, scheme, calibration)).all()


def test_many_texts_keep_their_order_and_cost_one_reading_a_word_and_one_more() -> None:
    scorer = WordCounter()
    texts = ["", *[f"word{number} denied it" for number in range(600)], "..."]
    explanations = occlude_words(scorer, texts)
    assert [explanation.text for explanation in explanations] == texts
    assert explanations[0].attributions == {"denial": (), "regret": ()}
    assert scorer.read == 1 + 600 * 4 + 1
    assert occlude_words(scorer, []) == []


def test_an_unknown_label_is_refused_with_the_near_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'denial'"):
        occlude_words(WordCounter(), ["x"], labels=["denail"])


def test_ranked_words_speak_for_the_label_strongest_first() -> None:
    words = (Attribution(0, 1, 0.5), Attribution(2, 3, -2.0), Attribution(4, 5, 1.0), Attribution(6, 7, 0.5))
    explanation = Explanation("a b c d", {"denial": words}, "occlusion")
    assert [word.start for word in explanation.rank_words("denial", count=9)] == [4, 0, 6]
    assert len(explanation.rank_words("denial", count=1)) == 1


def test_faithfulness_tells_the_words_that_matter_from_the_others() -> None:
    scorer = WordCounter()
    texts = ["He denied it on Monday in the town.", "They denied all of it again and again.", "denied"]
    explanations = occlude_words(scorer, texts)
    right = measure_faithfulness(scorer, [(explanation, "denial") for explanation in explanations], deleted=1)
    assert (right.sentences, right.wins) == (2, 1.0)
    assert right.top_fall > 0.4 > right.random_fall
    turned = [
        Explanation(
            one.text,
            {"denial": tuple(Attribution(word.start, word.end, -word.weight) for word in one.attributions["denial"])},
            "turned round",
        )
        for one in explanations
    ]
    wrong = measure_faithfulness(scorer, [(explanation, "denial") for explanation in turned], deleted=1)
    assert wrong.top_fall == 0
    assert wrong.wins == 0
    with pytest.raises(UsageError, match="more than 1 words"):
        measure_faithfulness(scorer, [(explanations[2], "denial")], deleted=1)
