"""Claims about reading corpora: every format says the same, and a bad row costs that row alone."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from newsacts.bulk.fields import FieldNames
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.readers import read_articles
from newsacts.bulk.sources import Inputs
from newsacts.data.tables import Reject
from newsacts.errors import DataError, UsageError
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
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(*inputs: Path | str, **options: Any) -> tuple[list[Article], list[Reject]]:
    chosen = BulkSettings(**options)
    found = Inputs(tuple(map(str, inputs)), chosen.input_format)
    rows = list(read_articles(found, chosen.make_field_reader(), Meter()))
    return [row for row in rows if isinstance(row, Article)], [row for row in rows if isinstance(row, Reject)]


def to_jsonl(rows: list[dict[str, Any]] = ROWS) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def to_delimited(delimiter: str, rows: list[dict[str, Any]] = ROWS) -> bytes:
    import csv

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
FILES = {
    "rows.jsonl": to_jsonl(),
    "marked.jsonl": b"\xef\xbb\xbf" + to_jsonl().replace(b"\n", b"\r\n"),
    "rows.ndjson": to_jsonl(),
    "rows.csv": to_delimited(","),
    "rows.tsv": to_delimited("\t"),
    "rows.parquet": to_parquet(),
    "file.arrow": to_arrow(pa.ipc.new_file),
    "stream.arrow": to_arrow(pa.ipc.new_stream),
    "rows.jsonl.gz": gzip.compress(to_jsonl()),
    "members.jsonl.gz": gzip.compress(to_jsonl(ROWS[:2])) + gzip.compress(to_jsonl(ROWS[2:])),
    "rows.csv.bz2": bz2.compress(to_delimited(",")),
    "rows.tsv.xz": lzma.compress(to_delimited("\t")),
    "rows.jsonl.zst": zstandard.compress(to_jsonl()),
    "frames.jsonl.zst": zstandard.compress(to_jsonl(ROWS[:2])) + zstandard.compress(to_jsonl(ROWS[2:])),
    "rows.zip": to_zip(HALVES),
    "nested.zip": to_zip({"rows.jsonl.gz": gzip.compress(to_jsonl()), "__MACOSX/._rows.jsonl": b"\x00"}),
    "parquet.zip": to_zip({"rows.parquet": to_parquet()}),
    "rows.tar": to_tar(HALVES),
    "rows.tgz": to_tar(HALVES, "w:gz"),
    "rows.tar.zst": zstandard.compress(to_tar(HALVES)),
    "parquet.tar.xz": lzma.compress(to_tar({"rows.parquet": to_parquet()})),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_articles(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    articles, rejects = read(tmp_path / name)
    assert rejects == []
    assert articles == [Article(**row) for row in ROWS]


def test_a_datasets_folder_gives_the_same_articles_in_a_folder_too(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    halves = {"train": Dataset.from_list(ROWS[:3]), "test": Dataset.from_list(ROWS[3:])}
    DatasetDict(halves).save_to_disk(tmp_path / "corpus" / "saved")
    for place in (tmp_path / "corpus" / "saved", tmp_path / "corpus"):
        articles, rejects = read(place)
        assert (len(rejects), articles) == (0, [Article(**row) for row in ROWS])


def test_a_folder_is_read_in_order_without_hidden_and_unknown_files(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/c.jsonl", "a/.hidden.jsonl", "_SUCCESS.jsonl", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"text": "Rain."}\n')
    found = Inputs((str(tmp_path),))
    assert [source.label for source in found.walk()] == ["a/c.jsonl", "b.jsonl"]
    assert found.unknown == 1
    assert [article.id for article in read(tmp_path)[0]] == ["a/c.jsonl#1", "b.jsonl#1"]


@pytest.mark.parametrize("pack", [to_zip, to_tar])
def test_members_of_archives_are_read_whatever_they_are_called(
    pack: Callable[[dict[str, bytes]], bytes], tmp_path: Path
) -> None:
    names = ["./a.jsonl", "../b.jsonl", "wow!.jsonl", "wow!/_not.jsonl", ".hidden/c.jsonl", "d.jsonl"]
    (tmp_path / "in.archive").write_bytes(pack(dict.fromkeys(names, b'{"text": "Rain."}\n')))
    path = (tmp_path / "in.archive").rename(tmp_path / ("in.zip" if pack is to_zip else "in.tar"))
    articles, rejects = read(path)
    assert [one.id for one in articles] == [f"{path.name}!{names[place]}#1" for place in (0, 1, 2, 5)]
    assert not rejects


def test_a_link_that_leads_back_does_not_go_on_for_ever(tmp_path: Path) -> None:
    (tmp_path / "year").mkdir()
    (tmp_path / "year" / "rows.jsonl").write_bytes(to_jsonl())
    (tmp_path / "year" / "up").symlink_to(tmp_path)
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    assert len(read(tmp_path)[0]) == len(ROWS)


def test_text_files_are_articles_or_parted_by_a_line(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("Rain fell.\n---\nThe mill makes paper.\n")
    assert [(one.id, one.text) for one in read(tmp_path)[0]] == [("one.txt", "Rain fell.\n---\nThe mill makes paper.")]
    articles, _ = read(tmp_path, separator="---")
    assert [(one.id, one.text) for one in articles] == [
        ("one.txt#1", "Rain fell."),
        ("one.txt#2", "The mill makes paper."),
    ]


def test_a_glob_and_a_memory_url_find_files(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    (tmp_path / "x1.jsonl").write_bytes(to_jsonl(ROWS[:2]))
    (tmp_path / "x2.jsonl").write_bytes(to_jsonl(ROWS[2:]))
    assert [one.id for one in read(f"{tmp_path}/x*.jsonl")[0]] == [row["id"] for row in ROWS]
    fsspec.filesystem("memory").pipe("/archive/rows.jsonl.gz", gzip.compress(to_jsonl()))
    assert [one.id for one in read("memory://archive")[0]] == [row["id"] for row in ROWS]


def test_standard_input_is_told_by_its_first_character(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, expected in ((to_jsonl(ROWS[:1]), ROWS[0]["text"]), (b"Rain fell.\n", "Rain fell.")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        assert [one.text for one in read("-")[0]] == [expected]


def test_usual_names_are_found_whatever_their_case_and_named_ones_taken(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("URL,Body,Headline,Published_At,outlet,lead\nu1,Rain fell.,Mill,2017,Wire,Snow fell.\n")
    (article,), _ = read(path)
    assert article == Article("u1", "Rain fell.", "Mill", "2017", "Wire")
    (article,), _ = read(path, fields=FieldNames(text="lead"), keep=("Body", "missing"))
    assert (article.text, article.extra) == ("Snow fell.", {"Body": "Rain fell.", "missing": None})


def test_a_choice_of_columns_is_kept_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"body": "Rain."}\n')
    chosen = BulkSettings().make_field_reader()
    list(read_articles(Inputs((str(tmp_path),)), chosen, Meter()))
    (choice,) = chosen.choices["text"]
    assert (choice.value, choice.reason) == ("body", "the first of text, body, content among the columns")


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


@pytest.mark.parametrize(
    ("inputs", "message"),
    [((), "no input given"), (("gone.jsonl",), "no such file"), (("gone*.jsonl",), "no file matches")],
)
def test_what_is_not_there_is_said(inputs: tuple[str, ...], message: str) -> None:
    with pytest.raises((DataError, UsageError), match=message):
        Inputs(inputs)


def test_the_same_input_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(to_jsonl())
    for twice in ((tmp_path, tmp_path / "a.jsonl"), (tmp_path, tmp_path)):
        with pytest.raises(UsageError, match="count twice"):
            read(*twice)


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
