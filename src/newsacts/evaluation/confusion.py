"""Which act is taken for which: counts of gold acts against predicted acts, where a sentence may carry several."""

import numpy as np

from newsacts.evaluation.score import Judged
from newsacts.labels import NO_LABEL, LabelScheme


def count_confusions(judged: Judged, scheme: LabelScheme) -> dict[str, dict[str, int]]:
    """A row for each gold act and for "none", with a count for each predicted act and for "none".

    Row a, column a: sentences of act a that were given it. Row a, column b: sentences of act a that were given b,
    which is not theirs, whether or not a was given too. Row a, column none: sentences of act a that were given no
    act. A sentence with several acts stands in several rows, so rows do not add up to the sentences; row none and
    exclusive schemes are a plain confusion matrix but for several wrong acts at once.
    """
    truth, decided = judged.truth, judged.decided
    invented = decided & ~truth
    empty = ~decided.any(axis=1)
    gold_rows = [*truth.T, ~truth.any(axis=1)]
    names = (*scheme.names, NO_LABEL)
    rows: dict[str, dict[str, int]] = {}
    for name, rows_of_act in zip(names, gold_rows, strict=True):
        counts = invented[rows_of_act].sum(axis=0)
        cells = {other: int(counts[column]) for column, other in enumerate(scheme.names)}
        if name != NO_LABEL:
            column = scheme.index(name)
            cells[name] = int(np.sum(truth[:, column] & decided[:, column]))
        rows[name] = cells | {NO_LABEL: int(np.sum(rows_of_act & empty))}
    return rows
