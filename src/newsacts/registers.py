"""Turns prose into the register of wire copy: lower-cased, tokenised, apostrophes and quotes dropped.

Left out: the way back, and sentence boundaries, which are for `segmentation`; line breaks become spaces.
"""

import re

from newsacts import abbreviations

_DROPPED = re.compile("[\x00-\x1f\x7f'’‘‛`´′″\"“”„‟«»‹›]+")
_MARKS = r"\s.,;:!?…()\[\]{}<>$€£¥%=|*~¿¡、。，！？；：（）「」"
_LETTER = rf"[^{_MARKS}\-/]"
_TOKEN = re.compile(
    rf"""
      \.{{2,}} | …                                                      # an ellipsis
    | (?: (?<!{_LETTER}) \. (?=\d) )?                                  # the point of ".5"
      {_LETTER}++ (?: (?: [.\-/] | [,:](?<=\d.)(?=\d) ) {_LETTER}++ )*+  # a word or number
    | -{{2,}}                                                           # a dash typed as hyphens
    | \S                                                              # any other mark by itself
    """,
    re.VERBOSE,
)
_ATTACHED = (
    abbreviations.TITLES
    | abbreviations.CONNECTORS
    | abbreviations.MONTHS
    | abbreviations.COMPANIES
    | abbreviations.NAME_ENDINGS
    | abbreviations.STATES
    | abbreviations.CLOSING
)


def to_wire(text: str) -> str:
    """Return the prose sentence `text` as lower-cased, tokenised wire copy.

    `Twitter's ban (in 2.5 days) hit the U.S.` becomes `twitter s ban ( in 2.5 days ) hit the u.s. .`:
    apostrophes, quotes and control characters become spaces; marks stand free; decimals, thousands, times,
    hyphenated words and domain names stay whole; abbreviations keep their stop, and one that ends the
    text gets a free-standing stop behind it. Dashes become "-", ellipses "...", white space single spaces.

    Idempotent. Not empty when `text` holds a letter or a digit.
    """
    lowered = _DROPPED.sub(" ", text.lower()).replace("—", " - ").replace("–", "-")
    matches = list(_TOKEN.finditer(lowered))
    words: list[str] = []
    for position, match in enumerate(matches):
        following = matches[position + 1][0] if position + 1 < len(matches) else ""
        touches = position > 0 and matches[position - 1].end() == match.start()
        if match[0] == "." and touches and _keeps_stop(matches[position - 1][0], following):
            words[-1] += "."
            if following == "":
                words.append(".")
        else:
            words.append("..." if match[0] == "…" or match[0].startswith("..") else match[0])
    return " ".join(words)


def _keeps_stop(word: str, following: str) -> bool:
    """Whether the stop that touches `word` belongs to it, given the token behind the stop ("" for none)."""
    if abbreviations.is_dotted(word):
        return True
    if following == "":
        return False
    if word in abbreviations.BEFORE_NUMBERS:
        return following[0].isdigit()
    return word.rpartition("-")[2] in _ATTACHED or (len(word) == 1 and word.isalpha())
