"""Claims about `to_wire`: how prose becomes lower-cased, tokenised wire copy."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsacts.registers import to_wire
from newsacts.segmentation import split_sentences

PIECES = [
    *["U.S.", "Mr.", "No.", "10", "1,000", "2.5", ".5", "p.m.", "don't", "“", "”", '"', "’", "(", ")", ".", "..", "…"],
    *[" ", "\n", "-", "--", "—", "–", "/", "$", "%", "?", ",", ":", "a", "B", "İ", "Σ", "ʼ", "\u0301", "\x00", "。"],
]
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=15).map("".join))


@pytest.mark.parametrize(
    ("prose", "wire"),
    [
        ("Twitter's ban hurt.", "twitter s ban hurt ."),
        ("They don’t “regret” it.", "they don t regret it ."),
        ('"Why?" Ann asked.', "why ? ann asked ."),
        ("The U.S. denied it.", "the u.s. denied it ."),
        ("It left the U.S.", "it left the u.s. ."),
        ("Lisbon (Wire) - Sales rose.", "lisbon ( wire ) - sales rose ."),
        ("It paid $1,000.50, or 2.5%.", "it paid $ 1,000.50 , or 2.5 % ."),
        ("Lt. Gen. J. K. Orr came at 5 p.m. on Jan. 6.", "lt. gen. j. k. orr came at 5 p.m. on jan. 6 ."),
        ("No. 10 said no.", "no. 10 said no ."),
        ("Sen. Bloom (R-Va.) left Tellur Inc.", "sen. bloom ( r-va. ) left tellur inc ."),
        ("It was … late—too late...", "it was ... late - too late ..."),
        ("He left.\nShe\tstayed.", "he left . she stayed ."),
        ("See example.com, a well-known site, at 10:30.", "see example.com , a well-known site , at 10:30 ."),
    ],
)
def test_prose_becomes_wire_copy(prose: str, wire: str) -> None:
    assert to_wire(prose) == wire


@given(texts)
@example("u.s.'")
@example("no..10")
@example("İ.5")
def test_conversion_is_idempotent(text: str) -> None:
    assert to_wire(to_wire(text)) == to_wire(text)


@given(texts)
def test_tokens_are_lower_case_and_free_of_quotes(text: str) -> None:
    wire = to_wire(text)
    assert wire == wire.lower()
    assert not set(wire) & set("'’‘\"“”")
    assert wire == " ".join(wire.split())


@given(texts)
def test_letters_and_digits_are_never_lost(text: str) -> None:
    letters = [character for character in text.lower() if character.isalnum()]
    assert [character for character in to_wire(text) if character.isalnum()] == letters


def test_converted_sentences_split_where_the_prose_did() -> None:
    prose = [
        "Mr. Voss denied it in the U.S.",
        "“We regret this.”",
        "Is No. 10 to blame?",
        "It rose 2.5 percent, he said.",
    ]
    wire = [to_wire(sentence) for sentence in prose]
    assert [sentence.text for sentence in split_sentences(" ".join(wire))] == wire
