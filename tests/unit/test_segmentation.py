"""Claims about `split_sentences`: exact offsets, golden splits in three registers, linear time, a cap on length.

The golden files hold one article a line, as JSON: {"text": raw text, "sentences": the expected sentences}.
"""

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsacts.records import Sentence
from newsacts.segmentation import MAX_SENTENCE_CHARACTERS, split_sentences
from newsacts.segmentation.register import Register, detect_register

GOLDEN = Path(__file__).parent.parent / "golden"
GOLDEN_ARTICLES = [
    pytest.param(json.loads(line), id=f"{register}-{row}")
    for register in ("prose", "wire", "web")
    for row, line in enumerate((GOLDEN / f"segmentation_{register}.txt").read_text("utf-8").split("\n"), start=1)
    if line
]
TRICKY_PIECES = [
    *[". ", ".", " . ", "...", " ... ", ". . . ", "!", "? ", "…", "。", '"', " ” ", "“", "''", ")", "(", "’"],
    *["\n", "\n\n", "\r\n", "\u2028", "\u2029", "\f", "\x1c", "\x85", "\t", "  ", "\x00", "\x07", "\u200b", "\ufeff"],
    *["U.S.", "Mr.", "J.", "No.", "p.m.", "Inc.", "1.", "- ", "• ", "The", "he", "said", "I", "6", "😀", "שלום", "🇳🇴"],
    *["the kremlin said on friday .", "Police said so.", "e\u0301", "x" * 70],
]
texts = st.one_of(st.text(), st.lists(st.sampled_from(TRICKY_PIECES), max_size=40).map("".join))


def split(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


def assert_contract(text: str, sentences: list[Sentence]) -> None:
    position = 0
    for index, sentence in enumerate(sentences):
        assert sentence.index == index
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.text
        assert sentence.text == sentence.text.strip()
        assert len(sentence.text) <= MAX_SENTENCE_CHARACTERS
        assert sentence.start >= position
        assert not text[position : sentence.start].strip()
        position = sentence.end
    assert not text[position:].strip()


@given(texts)
@example("")
@example(" \r\n\x0c ")
@example("\x00")
@example('. " . " . "')
@example("a" * (2 * MAX_SENTENCE_CHARACTERS) + " b. C")
def test_sentences_rebuild_the_text_in_order_and_cover_all_but_white_space(text: str) -> None:
    assert_contract(text, split_sentences(text))


@pytest.mark.parametrize("article", GOLDEN_ARTICLES)
def test_golden_articles_split_as_written_down(article: dict[str, object]) -> None:
    assert split(str(article["text"])) == article["sentences"]


@pytest.mark.parametrize("register", ["prose", "wire", "web"])
def test_golden_files_hold_at_least_sixty_sentences_each(register: str) -> None:
    lines = (GOLDEN / f"segmentation_{register}.txt").read_text("utf-8").splitlines()
    assert sum(len(json.loads(line)["sentences"]) for line in lines) >= 60


def test_sentences_carry_the_article_id() -> None:
    assert [s.article_id for s in split_sentences("It rains. We stay.", article_id="a7")] == ["a7", "a7"]


@pytest.mark.parametrize(
    ("text", "register"),
    [
        ("the board denied it , the union said on jan. 6 .", Register.TOKENISED),
        ("The board denied it , the union said .", Register.TOKENISED),
        ("the board denied it. the union, which sued, said so.", Register.LOWERED),
        ("the board of the fund denied it. " * 12 + "sales rose by PS20.", Register.LOWERED),
        ("The board denied it . The union, which sued, said so.", Register.PROSE),
        ("“We deny it.” the board said.", Register.PROSE),
    ],
)
def test_register_is_decided_by_free_marks_and_capitals(text: str, register: Register) -> None:
    assert detect_register(text) is register


def test_a_word_in_lower_case_starts_a_sentence_only_where_the_text_has_no_capitals() -> None:
    assert split("the firm left. it had no choice. mr. smith stayed.") == [
        "the firm left.",
        "it had no choice.",
        "mr. smith stayed.",
    ]
    assert split("The firm left. it had no choice.") == ["The firm left. it had no choice."]


def test_tokenised_text_splits_alike_on_one_line_and_on_many() -> None:
    lines = ["the u.s. ban of jan. 6 ... stays , he said .", "we regret this .", "is no. 10 to blame ?"]
    assert split("\n".join(lines)) == split(" ".join(lines)) == lines


@pytest.mark.parametrize("abbreviation", ["the U.S.", "Tellur Inc.", "late Jan.", "J. Orr Jr.", "Plan B."])
def test_abbreviation_that_may_stand_last_ends_a_sentence_before_a_starter_only(abbreviation: str) -> None:
    assert len(split(f"They like {abbreviation} The rest is known.")) == 2
    assert len(split(f"They like {abbreviation} Shares fell sharply.")) == 2
    assert len(split(f"They like {abbreviation} Harbour Master Voss.")) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The deadline is 5 p.m. GMT.", "Iran has not answered."),
        ("They meet at 10 a.m. Monday.", "Nobody will come."),
        ("It opens at 9 a.m. Eastern.", "Shares fell."),
        ("He left at 5 p.m.", "Mt. Arden was hidden in smoke."),
        ("He left at 5 p.m.", "The aide stayed."),
    ],
)
def test_a_zone_or_day_that_ends_a_sentence_belongs_to_the_hour_before_it(first: str, second: str) -> None:
    assert split(f"{first} {second}") == [first, second]


def test_a_spaced_ellipsis_makes_no_text_tokenised() -> None:
    prose = ["Mr. Arden said . . . nothing.", "The aide denied it.", "He left."]
    assert split(" ".join(prose)) == prose
    assert detect_register("the clerk lives in the u.s. .") is Register.TOKENISED


WRAPPED = (
    "The board said on Friday that it had fined the owner of the trawler Osprey\n"
    "Marine Services after an inquiry that took two years, cost three million\n"
    "crowns and heard more than forty witnesses, among them the former Minister\n"
    "Voss. The owner denied any fault."
)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\u2028"])
def test_hard_wrap_breaks_no_sentence(line_break: str) -> None:
    assert len(split(WRAPPED.replace("\n", line_break))) == 2


@pytest.mark.parametrize(
    "headline", ["Board fines trawler owner", "Harbour board fines the owner of the trawler after inquiry"]
)
def test_headline_above_wrapped_prose_stands_alone(headline: str) -> None:
    assert split(headline + "\n" + WRAPPED)[0] == headline


def test_blank_line_breaks_even_inside_a_wrapped_sentence() -> None:
    assert len(split(WRAPPED.replace("Osprey\n", "Osprey\n \n"))) == 3


def test_long_sentence_is_cut_at_the_last_white_space_before_the_cap() -> None:
    first, second = split("ab " * 1_000 + "cd " * 400)
    assert len(first) in range(MAX_SENTENCE_CHARACTERS - 3, MAX_SENTENCE_CHARACTERS + 1)
    assert first.split() + second.split() == ["ab"] * 1_000 + ["cd"] * 400


def test_long_sentence_without_white_space_is_cut_at_the_cap() -> None:
    lengths = [len(piece) for piece in split("x" * (2 * MAX_SENTENCE_CHARACTERS + 5))]
    assert lengths == [MAX_SENTENCE_CHARACTERS, MAX_SENTENCE_CHARACTERS, 5]


ADVERSARIAL_UNITS = {
    "dots": ".",
    "dots apart": ". ",
    "dots behind tabs": "a.\t",
    "marks": "!?",
    "quotes": '"',
    "closed quotes": '."',
    "free quotes": 'a . " ',
    "brackets behind a stop": ".)",
    "wide marks": "。",
    "no spaces": "abc",
    "domain names": "a.b",
    "forgotten spaces": "word.Word ",
    "initials": "J. ",
    "capitals in a row": '?" Ann Ann ',
    "spaces": " ",
    "stops before spaces": ".   ",
    "line breaks": "\n",
    "short lines": "a\n",
    "free commas": " ,",
    "combining marks": "\u0301",
    "nul": "\x00",
    "bullets": "- a\n",
}


def best_seconds(text: str) -> float:
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        split_sentences(text)
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("unit", ADVERSARIAL_UNITS.values(), ids=ADVERSARIAL_UNITS.keys())
def test_time_is_linear_in_the_length_of_adversarial_text(unit: str) -> None:
    short = unit * (20_000 // len(unit))
    # The tail keeps a run of marks from ending where a pattern could stop early; the floor keeps the clock's own
    # noise out where a pattern takes next to no time.
    assert best_seconds(short * 4 + "x") < 8 * max(best_seconds(short + "x"), 0.002)


@pytest.mark.parametrize("tail", ["", "x", " x", " X said"])
@pytest.mark.parametrize("unit", ADVERSARIAL_UNITS.values(), ids=ADVERSARIAL_UNITS.keys())
def test_adversarial_text_keeps_the_contract_whatever_ends_it(unit: str, tail: str) -> None:
    text = unit * 3_000 + tail
    assert_contract(text, split_sentences(text))
