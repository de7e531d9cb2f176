"""Labelled sentences as files of every accepted format, for claims about loading."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from newsacts.records import Example

WARNING = "The mayor warned the harbour board."
APOLOGY = "The harbour board apologised for the flood."


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def json_lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_flat_text(examples: list[Example], delimiter: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow(["id", "text", "labels", "group", "split"])
    for one in examples:
        writer.writerow([one.id, one.text, "|".join(one.labels), one.group, one.split or ""])
    return stream.getvalue()


def as_records(examples: list[Example]) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "text": one.text, "labels": list(one.labels), "group": one.group, "split": one.split}
        for one in examples
    ]


def as_parquet(examples: list[Example]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    fields = {"id": pa.string(), "text": pa.string(), "labels": pa.list_(pa.string()), "group": pa.string()}
    schema = pa.schema({**fields, "split": pa.string()})
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(as_records(examples), schema=schema), sink)
    return sink.getvalue()


def compressed_zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


FORMATS: dict[str, Callable[[list[Example]], bytes]] = {
    "rows.jsonl": lambda examples: json_lines(*as_records(examples)).encode(),
    "rows.csv": lambda examples: as_flat_text(examples, ",").encode(),
    "rows.tsv": lambda examples: as_flat_text(examples, "\t").encode(),
    "rows.jsonl.gz": lambda examples: gzip.compress(json_lines(*as_records(examples)).encode()),
    "rows.csv.zst": lambda examples: compressed_zstd(as_flat_text(examples, ",").encode()),
    "rows.TSV.GZ": lambda examples: gzip.compress(as_flat_text(examples, "\t").encode()),
    "rows.parquet": as_parquet,
}
