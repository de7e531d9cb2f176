"""Are the words of an explanation those that the model uses? Deletion against chance (ERASER, DeYoung et al. 2020).

The k words that weigh most are deleted, and, for comparison, k words drawn at random from the same sentence. A
faithful explanation lowers the probability more than chance does. This measures the explanation, not the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsacts.calibration import compute_probabilities
from newsacts.errors import UsageError
from newsacts.explanation.occlusion import delete_words
from newsacts.explanation.values import Explanation, Scorer
from newsacts.explanation.words import find_words


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Mean fall of the probability over `sentences`, by deleting `deleted` words each.

    `top_fall` for the words that weigh most, `random_fall` for random ones; `wins` is the share of sentences in
    which the first is the larger.
    """

    sentences: int
    deleted: int
    top_fall: float
    random_fall: float
    wins: float


def measure_faithfulness(
    scorer: Scorer,
    explained: Sequence[tuple[Explanation, str]],
    *,
    deleted: int = 2,
    draws: int = 5,
    seed: int = 0,
) -> Faithfulness:
    """Delete words of each explanation for the label that stands with it; random ones are drawn `draws` times.

    Sentences of no more than `deleted` words say nothing and are left out of the count; `UsageError` where none is
    longer.
    """
    generator = np.random.default_rng(seed)
    texts: list[str] = []
    columns: list[int] = []
    for explanation, label in explained:
        words = find_words(explanation.text)
        if len(words) <= deleted:
            continue
        ranked = sorted(explanation.attributions[label], key=lambda word: -word.weight)[:deleted]
        texts += [explanation.text, delete_words(explanation.text, [(word.start, word.end) for word in ranked])]
        for _ in range(draws):
            picked = generator.choice(len(words), size=deleted, replace=False)
            texts.append(delete_words(explanation.text, [words[number] for number in picked]))
        columns.append(scorer.scheme.index(label))
    if not columns:
        raise UsageError(f"no text has more than {deleted} words, so that none can be compared with random deletion")
    probabilities = compute_probabilities(scorer.predict_logits(texts), scorer.scheme, scorer.calibration)
    table = probabilities.reshape(len(columns), 2 + draws, len(scorer.scheme)).astype(np.float64)
    own = table[np.arange(len(columns)), :, columns]
    top, random = own[:, 0] - own[:, 1], own[:, 0] - own[:, 2:].mean(axis=1)
    return Faithfulness(len(columns), deleted, float(top.mean()), float(random.mean()), float((top > random).mean()))
