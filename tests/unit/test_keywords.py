"""Claims about the keyword classifier: what it knows of the codebook, and that it is linear."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.baselines.keyword_rules import KeywordRule
from newsacts.baselines.keywords import KeywordClassifier
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

CLASSIFIER = KeywordClassifier()


def label(text: str) -> set[str]:
    return set(CLASSIFIER.predict([text])[0].labels)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The union accused the harbour board of hiding the report.", {"accusation"}),
        ("Prosecutors charged the banker with fraud.", {"accusation"}),
        ("Prosecutors charged a banker with fraud.", {"accusation"}),
        ("The envoy denied the allegations.", {"denial"}),
        ("The mayor dismissed the claims as baseless.", {"denial"}),
        ("The driver pleaded not guilty to manslaughter.", {"denial"}),
        ("The bank apologised for the delay.", {"regret"}),
        ("We deeply regret this decision.", {"regret"}),
        ("The bloc imposed an arms embargo on the island.", {"sanction"}),
        ("The league fined the club and suspended its coach for two matches.", {"sanction"}),
        ("The island expelled three diplomats.", {"sanction"}),
        ("The board accused the mayor of theft, and he denied it.", {"accusation", "denial"}),
        ("the kremlin denied that it had broken the law .", {"denial"}),
    ],
)
def test_acts_are_found(text: str, expected: set[str]) -> None:
    assert label(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The board has not accused anyone.",
        "The board hasn't accused anyone.",
        "the board has n't accused anyone .",
        "The ferry charged a small fee.",
        "The mayor refused to apologise.",
        "The union demanded that the bank should apologise.",
        "The mayor rejected calls to resign.",
        "The clerk was denied a visa.",
        "The court dismissed the appeal.",
        "There are no plans for sanctions.",
        "The sanctions committee met in March.",
        "The ferry runs twice a day.",
        "He has no regrets.",
    ],
)
def test_refusals_negations_and_mere_names_are_no_acts(text: str) -> None:
    assert label(text) == set()


def test_the_object_of_a_denial_is_no_second_accusation() -> None:
    assert label("The ministry denied accusations of meddling.") == {"denial"}


def test_probabilities_are_zero_or_one_and_say_what_the_labels_say() -> None:
    texts = ["The envoy denied it.", "Rain fell."]
    probabilities = CLASSIFIER.predict_proba(texts)
    assert (probabilities.shape, probabilities.dtype) == ((2, 4), np.dtype(np.float32))
    assert set(np.unique(probabilities)) <= {0.0, 1.0}
    assert CLASSIFIER.predict(texts)[0].probabilities == {
        "accusation": 0.0, "denial": 1.0, "regret": 0.0, "sanction": 0.0,
    }  # fmt: skip
    assert CLASSIFIER.predict_proba([]).shape == (0, 4)
    assert CLASSIFIER.predict([]) == []


WORDS = [
    "he",
    "they",
    "not",
    "never",
    "denied",
    "accused",
    "of",
    "claims",
    ",",
    ".",
    "…",
    "sanctions",
    "ban's",
    "ü",
    "😀",
]


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_case_quotes_and_spacing_change_nothing(words: list[str]) -> None:
    text = " ".join(words)
    assert label(text) == label(text.upper().lower()) == label("  ".join(words).replace("'", "’"))


@pytest.mark.parametrize(
    "word", ["not ", "denied ", "accused of ", "a ", "sanction ", "apology, ", "claims was ", "x-"]
)
def test_the_time_is_linear_in_the_length(word: str) -> None:
    def measure(copies: int) -> float:
        text = word * copies
        start = time.process_time()
        CLASSIFIER.decide([text])
        return time.process_time() - start

    measure(100)
    assert measure(16_000) < 40 * max(min(measure(1_000) for _ in range(3)), 1e-3)


def test_rules_of_ones_own_make_a_classifier_of_ones_own_labels() -> None:
    rules = {
        "praise": KeywordRule(found=(r"\bprais\w+",), voided=(r"\bnever prais\w+",)),
        "other": KeywordRule(found=()),
    }
    own = KeywordClassifier(rules, LabelScheme(("praise", "other")))
    texts = ["She praised the plan.", "She never praised it."]
    assert [prediction.labels for prediction in own.predict(texts)] == [("praise",), ()]


def test_what_cannot_be_used_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="got one str"):
        CLASSIFIER.predict("one text")
    with pytest.raises(UsageError, match="no keyword rules for praise"):
        KeywordClassifier(scheme=LabelScheme(("praise",)))
    with pytest.raises(UsageError, match="no regular expression"):
        KeywordClassifier({"a": KeywordRule(found=("(",))}, LabelScheme(("a",)))
