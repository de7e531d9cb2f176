"""Occlusion: a word weighs what the log-odds lose when it is deleted (Zeiler and Fergus 2014; Li et al. 2016).

Works with every backend, since all it does is classify. A text of n words costs n + 1 classifications. What two words
do only together (each making up for the other) is not seen; `gradients` sees a part of it.
"""

from collections.abc import Iterable, Sequence

from newsacts.calibration import compute_log_odds
from newsacts.explanation.values import Attribution, Explanation, Scorer, choose_labels
from newsacts.explanation.words import find_words

METHOD = "occlusion"
TEXTS_AT_ONCE = 256
"""Texts whose variants are held and classified together: full batches, little memory."""


def occlude_words(scorer: Scorer, texts: Sequence[str], *, labels: Iterable[str] | None = None) -> list[Explanation]:
    """One explanation a text, in order; `labels` None explains every label. Raises `UsageError`."""
    chosen = choose_labels(labels, scorer.scheme)
    explanations: list[Explanation] = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        explanations += _occlude_chunk(scorer, texts[start : start + TEXTS_AT_ONCE], chosen)
    return explanations


def delete_words(text: str, words: Iterable[tuple[int, int]]) -> str:
    """`text` without the given stretches; the white space around them stays."""
    for start, end in sorted(words, reverse=True):
        text = text[:start] + text[end:]
    return text


def _occlude_chunk(scorer: Scorer, texts: Sequence[str], labels: Sequence[str]) -> list[Explanation]:
    words = [find_words(text) for text in texts]
    variants = [
        variant
        for text, places in zip(texts, words, strict=True)
        for variant in (text, *(delete_words(text, [place]) for place in places))
    ]
    log_odds = compute_log_odds(scorer.predict_logits(variants), scorer.scheme, scorer.calibration)
    explanations = []
    row = 0
    for text, places in zip(texts, words, strict=True):
        weights = log_odds[row] - log_odds[row + 1 : row + 1 + len(places)]
        row += 1 + len(places)
        attributions = {name: _attribute(places, weights[:, scorer.scheme.index(name)].tolist()) for name in labels}
        explanations.append(Explanation(text, attributions, METHOD))
    return explanations


def _attribute(places: Sequence[tuple[int, int]], weights: Sequence[float]) -> tuple[Attribution, ...]:
    return tuple(Attribution(start, end, weight) for (start, end), weight in zip(places, weights, strict=True))
