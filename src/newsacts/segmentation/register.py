"""Decides, once per text, how it is written, because the sign of a sentence's end depends on that.

TOKENISED   Punctuation stands free ("banned them , the kremlin said .") more often than it touches a word.
            A free-standing stop ends a sentence; a stop that touches a word belongs to an abbreviation. The
            dots of a spaced ellipsis (". . .") stand free in prose too and are no sign.
LOWERED     Prose without capitals: the first letter is not a capital and at most one letter in a hundred is
            (lower-cased collections keep some, as in currency codes). A word in lower case may start a
            sentence.
PROSE       Everything else. A word in lower case never starts a sentence.
"""

import re
from enum import Enum, auto

_FREE_MARK = re.compile(
    r"""
    [.,;:!?()] (?<=\s.) (?!\S)
    (?: (?<!\.) | (?<!\s\.\s\.)(?!\s\.(?!\S)) )     # no dot beside another that stands free
    """,
    re.VERBOSE,
)
_TOUCHING_MARK = re.compile(
    r"""
    [,;:.!?)]
    (?: (?<=\w[,;:)]) | (?<=\w{4}[.!?]) | (?<=\w[.!?])(?=["”’)]{0,2}\Z) )   # "jan." is no sign
    ["”’)]{0,2} (?!\S)
    """,
    re.VERBOSE,
)
_MOST_CAPITALS_PER_LETTER = 0.01


class Register(Enum):
    """How a text is written."""

    PROSE = auto()
    LOWERED = auto()
    TOKENISED = auto()


def detect_register(text: str) -> Register:
    """Decide the register of the whole text."""
    free_marks = len(_FREE_MARK.findall(text))
    if free_marks and free_marks > len(_TOUCHING_MARK.findall(text)):
        return Register.TOKENISED
    first_letter = next(filter(str.isalpha, text), "A")
    if first_letter.isupper():
        return Register.PROSE
    capitals = sum(map(str.isupper, text))
    letters = sum(map(str.isalpha, text))
    return Register.LOWERED if capitals <= letters * _MOST_CAPITALS_PER_LETTER else Register.PROSE
