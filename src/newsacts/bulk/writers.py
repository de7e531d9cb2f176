"""From a scored shard to the bytes of its files: sentences, articles, rejects, in Parquet, JSONL or CSV.

Pure: nothing touches a disk here. Tables are columns by name, so that all formats say the same. In CSV, a cell that a
spreadsheet would run as a formula gets a quote in front.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from newsacts.bulk.plan import OutputFormat
from newsacts.bulk.scoring import ScoredShard
from newsacts.crosswalk import ONTOLOGIES, find_codes
from newsacts.data.tables import Reject
from newsacts.errors import UsageError
from newsacts.labels import NO_LABEL, LabelScheme

Columns = dict[str, Any]
"""Values by column, all of one length: lists, numpy arrays or Arrow arrays."""

STAGE_COLUMN = "stage"
"""Written with a cascade: "full", or "first" for a sentence that the full model did not read."""
REPEATING = ("article_id", "date", "source", "title", "primary", STAGE_COLUMN, "labels.list.element")
"""Columns worth a dictionary in Parquet."""
PROBABILITY_DIGITS = 6

_FIXED_COLUMNS = (
    "article_id", "date", "source", "sentence_index", "start", "end", "text", "labels", "primary",
)  # fmt: skip
_CODE_COLUMNS = tuple(f"codes_{name}" for name in ONTOLOGIES)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def sentence_columns(scored: ScoredShard, keep: Sequence[str], *, codes: str | None = None) -> Columns:
    """One row a sentence: where it stands, what it says, probabilities, labels, their codes, columns passed through."""
    articles = [scored.shard.articles[owner] for owner in scored.owners]
    numbers = range(len(scored.sentences))
    labels = [scored.name_labels(number) for number in numbers]
    return {
        "article_id": [article.id for article in articles],
        "date": [article.date for article in articles],
        "source": [article.source for article in articles],
        "sentence_index": np.asarray([sentence.index for sentence in scored.sentences], dtype=np.int32),
        "start": np.asarray([sentence.start for sentence in scored.sentences], dtype=np.int32),
        "end": np.asarray([sentence.end for sentence in scored.sentences], dtype=np.int32),
        "text": [sentence.text for sentence in scored.sentences],
        **{f"p_{name}": scored.probabilities[:, column] for column, name in enumerate(scored.scheme.names)},
        "labels": [list(names) for names in labels],
        "primary": [names[0] if names else NO_LABEL for names in labels],
        **({} if scored.reached is None else {STAGE_COLUMN: [scored.name_stage(number) for number in numbers]}),
        **({} if codes is None else {f"codes_{codes}": [list(find_codes(names, codes)) for names in labels]}),
        **{name: [article.extra[name] for article in articles] for name in keep},
    }


def article_columns(scored: ScoredShard) -> Columns:
    """One row an article: sentences by label as number and share, and the first and the strongest of each label."""
    stretches = list(scored.stretches())
    articles = [article for article, _ in stretches]
    columns: Columns = {
        "article_id": [article.id for article in articles],
        "title": [article.title for article in articles],
        "date": [article.date for article in articles],
        "source": [article.source for article in articles],
        "sentences": np.asarray([len(numbers) for _, numbers in stretches], dtype=np.int32),
    }
    for column, name in enumerate(scored.scheme.names):
        counts = [int(scored.decided[numbers.start : numbers.stop, column].sum()) for _, numbers in stretches]
        columns[f"count_{name}"] = np.asarray(counts, dtype=np.int32)
        columns[f"share_{name}"] = (columns[f"count_{name}"] / np.maximum(columns["sentences"], 1)).astype(np.float32)
        found = [_find_first_and_strongest(scored, numbers, column) for _, numbers in stretches]
        for kind, places in zip(("first", "strongest"), zip(*found, strict=True), strict=True):
            sentences = [None if place is None else scored.sentences[place] for place in places]
            columns[f"{kind}_{name}"] = _make_nullable([one and one.index for one in sentences])
            columns[f"{kind}_{name}_text"] = [one and one.text for one in sentences]
    return columns


def require_free_names(keep: Sequence[str], scheme: LabelScheme, *, staged: bool = False) -> None:
    """Raise `UsageError` where a column to keep has the name of a column of ours; `staged` runs have one more."""
    probabilities = [f"p_{name}" for name in scheme.names]
    ours = {*_FIXED_COLUMNS, *_CODE_COLUMNS, *probabilities, *([STAGE_COLUMN] if staged else [])}
    if taken := sorted(ours & set(keep)):
        raise UsageError(f"cannot keep {', '.join(taken)}: the output has columns of that name; rename them first")


def encode_table(columns: Columns, output_format: OutputFormat) -> bytes:
    """A table as the bytes of a file."""
    if output_format == "parquet":
        return _encode_parquet(columns)
    rows = _to_rows(columns)
    return _encode_jsonl(rows) if output_format == "jsonl" else _encode_csv(list(columns), rows)


def encode_rejects(rejects: Sequence[Reject]) -> bytes:
    """Rejects as JSONL, whatever the format of the rest."""
    rows = [{"file": one.path, "row": one.row, "reason": one.reason, "raw": one.raw} for one in rejects]
    # What was rejected may hold half of a surrogate pair, which UTF-8 cannot: ASCII escapes can.
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def neutralise_cell(value: Any) -> Any:
    """The value, with a quote in front where a spreadsheet would run it, or where it looks as if it had got one."""
    # A quote of its own is quoted too: so the reader may take one off, and has what was there.
    return "'" + value if isinstance(value, str) and value.lstrip("'").startswith(_FORMULA_STARTS) else value


def _find_first_and_strongest(scored: ScoredShard, numbers: range, column: int) -> tuple[int | None, int | None]:
    places = np.flatnonzero(scored.decided[numbers.start : numbers.stop, column]) + numbers.start
    if not len(places):
        return None, None
    return int(places[0]), int(places[scored.probabilities[places, column].argmax()])


def _make_nullable(values: Sequence[int | None]) -> Any:
    missing = [value is None for value in values]
    return np.ma.masked_array([value or 0 for value in values], mask=missing, dtype=np.int32)


def _encode_parquet(columns: Columns) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: pa.array(values, type=_arrow_type(name, values)) for name, values in columns.items()})
    buffer = io.BytesIO()
    repeating = [name for name in REPEATING if name.partition(".")[0] in columns]
    parquet.write_table(table, buffer, compression="zstd", use_dictionary=repeating)
    return buffer.getvalue()


def _arrow_type(name: str, values: Any) -> Any:
    """The type of a column, so that a part in which it is empty has the same schema as the others."""
    import pyarrow as pa

    if isinstance(values, np.ndarray):
        return pa.from_numpy_dtype(values.dtype)
    return pa.list_(pa.string()) if name in ("labels", *_CODE_COLUMNS) else pa.string()


def _to_rows(columns: Columns) -> list[dict[str, Any]]:
    plain = {name: _to_plain(values) for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _to_plain(values: Any) -> list[Any]:
    if not isinstance(values, np.ndarray):
        return list(values)
    if values.dtype.kind == "f":
        return [round(value, PROBABILITY_DIGITS) for value in values.tolist()]
    return list(values.tolist())


def _encode_jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _encode_csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    # With both characters in the line end, the writer quotes cells that hold either.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutralise_cell(name) for name in names])
    for row in rows:
        cells = ["|".join(value) if isinstance(value, list) else value for value in row.values()]
        writer.writerow([neutralise_cell(cell) for cell in cells])
    return text.getvalue().encode()
