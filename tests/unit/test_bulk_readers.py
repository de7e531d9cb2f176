"""Claims about reading corpora: every format and every way to name input says the same."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from newsacts.bulk.fields import FieldNames
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.readers import read_articles
from newsacts.bulk.sources import Inputs
from newsacts.errors import DataError, UsageError
from newsacts.records import Article
from tests.unit.corpus_files import HALVES, ROWS, read, to_arrow, to_delimited, to_jsonl, to_parquet, to_tar, to_zip

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
    (article,), _ = read(path, fields=FieldNames(text="lead"), keep=("Body",))
    assert (article.text, article.extra) == ("Snow fell.", {"Body": "Rain fell."})


def test_a_choice_of_columns_is_kept_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"body": "Rain."}\n')
    chosen = BulkSettings().make_field_reader()
    list(read_articles(Inputs((str(tmp_path),)), chosen, Meter()))
    (choice,) = chosen.choices["text"]
    assert (choice.value, choice.reason) == ("body", "the first of text, body, content among the columns")


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
