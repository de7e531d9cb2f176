"""Splits an article into sentences with exact character offsets.

The steps, each linear in the length of the text:

1. `register` decides once how the text is written: prose, lower-cased prose, or tokenised wire copy.
2. `layout` cuts at the line breaks that end a headline, a bullet or a paragraph, not at hard wraps.
3. `stops` cuts each stretch behind the full stops, question and exclamation marks that end a sentence.
4. A sentence longer than `MAX_SENTENCE_CHARACTERS` is cut at the last white space before that length, or
   exactly there when it has no white space (which may part a letter from its combining mark).

Left out: languages whose abbreviations are not English are split by the same rules; a full stop that a writer
forgot is not guessed; white space and control characters stay as they are.
"""

from collections.abc import Iterator

from newsacts.records import Sentence
from newsacts.segmentation.layout import find_stretches
from newsacts.segmentation.register import detect_register
from newsacts.segmentation.stops import find_sentences

__all__ = ["MAX_SENTENCE_CHARACTERS", "split_sentences"]

MAX_SENTENCE_CHARACTERS = 4_000


def split_sentences(text: str, *, article_id: str = "") -> list[Sentence]:
    """Split `text` into its sentences, in order; an empty or blank text gives an empty list.

    Every sentence satisfies `text[s.start:s.end] == s.text`, is not empty, has no outer white space and at
    most `MAX_SENTENCE_CHARACTERS` characters. Sentences do not overlap, and together they cover every
    character that is not white space (`str.isspace`). A quote or bracket that closes after a stop belongs to
    the sentence it closes. No input raises.
    """
    register = detect_register(text)
    sentences: list[Sentence] = []
    for stretch_start, stretch_end in find_stretches(text, register):
        for start, end in find_sentences(text, stretch_start, stretch_end, register):
            if end - start <= MAX_SENTENCE_CHARACTERS:
                sentences.append(Sentence(article_id, len(sentences), start, end, text[start:end]))
            else:
                for first, last in _cut_to_length(text, start, end):
                    sentences.append(Sentence(article_id, len(sentences), first, last, text[first:last]))
    return sentences


def _cut_to_length(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_SENTENCE_CHARACTERS:
        # One character more than fits: white space right behind a full piece is a clean cut too.
        window = text[start : start + MAX_SENTENCE_CHARACTERS + 1]
        head = window.rsplit(None, 1)[0] if not window[-1].isspace() else window.rstrip()
        length = min(len(head), MAX_SENTENCE_CHARACTERS)
        yield start, start + length
        start += length
        while text[start].isspace():
            start += 1
    yield start, end
