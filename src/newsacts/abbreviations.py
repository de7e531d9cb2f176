"""English abbreviations that end in a full stop, grouped by what the stop means. Values only.

Words are lower-case and written without their last full stop ("mr", "p.m"). `segmentation` asks these sets
whether a stop ends a sentence, `registers` whether a stop stays on its word. Dotted abbreviations ("u.s",
"ph.d") and single letters ("j") are recognised by their shape and are not listed.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES = _words(
    "adm amb brig capt cmdr cmdt col cpl dr ft gen gov hon insp lt maj messrs mlle mme mr mrs ms mt mx prof pres "
    "pvt rep reps rev sen sens sgt supt"
)
"""Stand before a name, so their stop never ends a sentence."""

CONNECTORS = _words("cf e.g i.e v viz vs")
"""Stand between two things, so their stop never ends a sentence."""

BEFORE_NUMBERS = _words("art ch fig figs no nos para pp sec vol")
"""Abbreviations only when a number follows ("no. 10"); else ordinary words."""

MONTHS = _words("jan feb mar apr jun jul aug sep sept oct nov dec")

COMPANIES = _words("assn bros cie co corp dept inc ltd mfg plc univ")

NAME_ENDINGS = _words("al ave blvd esq hwy jr rd sr st")
"""Stand after a name, so their stop may end a sentence."""

STATES = _words("ala ariz calif colo conn fla kan ky mich minn neb nev okla penn tenn va vt wis wyo")

WORDLIKE_STATES = _words("ark del ga ill ind la mass md miss mo mont ore pa tex wash")
"""Abbreviations only with a capital: in lower case they are words or parts of words."""

CLOSING = _words("a.m etc p.m")
"""Seldom stand before a name, so a capital after them starts a sentence."""

_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")


def is_dotted(word: str) -> bool:
    """Whether the word, without its last stop, has the shape of a dotted abbreviation: "u.s", "Ph.D"."""
    return "." in word and _DOTTED.fullmatch(word) is not None
