"""A small corpus as files of many formats, and a reading of it, for claims about bulk runs."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.readers import read_articles
from newsacts.bulk.sources import Inputs
from newsacts.data.tables import Reject
from newsacts.records import Article

ROWS: list[dict[str, Any]] = [
    {
        "id": f"a{number}",
        "text": f'The mayor, "{number}", denied it.\nRain fell.',
        "title": "Mill",
        "date": "2017-05-01",
        "source": "Wire",
    }
    for number in range(7)
]


def read(*inputs: Path | str, **options: Any) -> tuple[list[Article], list[Reject]]:
    chosen = BulkSettings(**options)
    found = Inputs(tuple(map(str, inputs)), chosen.input_format)
    rows = list(read_articles(found, chosen.make_field_reader(), Meter()))
    return [row for row in rows if isinstance(row, Article)], [row for row in rows if isinstance(row, Reject)]


def to_jsonl(rows: list[dict[str, Any]] = ROWS) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def to_delimited(delimiter: str, rows: list[dict[str, Any]] = ROWS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def to_parquet() -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(ROWS), stream)
    return stream.getvalue()


def to_arrow(opener: Callable[..., Any]) -> bytes:
    table, stream = pa.Table.from_pylist(ROWS), io.BytesIO()
    with opener(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    return stream.getvalue()


def to_zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def to_tar(members: dict[str, bytes], mode: Any = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


HALVES = {"one.jsonl": to_jsonl(ROWS[:3]), "inner/two.csv": to_delimited(",", ROWS[3:])}
