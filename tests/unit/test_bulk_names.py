"""Claims about the names of bulk input: patterns, names that are not UTF-8, pipes; and about reading ahead."""

import io
import os
import queue
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsacts.bulk.run import look_ahead
from newsacts.bulk.sources import Inputs, summarise
from newsacts.errors import DataError
from tests.unit.corpus_files import read, to_zip

LINE = b'{"text": "Rain."}\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.jsonl", "README.md", "sub/b.jsonl", "sub/deep/c.jsonl", "sub/deep/notes.md"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LINE)
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("pattern", "labels", "unknown"),
    [
        ("**", ["a.jsonl", "sub/b.jsonl", "sub/deep/c.jsonl"], 2),
        ("**/*", ["a.jsonl", "sub/b.jsonl", "sub/deep/c.jsonl"], 2),
        ("*", ["a.jsonl", "sub/b.jsonl", "sub/deep/c.jsonl"], 2),
        ("**/*.jsonl", ["a.jsonl", "sub/b.jsonl", "sub/deep/c.jsonl"], 0),
        ("**/deep", ["c.jsonl"], 1),
        ("[aR]*", ["a.jsonl"], 1),
    ],
)
def test_a_pattern_reads_each_file_once_and_counts_unknown_kinds(
    pattern: str, labels: list[str], unknown: int, tree: Path
) -> None:
    found = Inputs((f"{tree}/{pattern}",))
    assert sorted(source.label for source in found.walk()) == labels
    assert found.unknown == unknown
    fsspec = pytest.importorskip("fsspec")
    remote = fsspec.filesystem("memory")
    for path in tree.rglob("*.*"):
        remote.pipe(f"/{tree.parent.name}/{path.relative_to(tree).as_posix()}", LINE)
    again = Inputs((f"memory://{tree.parent.name}/{pattern}",))
    assert len([source.label for source in again.walk()]) == len(labels)
    assert again.unknown == unknown


def test_a_pattern_with_a_named_format_takes_whatever_it_matches(tree: Path) -> None:
    found = Inputs((f"{tree}/sub/deep/*",), input_format="jsonl")
    assert [source.label for source in found.walk()] == ["c.jsonl", "notes.md"]


def test_a_pattern_without_a_file_of_a_known_kind_says_so(tree: Path) -> None:
    with pytest.raises(DataError, match=r"no file to read in .*READ\*: 1 files of unknown kinds; .*--input-format"):
        summarise(Inputs((f"{tree}/READ*",)))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_become_printable(tmp_path: Path) -> None:
    (tmp_path / "plain.jsonl").write_bytes(LINE)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")).write_bytes(LINE)
    with tarfile.open(tmp_path / "t.tar", "w", encoding="latin-1", format=tarfile.GNU_FORMAT) as archive:
        member = tarfile.TarInfo("caf\xe9.jsonl")
        member.size = len(LINE)
        archive.addfile(member, io.BytesIO(LINE))
    assert "caf\\xe9.jsonl" in str(summarise(Inputs((str(tmp_path),)))["first_files"]).replace("\\\\", "\\")
    articles, rejects = read(tmp_path)
    assert [one.id for one in articles] == ["caf\\xe9.jsonl#1", "plain.jsonl#1", "t.tar!caf\\xe9.jsonl#1"]
    assert not rejects


def test_a_zip_whose_names_are_not_what_they_say_is_damage_of_that_file(tmp_path: Path) -> None:
    content = to_zip({"caf\xe9.jsonl": LINE})
    assert zipfile.ZipFile(io.BytesIO(content)).infolist()[0].flag_bits & 0x800  # the name is said to be UTF-8
    (tmp_path / "a.zip").write_bytes(content.replace("\xe9".encode(), b"\xe9\xe9"))
    (tmp_path / "b.jsonl").write_bytes(LINE)
    (article,), (reject,) = read(tmp_path)
    assert (article.id, reject.path) == ("b.jsonl#1", "a.zip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_rows_of_several_pipes_have_ids_of_their_own(tmp_path: Path) -> None:
    pipes = [tmp_path / "one", tmp_path / "two"]
    for pipe in pipes:
        os.mkfifo(pipe)
        threading.Thread(target=pipe.write_bytes, args=(LINE,), daemon=True).start()
    articles, _ = read(*pipes)
    assert [one.id for one in articles] == ["standard input#1", "standard input 2#1"]


def test_items_made_ahead_come_in_order_from_one_thread_with_their_fault() -> None:
    makers = set()

    def make() -> Iterator[int]:
        for number in range(5):
            makers.add(threading.get_ident())
            yield number
        raise queue.Empty("a fault of the input")

    found: list[int] = []
    with pytest.raises(queue.Empty, match="a fault of the input"):
        found.extend(look_ahead(make()))
    assert found == list(range(5))
    assert len(makers) == 1
    assert threading.get_ident() not in makers


def test_whoever_stops_does_not_wait_for_an_item_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsacts.bulk.run.GRACE_SECONDS", 0.1)
    stopped, opened = threading.Event(), threading.Event()

    def wait() -> Iterator[int]:
        yield 1
        opened.wait()

    found = look_ahead(wait(), stopped)
    assert next(found) == 1
    threading.Timer(0.1, stopped.set).start()
    begin = time.monotonic()
    assert list(found) == []
    assert time.monotonic() - begin < 5
    opened.set()
