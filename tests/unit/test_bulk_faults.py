"""Claims about reading faulty corpora: a bad row costs that row alone, a damaged file that file alone."""

import bz2
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from newsacts.errors import DataError
from tests.unit.corpus_files import HALVES, ROWS, read, to_arrow, to_jsonl, to_parquet, to_tar, to_zip

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_file_without_a_text_column_is_one_reject_that_names_the_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,story\n1,Rain\n2,Snow\n")
    (tmp_path / "b.jsonl").write_bytes(to_jsonl())
    articles, (reject,) = read(tmp_path)
    assert len(articles) == len(ROWS)
    assert reject.path == "a.csv"
    assert "'id', 'story'" in reject.reason
    assert "--text-field" in reject.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.jsonl.gz", gzip.compress(to_jsonl())[:-12]),
        ("cut.jsonl.zst", zstandard.compress(to_jsonl())[:-6]),
        ("cut.jsonl.xz", lzma.compress(to_jsonl())[:-20]),
        ("cut.jsonl.bz2", bz2.compress(to_jsonl())[:-12]),
        ("none.jsonl.gz", b"no gzip at all"),
        ("cut.parquet", to_parquet()[:200]),
        ("cut.arrow", to_arrow(pa.ipc.new_file)[:300]),
        ("cut.zip", to_zip(HALVES)[:80]),
        ("cut.tar.gz", to_tar(HALVES, "w:gz")[:100]),
        ("utf16.jsonl", to_jsonl().decode().encode("utf-16")),
    ],
)  # fmt: skip
def test_a_damaged_file_is_a_reject_and_the_next_file_is_read(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "whole.jsonl").write_bytes(to_jsonl())
    articles, rejects = read(tmp_path)
    assert [one.id for one in articles][-len(ROWS) :] == [row["id"] for row in ROWS]
    assert any(reject.path.startswith(name) and reject.reason for reject in rejects)


def test_an_error_of_the_disk_stops_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.jsonl").write_bytes(to_jsonl())

    class Failing(io.BytesIO):
        def readline(self, *_: Any) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("newsacts.bulk.sources.Source.open", lambda _: Failing())
    with pytest.raises(DataError, match=r"rows.jsonl: reading failed: Input/output error; nothing is lost"):
        read(tmp_path)


BAD_JSON = [
    b'{"text": "cut', b"[1, 2]", b"17", b"null", b'{"id": "x"}', b'{"text": null}', b'{"text": 3}', b'{"text": "  "}',
    b'{"text": "\\ud83d"}', b'{"text": "na\xefve"}', b'{"text": "a", "text": "b"}', b'{"text": "a", "id": []}',
    b'{"text": "a", "title": {"b": 1}}', b"[" * 5000, b"\x00", b"{}{}",
]  # fmt: skip


@QUIET
@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(BAD_JSON)), min_size=1, max_size=3))
def test_a_bad_json_row_among_a_thousand_costs_that_row_alone(tmp_path: Path, bad: list[tuple[int, bytes]]) -> None:
    lines = [b'{"id": "%d", "text": "Rain fell.", "title": "Mill"}' % number for number in range(1000)]
    places = {place: line for place, line in bad}  # noqa: C416 - the last line for a place wins
    for place, line in places.items():
        lines[place] = line
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(lines))
    articles, rejects = read(tmp_path)
    assert [int(one.id) for one in articles] == [number for number in range(1000) if number not in places]
    assert [(one.path, one.row) for one in rejects] == [("rows.jsonl", place + 1) for place in sorted(places)]
    assert all(one.reason for one in rejects)


BAD_CSV = [
    b"too few", b"one,too,many", b'5,"never closed', b'5,"stray" quote', b'"5,Rain', b"5,na\xefve", b"5,   ",
    b'5,"a\xff', b'"', b'5,"x"y"', b",",
]  # fmt: skip


@QUIET
@given(
    st.lists(st.tuples(st.integers(0, 996), st.sampled_from(BAD_CSV)), min_size=1, max_size=3),
    st.booleans(),
)
def test_a_bad_csv_row_among_a_thousand_costs_that_row_alone(
    tmp_path: Path, bad: list[tuple[int, bytes]], quoted: bool
) -> None:
    form = b'%d,"Rain, then ""snow"" fell."' if quoted else b"%d,Rain fell."
    lines = [form % number for number in range(1000)]
    # Bad rows stand apart: three good ones behind each show that the lines behind it are rows.
    places = {place - place % 5: line for place, line in bad}
    # An open quote and a later one that closes it make one well-formed record of many lines, and no broken rows.
    assume(sum(line.count(b'"') % 2 for line in places.values()) <= 1)
    for place, line in places.items():
        lines[place] = line
    (tmp_path / "rows.csv").write_bytes(b"id,text\n" + b"\n".join(lines) + b"\n")
    articles, rejects = read(tmp_path)
    assert [int(one.id) for one in articles] == [number for number in range(1000) if number not in places]
    assert [(one.path, one.row) for one in rejects] == [("rows.csv", place + 2) for place in sorted(places)]
    assert all(one.reason for one in rejects)


@QUIET
@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from(["x.jsonl", "x.csv", "x.tsv", "x.txt"]))
def test_no_bytes_stop_the_reading(tmp_path: Path, lines: list[bytes], name: str) -> None:
    (tmp_path / name).write_bytes(b"\n".join(lines))
    articles, rejects = read(tmp_path / name)
    assert all(one.text.strip() for one in articles)
    assert all(one.path == name and one.row >= 1 and one.reason for one in rejects)


def test_a_bad_row_of_parquet_costs_that_row_alone(tmp_path: Path) -> None:
    texts = pa.array([b"Rain.", b"na\xefve", b"Snow.", None, b" "], type=pa.binary()).cast(pa.string(), safe=False)
    parquet.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet")
    articles, rejects = read(tmp_path)
    assert [one.id for one in articles] == ["rows.parquet#1", "rows.parquet#3"]
    assert [(one.row, one.reason[:16]) for one in rejects] == [
        (2, "expected UTF-8, "),
        (4, "expected text in"),
        (5, "expected text in"),
    ]


def test_a_csv_record_over_several_lines_stays_one_row_beside_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id,text\n1,"a\nb,c\n\nd"\n2,"bad" row\n3,"e\n""f"""\n')
    articles, (reject,) = read(tmp_path)
    assert [(one.id, one.text) for one in articles] == [("1", "a\nb,c\n\nd"), ("3", 'e\n"f"')]
    assert reject.row == 6


def test_a_row_beyond_the_limit_is_passed_over_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsacts.bulk.lines.MAX_ROW_BYTES", 1 << 20)
    (tmp_path / "rows.jsonl").write_bytes(b'{"text": "Rain."}\n' + b"x" * (3 << 20) + b'\n{"text": "Snow."}\n')
    articles, (reject,) = read(tmp_path)
    assert [one.id for one in articles] == ["rows.jsonl#1", "rows.jsonl#3"]
    assert (reject.row, "longer than 1 MiB" in reject.reason, len(reject.raw)) == (2, True, 200)
