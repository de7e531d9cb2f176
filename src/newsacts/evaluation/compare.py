"""Two models on the same sentences: by how much they differ, how sure that is, and which sentences flipped.

Paired bootstrap over articles (Efron and Tibshirani 1993; for language data Koehn 2004): both models are scored on
the same resampled articles, so that what is hard for both does not blur the difference.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from newsacts.errors import UsageError
from newsacts.evaluation.bootstrap import Counts, find_interval, resample_sums
from newsacts.evaluation.score import Judged, count_by_group, find_f1
from newsacts.labels import LabelScheme


def compare_models(first: Judged, second: Judged, scheme: LabelScheme) -> dict[str, Any]:
    """Differences, second minus first, of micro-F1, macro-F1 and the F1 of each label.

    Each is {"first", "second", "difference", "interval", "second_better"}: the 95 % interval of the difference, and
    the share of resamples in which the second is better (a tie counts half). The macro mean is over labels that both
    have an F1 of ("macro_over"). Raises `UsageError` where the two were not judged on the same gold labels.
    """
    if first.truth.shape != second.truth.shape or not np.array_equal(first.truth, second.truth):
        raise UsageError("two models can be compared on the same sentences and gold labels only; these differ")
    counts = [count_by_group(judged) for judged in (first, second)]
    sums = [resample_sums(one) for one in counts]
    whole = [one.sum(axis=0)[None] for one in counts]
    columns = [
        column for column in range(len(scheme)) if all(np.isfinite(find_f1(one[:, column])).all() for one in whole)
    ]
    labels = {
        scheme.names[column]: _compare([one[:, column] for one in whole], [one[:, column] for one in sums])
        for column in columns
    }
    return {
        "micro_f1": _compare([one.sum(axis=1) for one in whole], [one.sum(axis=1) for one in sums]),
        "macro_f1": _compare([one[:, columns] for one in whole], [one[:, columns] for one in sums]),
        "macro_over": [scheme.names[column] for column in columns],
        "labels": labels,
    }


def find_flips(first: Judged, second: Judged, scheme: LabelScheme) -> list[dict[str, Any]]:
    """Every decision that differs: row, label, whether the second mended or broke it, and both probabilities.

    Largest move of probability first.
    """
    rows, columns = np.nonzero(first.decided != second.decided)
    moves = np.abs(second.probabilities[rows, columns] - first.probabilities[rows, columns])
    return [
        {
            "row": int(rows[place]),
            "label": scheme.names[columns[place]],
            "change": "mended"
            if second.decided[rows[place], columns[place]] == first.truth[rows[place], columns[place]]
            else "broken",
            "first": round(float(first.probabilities[rows[place], columns[place]]), 4),
            "second": round(float(second.probabilities[rows[place], columns[place]]), 4),
        }
        for place in np.argsort(-moves, kind="stable")
    ]


def _compare(whole: Sequence[Counts], sums: Sequence[Counts]) -> dict[str, Any] | None:
    """`whole` and `sums` are those of both models: counts (1, ..., 3) and (resamples, ..., 3)."""
    if not whole[0].size:
        return None
    first, second = (float(_mean_f1(one)[0]) for one in whole)
    if not np.isfinite(second - first):
        return None
    moves = _mean_f1(sums[1]) - _mean_f1(sums[0])
    moves = moves[np.isfinite(moves)]
    return {
        "first": first,
        "second": second,
        "difference": second - first,
        "interval": find_interval(moves),
        "second_better": float(np.mean((moves > 0) + (moves == 0) / 2)) if len(moves) else None,
    }


def _mean_f1(sums: Counts) -> Counts:
    values = find_f1(sums)
    return values if values.ndim == 1 else np.asarray(values.mean(axis=1))
