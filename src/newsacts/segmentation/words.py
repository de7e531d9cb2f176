"""What the words around a stop say about it: abbreviations before it, sentence starters and speakers behind."""

import re
from enum import Enum, auto

from newsacts import abbreviations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STARTERS = _words(
    """
    a about according across after against all also although among an and another any as at because before both
    but by despite during each earlier either even every few for from had has have he her here hers his how
    however i if in instead is it its just last later like many meanwhile more most my neither no nor not nothing
    now of on once only or other our over separately several she since so some still such that the their then
    there these they this those though through to two unlike until we what when where whether which while who
    why with without yet you your
    """
)
_LOWERED_STARTERS = _words("he however i it meanwhile she the there they we")
_PLURAL_SUBJECTS = _words(
    """
    aides analysts authorities bonds critics customers diplomats economists employees executives experts
    governments investigators investors journalists judges lawmakers lawyers markets negotiators officers
    officials opponents people police politicians profits prosecutors protesters regulators rescuers residents
    revenues rivals sales shareholders shares sources spokespeople stocks supporters traders unions voters
    witnesses workers
    """
)
_ZONES_AND_DAYS = _words(
    """
    bst cet cst ct edt est et gmt ist jst mdt mst mt pdt pst pt utc eastern central mountain pacific local
    monday tuesday wednesday thursday friday saturday sunday
    """
)

_WORD = re.compile(r"[^\W\d_]{1,16}(?![\w.\-])")
_ZONE_OR_DAY = re.compile(r"[^\W\d_]{1,16}(?!\.?[\w\-])(?P<stop>\.)?")
_SHORTEST_FULL_NAME = 5
_NEXT_LETTER = re.compile(r"\s([^\W\d_])")
_SAYING = (
    r"(?:said|says|asked|asks|added|adds|told|wrote|writes|tweeted|replied|responded|shouted|declared|insisted"
    r"|argued|warned|continued|explained|remarked|demanded|wondered|chanted|yelled|joked|recalled|noted)\b"
)
_NAMED_SPEAKER = re.compile(r"(?:[A-Z][\w.'’-]{0,30}\s){1,4}" + _SAYING)
_LOWERED_SPEAKER = re.compile(r"(?:(?:he|she|it|they|we|i|(?:mr|mrs|ms|dr)\s\w{1,30})\s)?" + _SAYING)


class Effect(Enum):
    """What the word before a full stop says about it."""

    ORDINARY = auto()
    NEVER_ENDS = auto()
    ABBREVIATES_BEFORE_NUMBER = auto()
    MAY_END = auto()
    ENDS_BEFORE_CAPITAL = auto()


def _tabulate_effects() -> dict[str, Effect]:
    groups = {
        Effect.NEVER_ENDS: abbreviations.TITLES | abbreviations.CONNECTORS,
        Effect.ABBREVIATES_BEFORE_NUMBER: abbreviations.BEFORE_NUMBERS,
        Effect.ENDS_BEFORE_CAPITAL: abbreviations.CLOSING,
        Effect.MAY_END: abbreviations.MONTHS
        | abbreviations.COMPANIES
        | abbreviations.NAME_ENDINGS
        | abbreviations.STATES
        | abbreviations.WORDLIKE_STATES,
    }
    return {word: effect for effect, words in groups.items() for word in words}


_EFFECTS = _tabulate_effects()
_CAPITALISED = abbreviations.STATES | abbreviations.MONTHS | abbreviations.TITLES


def classify_word(word: str, *, is_lowered: bool) -> Effect:
    """Say what `word`, which stands before a full stop and is written without it, makes of that stop.

    `is_lowered`: the text has no capitals, so that titles, months and most states are known without one.
    """
    key = word.lower()
    effect = _EFFECTS.get(key)
    if effect is None:
        is_letter = len(word) == 1 and word.isalpha()
        return Effect.MAY_END if is_letter or abbreviations.is_dotted(word) else Effect.ORDINARY
    if word[0].isupper():
        return effect
    lacks_capital = key in abbreviations.WORDLIKE_STATES or (key in _CAPITALISED and not is_lowered)
    return Effect.ORDINARY if lacks_capital else effect


def starts_sentence(text: str, position: int, *, is_lowered: bool) -> bool:
    """Whether the word at `position` is one that starts a sentence rather than goes on with a name."""
    match = _WORD.match(text, position)
    if match is None:
        return False
    word = match[0]
    if is_lowered:
        return word in _LOWERED_STARTERS and _LOWERED_SPEAKER.match(text, position) is None
    if not word[0].isupper() or not (len(word) == 1 or word[1:].islower()):
        return False
    if word.lower() in _STARTERS:
        return True
    following = _NEXT_LETTER.match(text, match.end())
    return word.lower() in _PLURAL_SUBJECTS and following is not None and following[1].islower()


def is_zone_or_day(text: str, position: int) -> bool:
    """Whether a time zone or a day of the week stands at `position` ("5 p.m. GMT", "10 a.m. Monday.")."""
    match = _ZONE_OR_DAY.match(text, position)
    if match is None:
        return False
    word = text[position : match.start("stop")] if match["stop"] else match[0]
    # "Mt." and "Pt." are parts of names, where "MT." and "PT." are zones.
    is_name = match["stop"] is not None and len(word) < _SHORTEST_FULL_NAME and not word.isupper()
    return word.lower() in _ZONES_AND_DAYS and not is_name


def is_attributed(text: str, position: int, *, is_lowered: bool) -> bool:
    """Whether a speaker and a verb of saying stand at `position`, as behind a quote: "Why?" Ann Lee asked."""
    pattern = _LOWERED_SPEAKER if is_lowered else _NAMED_SPEAKER
    return pattern.match(text, position) is not None
