"""Says whether a stop ends a sentence. The rules, by register:

TOKENISED: a stop that stands free ends a sentence; an ellipsis and a stop that touches a word do not.

PROSE and LOWERED:

- Before a word in lower case the sentence goes on in PROSE, unless a quote opens there; in LOWERED it ends,
  unless a closed quote is attributed ("... it." he said).
- After a title, "vs." and the like it goes on; after "No." before a number too; so it does behind the number
  or letter that heads a list item.
- After an abbreviation that may stand last (U.S., Inc., Jan., Jr., a single letter) it ends only before a
  capitalised sentence starter (The, He, But ...), before a plural subject that a word in lower case follows
  (Shares fell), or where a double quote closes before a capital that is no speaker ("... U.S." Ann Lee said).
  LOWERED knows fewer starters (the, he ...).
- After a.m., p.m. and etc. it ends before any capital but a time zone or a day.
- After an ellipsis it ends before a capital other than I; an ellipsis that stands free, with no stop before
  it, is an omission and ends only before a starter.
- After ! or ? and a closing quote it goes on when a name and a verb of saying follow.
- A forgotten space ends a sentence in PROSE: "parcels.Private firms".
"""

import re
from typing import NamedTuple

from newsacts.segmentation.register import Register
from newsacts.segmentation.words import (
    Effect,
    classify_word,
    is_attributed,
    is_zone_or_day,
    starts_sentence,
)

_FREE_STOP = re.compile(r"[.!?]++(?<!\.\.)(?:\s|\Z)")
_OPENING = re.compile(r"[\"'“”‘’«»„(\[{<¿¡*•·–—\-\s]{1,8}")
_QUOTES = frozenset("\"'“”‘’«»„")
_DOUBLE_QUOTES = frozenset('"”»')
_WIDE_MARKS = frozenset("。！？")
_STOPS_AND_CLOSERS = frozenset(".!?\"'”’")
_NEVER_FIRST = frozenset(".!?…,;:/&%")
_DOMAIN_ENDING = re.compile(r"(?:com|net|org|gov|edu|js|co|io|tv|uk|us|eu)\b", re.IGNORECASE)
_WORD_END = re.compile(r"(?<![\w.])(?<!\w['’])[^\W_][\w.'’]*\Z")
_LONGEST_WORD = 24
_LONGEST_ENUMERATOR = 3
_SHORTEST_WORD_WITHOUT_SPACE = 3


class Stop(NamedTuple):
    """A stop mark text[start:mark_end], what it closes text[mark_end:close_end], and where text goes on."""

    start: int
    mark_end: int
    close_end: int
    next: int


class _Next(NamedTuple):
    """What goes on behind a stop: its first character that is no quote, bracket, dash, bullet or space."""

    position: int
    is_lower: bool
    is_capital: bool
    opens_quote: bool


def ends_sentence(text: str, begin: int, stop: Stop, end: int, register: Register) -> bool:
    """Whether `stop` ends the sentence that begins at `begin`; `end` is the end of the stretch.

    False as well when nothing but the stop stands in the sentence, or nothing but marks behind it.
    """
    if stop.start == begin or stop.next >= end:
        return False
    mark = text[stop.start : stop.mark_end]
    if mark[-1] in _WIDE_MARKS:
        return True
    if register is Register.TOKENISED:
        is_free = text[stop.start - 1].isspace()
        return is_free and not _is_ellipsis(mark) and _FREE_STOP.match(text, stop.next, end) is None
    following = _look_ahead(text, stop.next, end)
    if following is None or text[following.position] in _NEVER_FIRST:
        return False
    return _ends_prose_sentence(text, begin, stop, following, register)


def _is_ellipsis(mark: str) -> bool:
    return "…" in mark or mark.endswith(("..", ". ."))


def _look_ahead(text: str, position: int, end: int) -> _Next | None:
    """Describe what goes on at `position`; None when nothing but opening marks does."""
    opens_quote = False
    if not text[position].isalnum() and (opening := _OPENING.match(text, position, end)):
        opens_quote = not _QUOTES.isdisjoint(opening[0])
        position = opening.end()
        if position >= end:
            return None
    first = text[position]
    # A brand such as iPhone or eBay counts as a capital; so does a letter of a script without cases.
    is_lower = first.islower() and not text[position + 1 : position + 2].isupper()
    return _Next(position, is_lower, first.isalpha() and not is_lower, opens_quote)


def _ends_prose_sentence(text: str, begin: int, stop: Stop, following: _Next, register: Register) -> bool:
    if stop.next == stop.close_end:
        return register is Register.PROSE and _lacks_space(text, begin, stop)
    is_lowered = register is Register.LOWERED
    if text[stop.start : stop.mark_end] == ".":
        return _ends_after_full_stop(text, begin, stop, following, is_lowered=is_lowered)
    return _ends_after_other_mark(text, begin, stop, following, is_lowered=is_lowered)


def _ends_after_full_stop(text: str, begin: int, stop: Stop, following: _Next, *, is_lowered: bool) -> bool:
    if text[stop.start - 1].isspace():
        return True
    closed = text[stop.mark_end : stop.close_end]
    if is_lowered and closed and _is_attributed_quote(text, closed, following, is_lowered=True):
        return False
    effect = classify_word(_find_word(text, begin, stop), is_lowered=is_lowered)
    if effect is Effect.ORDINARY:
        head = text[begin : min(stop.start, begin + _LONGEST_ENUMERATOR + 1)]
        return not _is_enumerator(head) and _ends_after_word(following, is_lowered=is_lowered)
    if effect is Effect.ABBREVIATES_BEFORE_NUMBER:
        return not text[following.position].isdigit() and _ends_after_word(following, is_lowered=is_lowered)
    if effect is Effect.NEVER_ENDS or stop.start == begin + 1:  # one letter alone heads a list item or a name
        return False
    return _ends_after_abbreviation(text, closed, following, effect, is_lowered=is_lowered)


def _ends_after_abbreviation(text: str, closed: str, following: _Next, effect: Effect, *, is_lowered: bool) -> bool:
    if following.is_capital:
        if effect is Effect.ENDS_BEFORE_CAPITAL:
            return not is_zone_or_day(text, following.position)
        if not _DOUBLE_QUOTES.isdisjoint(closed):
            return not is_attributed(text, following.position, is_lowered=is_lowered)
    return starts_sentence(text, following.position, is_lowered=is_lowered)


def _ends_after_other_mark(text: str, begin: int, stop: Stop, following: _Next, *, is_lowered: bool) -> bool:
    mark = text[stop.start : stop.mark_end]
    closed = text[stop.mark_end : stop.close_end]
    if closed and _is_attributed_quote(text, closed, following, is_lowered=is_lowered):
        return False
    if _is_ellipsis(mark):
        return _ends_after_ellipsis(text, stop, following)
    if text[stop.start - 1] == "(":
        return False
    if _find_word(text, begin, stop).lower() == "yahoo":
        return starts_sentence(text, following.position, is_lowered=is_lowered)
    return _ends_after_word(following, is_lowered=is_lowered)


def _ends_after_ellipsis(text: str, stop: Stop, following: _Next) -> bool:
    if not following.is_capital:
        return False
    position = following.position
    is_omission = text[stop.start - 1].isspace() and text[stop.start - 2] not in _STOPS_AND_CLOSERS
    closes_nothing = stop.mark_end == stop.close_end
    if (is_omission or closes_nothing) and text[position] == "I" and not text[position + 1 : position + 2].isalnum():
        return False
    return not is_omission or starts_sentence(text, position, is_lowered=False)


def _ends_after_word(following: _Next, *, is_lowered: bool) -> bool:
    return is_lowered or following.opens_quote or not following.is_lower


def _is_attributed_quote(text: str, closed: str, following: _Next, *, is_lowered: bool) -> bool:
    return not _QUOTES.isdisjoint(closed) and is_attributed(text, following.position, is_lowered=is_lowered)


def _is_enumerator(head: str) -> bool:
    return len(head) <= _LONGEST_ENUMERATOR and head.isdigit()


def _lacks_space(text: str, begin: int, stop: Stop) -> bool:
    """Whether a stop that touches a capitalised word is a sentence end whose space was forgotten."""
    if _DOMAIN_ENDING.match(text, stop.next):
        return False
    word = _find_word(text, begin, stop)
    is_word = len(word) >= _SHORTEST_WORD_WITHOUT_SPACE and word.isalpha() and word.islower()
    return is_word and stop.mark_end == stop.start + 1


def _find_word(text: str, begin: int, stop: Stop) -> str:
    """Return the word that the stop touches, without what a bracket, quote or hyphen parts from it."""
    before = text[max(begin, stop.start - _LONGEST_WORD) : stop.start]
    if before[-1].isspace():
        return ""
    token = before.rsplit(None, 1)[-1]
    if token.isalpha():
        return token
    match = _WORD_END.search(token)
    return "" if match is None else match[0]
