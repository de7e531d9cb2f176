"""Words as a reader sees them, with exact offsets: what can be deleted, and what weights are told of."""

import unicodedata


def find_words(text: str) -> list[tuple[int, int]]:
    """Start and end of every word of `text`, in order, in Python characters.

    A word is a run without white space, less the punctuation at its ends: "ship's" and "full-scale" are one word,
    a dash or a bracket alone is none. Writing without spaces (Chinese, Thai) is one word a run.
    """
    words: list[tuple[int, int]] = []
    place = 0
    for run in text.split():
        start = text.index(run, place)
        place = end = start + len(run)
        while start < end and _is_punctuation(text[start]):
            start += 1
        while end > start and _is_punctuation(text[end - 1]):
            end -= 1
        if start < end:
            words.append((start, end))
    return words


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
