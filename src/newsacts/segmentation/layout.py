"""Cuts a text at the line breaks that end something: a paragraph, a headline, a bullet, a line of wire copy.

A line break is any of those that `str.splitlines` knows, among them CR LF, form feed and U+2028. The rules:

- A blank line and U+2029 always cut. In tokenised text every line break cuts.
- A line break before a bullet ("- ", "• ") or an enumerator behind a finished line cuts.
- In prose, a line of at least `_SHORT_LINE` characters goes on when the next line starts in lower case.
- Otherwise a line break cuts unless it is a hard wrap: the text is hard-wrapped and the line is full, that is,
  the first word of the next line would not have fitted into the width of the widest line of the block (at most
  `_WIDEST_WRAP`). Where capitals help to tell, `_RAGGED` characters may be missing to that width, but not in the
  first line of a block before a capital, which may be a headline.
- A text counts as hard-wrapped when most of its unfinished lines are full in that sense and, in prose, one
  of them goes on in lower case; without capitals to tell by, at least three lines must be full.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from newsacts.segmentation.register import Register

_SHORT_LINE = 40
_NARROWEST_WRAP = 50
_WIDEST_WRAP = 100
_RAGGED = 20
_FULL_SHARE = 0.6
_FULL_LINES_WITHOUT_CAPITALS = 3

_BULLET = re.compile(r"[-–—*•·‣◦▪►●■]\s")
_ENUMERATOR = re.compile(r"(?:\d{1,3}|[A-Za-z])[.)]\s")
_LINE_FINISHED = re.compile(r"[.!?…:;][\"'”’)\]]{0,3}\Z")


class _Line(NamedTuple):
    start: int
    end: int
    first_word_length: int
    is_finished: bool

    @property
    def length(self) -> int:
        return self.end - self.start


def find_stretches(text: str, register: Register) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each stretch of text that no line break inside it cuts, in order.

    Stretches are stripped of white space, not empty, and cover every character that is not white space.
    """
    blocks = _find_blocks(text)
    if register is Register.TOKENISED:
        for block in blocks:
            yield from ((line.start, line.end) for line in block)
        return
    is_wrapped = _is_hard_wrapped(text, blocks, register)
    for block in blocks:
        start = block[0].start
        for (line, following), is_full in zip(pairwise(block), _find_full(text, block, register), strict=True):
            if not _continues(text, line, following, wraps=is_wrapped and is_full, register=register):
                yield start, line.end
                start = following.start
        yield start, block[-1].end


def _find_blocks(text: str) -> list[list[_Line]]:
    """Group the lines into blocks between blank lines."""
    blocks: list[list[_Line]] = []
    is_open = False
    offset = 0
    for raw in text.splitlines(keepends=True):
        content = raw.strip()
        if content:
            start = offset + len(raw) - len(raw.lstrip())
            end = start + len(content)
            finished = _LINE_FINISHED.search(content, max(0, len(content) - 4)) is not None
            line = _Line(start, end, len(content[:_WIDEST_WRAP].split(None, 1)[0]), finished)
            if is_open:
                blocks[-1].append(line)
            else:
                blocks.append([line])
        is_open = bool(content) and not raw.endswith("\u2029")
        offset += len(raw)
    return blocks


def _find_full(text: str, block: list[_Line], register: Register) -> list[bool]:
    """Say of each line of the block but the last whether it is full."""
    widest = max(line.length for line in block)
    if not _NARROWEST_WRAP <= widest <= _WIDEST_WRAP:
        return [False] * (len(block) - 1)
    full = []
    for line, following in pairwise(block):
        may_be_headline = line is block[0] and not text[following.start].islower()
        missing = 0 if may_be_headline or register is Register.LOWERED else _RAGGED
        full.append(line.length + 1 + following.first_word_length + missing > widest)
    return full


def _is_hard_wrapped(text: str, blocks: list[list[_Line]], register: Register) -> bool:
    unfinished = full = full_before_lower_case = 0
    for block in blocks:
        for (line, following), is_full in zip(pairwise(block), _find_full(text, block, register), strict=True):
            if not line.is_finished:
                unfinished += 1
                full += is_full
                full_before_lower_case += is_full and text[following.start].islower()
    if register is Register.LOWERED:
        return full >= max(_FULL_LINES_WITHOUT_CAPITALS, unfinished * _FULL_SHARE)
    return full_before_lower_case > 0 and full >= unfinished * _FULL_SHARE


def _continues(text: str, line: _Line, following: _Line, *, wraps: bool, register: Register) -> bool:
    if _BULLET.match(text, following.start):
        return False
    if line.is_finished and _ENUMERATOR.match(text, following.start):
        return False
    starts_lower = register is Register.PROSE and text[following.start].islower()
    return wraps or (starts_lower and line.length >= _SHORT_LINE and not line.is_finished)
