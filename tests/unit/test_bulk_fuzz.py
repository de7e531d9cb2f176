"""Claims about broken input in every format and wrapping: a bad row costs itself, damage one file at the most."""

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from newsacts.bulk.plan import BulkSettings
from tests.unit.corpus_files import read, to_jsonl, to_tar, to_zip

FEW = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COUNT = 1000
BAD_BYTES = (b"na\xefve", b"\xff", b"  ", b"")
"""Texts that are none: not UTF-8, or nothing."""
Texts = list[bytes]


def write_jsonl(texts: Texts) -> bytes:
    return b"".join(b'{"id": "%d", "text": "%s"}\n' % pair for pair in enumerate(texts))


def write_delimited(delimiter: bytes) -> Callable[[Texts], bytes]:
    def write(texts: Texts) -> bytes:
        return b"id%stext\n" % delimiter + b"".join(b"%d%s%s\n" % (n, delimiter, text) for n, text in enumerate(texts))

    return write


def build_table(texts: Texts) -> pa.Table:
    # Arrow does not check the bytes of strings that it is told are text, nor do files that other programs wrote.
    column = pa.array([None if text == b"" else text for text in texts], pa.binary()).cast(pa.string(), safe=False)
    return pa.table({"id": pa.array(map(str, range(len(texts))), pa.string()), "text": column})


def write_parquet(texts: Texts) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(build_table(texts), stream)
    return stream.getvalue()


def write_arrow(opener: Callable[..., Any]) -> Callable[[Texts], bytes]:
    def write(texts: Texts) -> bytes:
        stream = io.BytesIO()
        with opener(stream, build_table([]).schema) as writer:
            writer.write_table(build_table(texts), max_chunksize=300)
        return stream.getvalue()

    return write


WRITERS: dict[str, Callable[[Texts], bytes]] = {
    "rows.jsonl": write_jsonl,
    "rows.csv": write_delimited(b","),
    "rows.tsv": write_delimited(b"\t"),
    "rows.parquet": write_parquet,
    "file.arrow": write_arrow(pa.ipc.new_file),
    "stream.arrow": write_arrow(pa.ipc.new_stream),
    "rows.jsonl.gz": lambda texts: gzip.compress(write_jsonl(texts), 1),
    "rows.csv.bz2": lambda texts: bz2.compress(write_delimited(b",")(texts), 1),
    "rows.tsv.xz": lambda texts: lzma.compress(write_delimited(b"\t")(texts), preset=0),
    "rows.jsonl.zst": lambda texts: zstandard.compress(write_jsonl(texts)),
    "rows.zip": lambda texts: to_zip({"rows.csv": write_delimited(b",")(texts)}),
    "rows.tar": lambda texts: to_tar({"rows.parquet": write_parquet(texts)}),
    "rows.tar.gz": lambda texts: to_tar({"rows.jsonl": write_jsonl(texts)}, "w:gz"),
}


@pytest.mark.parametrize("name", WRITERS)
@FEW
@given(bad=st.dictionaries(st.integers(0, COUNT - 1), st.sampled_from(BAD_BYTES), min_size=1, max_size=3))
def test_a_bad_row_among_a_thousand_costs_that_row_alone(name: str, bad: dict[int, bytes], tmp_path: Path) -> None:
    texts = [bad.get(number, b"Rain fell.") for number in range(COUNT)]
    (tmp_path / name).write_bytes(WRITERS[name](texts))
    articles, rejects = read(tmp_path / name)
    assert [int(one.id) for one in articles] == [number for number in range(COUNT) if number not in bad]
    first = 2 if any(mark in name for mark in ("csv", "tsv", "zip")) else 1
    assert [one.row for one in rejects] == [number + first for number in sorted(bad)]
    assert all(one.path.startswith(name) and one.reason for one in rejects)


@FEW
@given(bad=st.dictionaries(st.integers(0, COUNT - 1), st.sampled_from(BAD_BYTES[:2]), min_size=1, max_size=3))
def test_a_bad_document_among_a_thousand_of_a_text_file_costs_itself_alone(
    bad: dict[int, bytes], tmp_path: Path
) -> None:
    documents = [bad.get(number, b"Rain fell.\nSnow fell.") for number in range(COUNT)]
    (tmp_path / "all.txt").write_bytes(b"\n---\n".join(documents))
    articles, rejects = read(tmp_path / "all.txt", separator="---")
    assert [one.id for one in articles] == [f"all.txt#{number + 1}" for number in range(COUNT) if number not in bad]
    assert [(one.path, one.row) for one in rejects] == [("all.txt", number + 1) for number in sorted(bad)]


@FEW
@given(bad=st.dictionaries(st.integers(0, COUNT - 1), st.sampled_from(BAD_BYTES), min_size=1, max_size=3))
def test_a_bad_row_of_a_datasets_folder_costs_that_row_alone(
    bad: dict[int, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("saved")
    (folder / "data-00000-of-00001.arrow").write_bytes(
        write_arrow(pa.ipc.new_stream)([bad.get(number, b"Rain fell.") for number in range(COUNT)])
    )
    (folder / "dataset_info.json").write_text("{}")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    articles, rejects = read(folder)
    assert len(articles) == COUNT - len(bad)
    assert [one.row for one in rejects] == [number + 1 for number in sorted(bad)]


DAMAGED = [name for name in WRITERS if name not in ("rows.jsonl", "rows.csv", "rows.tsv")]


@pytest.mark.parametrize("name", DAMAGED)
@settings(FEW, max_examples=15)
@given(place=st.floats(0, 1), content=st.binary(min_size=1, max_size=9), cut=st.booleans())
def test_damage_anywhere_in_a_file_is_told_and_the_next_file_is_read(
    name: str, place: float, content: bytes, cut: bool, tmp_path: Path
) -> None:
    whole = WRITERS[name]([b"Rain fell on day %d." % number for number in range(50)])
    start = 1 + int(place * (len(whole) - 2))  # a file of no bytes has no rows, and is no damage
    damaged = whole[:start] if cut else whole[:start] + content + whole[start + len(content) :]
    (tmp_path / name).write_bytes(damaged)
    (tmp_path / "whole.jsonl").write_bytes(to_jsonl())
    articles, rejects = read(tmp_path / name, tmp_path / "whole.jsonl")
    rows = [one for one in articles if not one.id.startswith("a")]
    assert len(articles) - len(rows) == len(to_jsonl().splitlines())
    assert len(rows) == 50 or rejects or damaged == whole
    assert all(one.path and one.row >= 1 and one.reason for one in rejects)


def test_a_damaged_header_inside_a_tar_is_told(tmp_path: Path) -> None:
    whole = bytearray(to_tar({"one.jsonl": to_jsonl(), "two.jsonl": to_jsonl()}))
    place = whole.index(b"two.jsonl")
    whole[place : place + 3] = b"\xff\xff\xff"
    (tmp_path / "rows.tar").write_bytes(whole)
    articles, (reject,) = read(tmp_path / "rows.tar")
    assert len(articles) == len(to_jsonl().splitlines())
    assert "damaged header" in reject.reason


def test_the_settings_of_a_run_without_a_separator_take_a_text_file_as_one_article(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_bytes(b"Rain fell.\n---\nna\xefve")
    assert BulkSettings().separator is None
    articles, (reject,) = read(tmp_path / "one.txt")
    assert (articles, reject.row, "line 3" in reject.reason) == ([], 1, True)
