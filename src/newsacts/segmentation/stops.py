"""Cuts a stretch of text into sentences behind the stops (. ! ? … and their kin) that end one.

A stop counts when white space or the end is behind it and the quotes and brackets that it closes; 。！？ need no
white space. Whether it ends a sentence is for `verdict` to say. Every step of the scan takes what it has looked
at, so the time is linear in the length of the text.
"""

import re
from collections.abc import Iterator

from newsacts.segmentation.register import Register
from newsacts.segmentation.verdict import Stop, ends_sentence

# The character class stands first so that the search skips to it, and possessive repeats never step back.
_STOP = re.compile(
    r"""
    (?P<mark>
        [.!?…؟۔।。！？] (?<![.!?…؟۔।。！？].)      # only the first of a run; the rest is not tried again
        (?: (?<=\.)(?:[ ]\.){2,5} | [.!?…؟۔।。！？]*+ )
    )
    (?P<wide> (?<=[。！？]) )?
    (?P<close> ["'”’»)\]}」』）]*+ )
    (?(wide) \s*+ | (?: \s++ | \Z | (?=[A-Z][a-z]{0,15}\s) ) )
    """,
    re.VERBOSE,
)
_CLOSERS = frozenset(")]}”»’\"'")
_FREE_CLOSER = re.compile(r"(?:''|[)\]}”»’\"])(?:\s++|\Z)")


def find_sentences(text: str, start: int, end: int, register: Register) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each sentence of text[start:end], which must be stripped and not empty."""
    begin = start
    quotes, counted_to = 0, start
    for match in _STOP.finditer(text, start, end):
        stop = Stop(match.start(), match.end("mark"), match.end("close"), match.end())
        if stop.next < end and text[stop.next] in _CLOSERS:
            quotes += text.count('"', counted_to, stop.next)
            counted_to = stop.next
            stop = _absorb_closers(text, stop, end, quote_is_open=quotes % 2 == 1)
        if ends_sentence(text, begin, stop, end, register):
            yield begin, stop.close_end
            begin = stop.next
    yield begin, end


def _absorb_closers(text: str, stop: Stop, end: int, *, quote_is_open: bool) -> Stop:
    """Take the free-standing closers behind the stop into it: `he left . )`, `we regret it . ''`."""
    while match := _FREE_CLOSER.match(text, stop.next, end):
        if text[stop.next] == '"':
            if not quote_is_open:
                break
            quote_is_open = False
        stop = stop._replace(close_end=stop.next + len(match[0].rstrip()), next=match.end())
    return stop
