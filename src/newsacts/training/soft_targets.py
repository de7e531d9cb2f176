"""Sentences with soft targets: what a teacher, not a reader, says of them, as probabilities.

A file of soft targets is JSONL with `text` and `probabilities` (an object with a number for every label of the
scheme), which is what `newsacts classify --format jsonl` writes. Training on them is distillation (Hinton et al.
2015): one small model learns from the scores of a larger one, or of several.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsacts.data.splits import normalise_text
from newsacts.data.tables import RawRow, open_tables
from newsacts.errors import DataError
from newsacts.labels import LabelScheme


@dataclass(frozen=True, slots=True)
class SoftExample:
    """A sentence with one probability for each label, in scheme order."""

    text: str
    probabilities: tuple[float, ...]


def load_soft_examples(path: str | Path, scheme: LabelScheme) -> list[SoftExample]:
    """Read a file of soft targets. Raises `DataError` with file and row for the first row that is no good."""
    examples = []
    for table in open_tables(path, ("text", "probabilities")):
        for row in table.rows:
            try:
                if not isinstance(row, RawRow):
                    raise DataError(row.reason)
                examples.append(_read_row(row.values, scheme))
            except DataError as fault:
                raise DataError(fault.reason, path=table.path, row=row.row) from fault.__cause__
    if not examples:
        raise DataError("there are no rows, expected sentences with probabilities", path=path)
    return examples


def drop_known(examples: Sequence[SoftExample], known: Sequence[str]) -> list[SoftExample]:
    """The examples whose text, normalised, stands neither in `known` nor in an earlier example."""
    seen = {normalise_text(text) for text in known}
    kept = []
    for example in examples:
        key = normalise_text(example.text)
        if key not in seen:
            seen.add(key)
            kept.append(example)
    return kept


def _read_row(values: Mapping[str, Any], scheme: LabelScheme) -> SoftExample:
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"text is {text!r}, expected a sentence")
    return SoftExample(text, _read_probabilities(values.get("probabilities"), scheme))


def _read_probabilities(value: Any, scheme: LabelScheme) -> tuple[float, ...]:
    if not isinstance(value, Mapping) or set(value) != set(scheme.names):
        raise DataError(f"probabilities is {value!r}, expected a number for each of {', '.join(scheme.names)}")
    numbers = [value[name] for name in scheme.names]
    for name, number in zip(scheme.names, numbers, strict=True):
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
            raise DataError(f"the probability of {name} is {number!r}, expected a number from 0 to 1")
    if scheme.exclusive and not math.isclose(sum(numbers), 1, abs_tol=1e-3):
        raise DataError(f"the probabilities sum to {sum(numbers):.4f}, expected 1 where labels exclude each other")
    return tuple(float(number) for number in numbers)
