"""What `load_examples` accepts, what it refuses, and in which words."""

import contextlib
import csv
import gzip
import hashlib
import io
import json
import re
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsacts.data.loaders import ColumnMap, load_examples, write_rejects
from newsacts.data.tables import Reject
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
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

texts = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()))
names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(
    lambda name: bool(name.strip())
)


@st.composite
def example_lists(draw: st.DrawFn) -> list[Example]:
    ids = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    labels = st.lists(st.sampled_from(DEFAULT_SCHEME.names), unique=True).map(tuple)
    return [
        Example(
            id=identifier,
            text=draw(texts),
            labels=draw(labels),
            group=draw(names),
            split=draw(st.none() | st.sampled_from(["train", "dev"])),
        )
        for identifier in ids
    ]


class TestFormats:
    @pytest.mark.parametrize("name", FORMATS)
    @given(examples=example_lists())
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_examples_written_in_any_format_load_equal(self, name: str, examples: list[Example]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder) / name, FORMATS[name](examples))
            assert load_examples(path, DEFAULT_SCHEME).examples == examples

    @pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.tsv"])
    def test_byte_order_mark_is_accepted(self, tmp_path: Path, name: str) -> None:
        examples = [Example("1", WARNING, ("accusation",), "a")]
        path = write(tmp_path / name, b"\xef\xbb\xbf" + FORMATS[name](examples))
        assert load_examples(path, DEFAULT_SCHEME).examples == examples

    @pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.tsv"])
    def test_windows_line_ends_and_a_missing_last_one_are_accepted(self, tmp_path: Path, name: str) -> None:
        examples = [Example("1", WARNING, (), "a"), Example("2", APOLOGY, ("regret",), "a")]
        plain = FORMATS[name](examples).decode().replace("\r\n", "\n").rstrip("\n")
        path = write(tmp_path / name, plain.replace("\n", "\r\n"))
        assert load_examples(path, DEFAULT_SCHEME).examples == examples

    @pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b", "\x1c"])
    @pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
    def test_only_line_feeds_and_returns_end_a_row(self, tmp_path: Path, name: str, separator: str) -> None:
        examples = [Example("1", f"First half,{separator}second half.", (), "a")]
        path = write(tmp_path / name, FORMATS[name](examples))
        assert load_examples(path, DEFAULT_SCHEME).examples == examples

    @pytest.mark.parametrize("name", FORMATS)
    def test_nul_and_control_characters_are_kept_as_data(self, tmp_path: Path, name: str) -> None:
        examples = [Example("1", "The board\x00 said\x07 no\x1b.", (), "a")]
        path = write(tmp_path / name, FORMATS[name](examples))
        assert load_examples(path, DEFAULT_SCHEME).examples == examples

    @pytest.mark.parametrize("name", FORMATS)
    def test_line_of_two_megabytes_loads(self, tmp_path: Path, name: str) -> None:
        examples = [Example("1", "tide " * 400_000, (), "a")]
        path = write(tmp_path / name, FORMATS[name](examples))
        assert load_examples(path, DEFAULT_SCHEME).examples == examples

    def test_text_is_kept_to_the_character(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", json_lines({"text": "  Cafe\u0301  closed \n", "labels": []}))
        assert load_examples(path, DEFAULT_SCHEME).examples[0].text == "  Cafe\u0301  closed \n"

    def test_zstd_file_of_several_frames_loads_whole(self, tmp_path: Path) -> None:
        frames = [compressed_zstd(json_lines({"text": text, "labels": []}).encode()) for text in (WARNING, APOLOGY)]
        path = write(tmp_path / "a.jsonl.zst", b"".join(frames))
        assert [one.text for one in load_examples(path, DEFAULT_SCHEME).examples] == [WARNING, APOLOGY]

    def test_heavy_packages_stay_unloaded_for_text_files(self, tmp_path: Path) -> None:
        import subprocess

        path = write(tmp_path / "a.jsonl", json_lines({"text": WARNING, "labels": []}))
        code = (
            "import sys; from newsacts.data.loaders import load_examples; from newsacts.labels import *;"
            f"load_examples({str(path)!r}, DEFAULT_SCHEME);"
            "print(sorted({'torch', 'datasets', 'pyarrow', 'pandas', 'zstandard'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


class TestFields:
    def load_one(self, tmp_path: Path, row: dict[str, Any], **options: Any) -> Example:
        path = write(tmp_path / "a.jsonl", json_lines(row))
        (example,) = load_examples(path, DEFAULT_SCHEME, **options).examples
        return example

    def test_missing_id_is_the_hash_of_the_text_with_white_space_folded(self, tmp_path: Path) -> None:
        expected = hashlib.sha1(b"The mayor left.", usedforsecurity=False).hexdigest()[:12]
        assert self.load_one(tmp_path, {"text": " The  mayor\tleft. ", "labels": []}).id == expected

    @pytest.mark.parametrize("empty", [None, "", "  "])
    def test_empty_optional_fields_count_as_missing(self, tmp_path: Path, empty: str | None) -> None:
        row: dict[str, Any] = {"text": WARNING, "labels": [], "id": empty, "group": empty, "split": empty}
        assert self.load_one(tmp_path, row) == self.load_one(tmp_path, {"text": WARNING, "labels": []})

    def test_without_a_group_a_sentence_is_its_own_article_whatever_its_id(self, tmp_path: Path) -> None:
        """Row numbers as ids must not tie the first row of one file to the first row of another."""
        first = self.load_one(tmp_path, {"text": WARNING, "labels": [], "id": "1"})
        other = self.load_one(tmp_path, {"text": "The mayor left.", "labels": [], "id": "1"})
        assert first.group != other.group
        assert first.group == self.load_one(tmp_path, {"text": WARNING, "labels": [], "id": "2"}).group

    @pytest.mark.parametrize("alias", ["group", "document", "article", "article_id"])
    def test_group_is_found_under_its_other_names(self, tmp_path: Path, alias: str) -> None:
        assert self.load_one(tmp_path, {"text": WARNING, "labels": [], alias: "d1"}).group == "d1"

    def test_whole_numbers_serve_as_ids_and_groups(self, tmp_path: Path) -> None:
        example = self.load_one(tmp_path, {"text": WARNING, "labels": [], "id": 7, "document": 12})
        assert (example.id, example.group) == ("7", "12")

    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            ("denial|accusation", ("denial", "accusation")),
            (" denial | accusation ", ("denial", "accusation")),
            ("", ()),
            ([], ()),
            (["regret", "regret"], ("regret",)),
        ],
    )
    def test_labels_are_read_from_lists_and_strings_in_the_given_order(
        self, tmp_path: Path, labels: object, expected: tuple[str, ...]
    ) -> None:
        assert self.load_one(tmp_path, {"text": WARNING, "labels": labels}).labels == expected

    def test_unknown_columns_are_ignored(self, tmp_path: Path) -> None:
        assert self.load_one(tmp_path, {"text": WARNING, "labels": [], "note": {"a": 1}}).text == WARNING

    def test_column_map_renames_columns(self, tmp_path: Path) -> None:
        row = {"sentence": WARNING, "acts": ["denial"], "uid": "u", "doc": "d", "fold": "dev"}
        columns = ColumnMap(text="sentence", labels="acts", id="uid", group="doc", split="fold")
        assert self.load_one(tmp_path, row, columns=columns) == Example("u", WARNING, ("denial",), "d", "dev")

    @pytest.mark.parametrize("field", ["id", "group", "split"])
    @pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
    def test_column_named_in_a_map_must_exist(self, tmp_path: Path, field: str, name: str) -> None:
        path = write(tmp_path / name, FORMATS["rows" + name[1:]]([Example("1", WARNING, (), "g")]))
        named: dict[str, Any] = {field: "uid"}
        columns = ColumnMap(**named)
        with pytest.raises(DataError, match="no column 'uid', got 'id', 'text'"):
            load_examples(path, DEFAULT_SCHEME, columns=columns)


class TestSplitSelection:
    ROWS = ({"text": WARNING, "labels": [], "split": "train"}, {"text": "", "labels": [], "split": "dev"})

    def test_only_rows_of_the_split_are_kept_and_checked(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", json_lines(*self.ROWS))
        assert [one.text for one in load_examples(path, DEFAULT_SCHEME, split="train").examples] == [WARNING]
        with pytest.raises(DataError, match="row 2"):
            load_examples(path, DEFAULT_SCHEME, split="dev")

    def test_split_that_no_row_names_is_an_error_listing_those_named(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", json_lines(*self.ROWS))
        with pytest.raises(DataError, match="no row of split 'test'; the rows name dev, train"):
            load_examples(path, DEFAULT_SCHEME, split="test")

    def test_row_whose_split_cannot_be_read_is_reported_and_not_lost(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", json_lines(self.ROWS[0], {"text": "B.", "labels": [], "split": [1]}))
        result = load_examples(path, DEFAULT_SCHEME, split="train", on_error="skip")
        assert [reject.row for reject in result.rejects] == [2]


GOOD = {"text": WARNING, "labels": ["accusation"], "id": "good"}

ROW_FAULTS: list[tuple[object, str]] = [
    ({"text": APOLOGY, "labels": ["denail"]}, "unknown label 'denail', .* did you mean 'denial'"),
    ({"text": APOLOGY, "labels": "regret|"}, "unknown label ''.* leave labels empty"),
    ({"text": APOLOGY, "labels": ["none"]}, "unknown label 'none'.* leave labels empty"),
    ({"text": APOLOGY, "labels": None}, "labels is null, expected a list"),
    ({"text": APOLOGY, "labels": [1]}, r"labels holds 1 \(int\)"),
    ({"text": APOLOGY, "labels": {"regret": True}}, "labels is {'regret': True}"),
    ({"text": APOLOGY}, "no column 'labels', got 'text'"),
    ({"text": APOLOGY, "label": []}, "did you mean 'label'"),
    ({"labels": []}, "no column 'text', got 'labels'"),
    ({"text": "", "labels": []}, "text is '', expected more than white space"),
    ({"text": " \t\u00a0\n", "labels": []}, "expected more than white space"),
    ({"text": 17, "labels": []}, r"text is 17 \(int\), expected a string"),
    ({"text": None, "labels": []}, "text is None"),
    ({"text": ["a"], "labels": []}, r"text is \['a'\] \(list\)"),
    ({"text": APOLOGY, "labels": [], "id": "good"}, "duplicate id 'good', first used in row 1 of .*a.jsonl"),
    ({"text": APOLOGY, "labels": [], "id": 1.5}, r"id is 1.5 \(float\), expected a string or a whole number"),
    ({"text": APOLOGY, "labels": [], "id": True}, r"id is True \(bool\)"),
    ({"text": APOLOGY, "labels": [], "group": ["a"]}, r"group is \['a'\]"),
    ([APOLOGY], "expected a JSON object, got list"),
    ("text", "expected a JSON object, got str"),
]

BROKEN_LINES: list[tuple[str, str]] = [
    ('{"text": "The board', "broken JSON: Unterminated string"),
    ('[{"text": "a", "labels": []},', "write one object a line, not one array"),
    ('{"text": "a", "text": "b", "labels": []}', "the key 'text' stands twice"),
    ('{"text": "cut \\ud83d here", "labels": []}', "half of a surrogate pair at character 4 of text"),
    ('{"text": "a", "labels": [], "id": "\\udc00"}', "half of a surrogate pair at character 0 of id"),
    ("[" * 100_000, "broken JSON"),
    ('{"text": "a", "labels": [], "id": ' + "9" * 5000 + "}", "broken JSON"),
]


class TestRowFaults:
    LINES = (*((json.dumps(row), words) for row, words in ROW_FAULTS), *BROKEN_LINES)

    @pytest.mark.parametrize(("line", "words"), LINES, ids=range(len(LINES)))
    def test_bad_row_raises_with_file_row_and_words(self, tmp_path: Path, line: str, words: str) -> None:
        path = write(tmp_path / "a.jsonl", f"{json.dumps(GOOD)}\n\n{line}\n")
        with pytest.raises(DataError) as caught:
            load_examples(path, DEFAULT_SCHEME)
        assert re.search(words, caught.value.reason)
        assert (caught.value.path, caught.value.row) == (str(path), 3)

    @pytest.mark.parametrize(("line", "words"), LINES, ids=range(len(LINES)))
    def test_bad_row_is_skipped_on_request_and_the_rest_kept(self, tmp_path: Path, line: str, words: str) -> None:
        last = json.dumps({"text": "Last.", "labels": []})
        path = write(tmp_path / "a.jsonl", f"{json.dumps(GOOD)}\n{line}\n{last}\n")
        result = load_examples(path, DEFAULT_SCHEME, on_error="skip")
        assert [one.text for one in result.examples] == [WARNING, "Last."]
        assert [(r.path, r.row, r.raw) for r in result.rejects] == [(str(path), 2, line)]
        assert re.search(words, result.rejects[0].reason)

    def test_repeated_text_without_ids_says_that_the_text_is_the_cause(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", json_lines(*[{"text": WARNING, "labels": []}] * 2))
        with pytest.raises(DataError, match=r"first used in row 1 of .* the same text stands in both"):
            load_examples(path, DEFAULT_SCHEME)

    def test_rejected_row_does_not_occupy_its_id(self, tmp_path: Path) -> None:
        rows = [{"text": "", "labels": [], "id": "a"}, {"text": WARNING, "labels": [], "id": "a"}]
        path = write(tmp_path / "a.jsonl", json_lines(*rows))
        assert len(load_examples(path, DEFAULT_SCHEME, on_error="skip").examples) == 1

    @pytest.mark.parametrize("labels", ["", "yes|no"])
    def test_exclusive_scheme_wants_exactly_one_label(self, tmp_path: Path, labels: str) -> None:
        path = write(tmp_path / "a.jsonl", json_lines({"text": WARNING, "labels": labels}))
        with pytest.raises(DataError, match="row 1: an exclusive scheme expects exactly one label"):
            load_examples(path, LabelScheme(("yes", "no"), exclusive=True))

    def test_csv_record_with_a_field_too_many_is_named_by_its_first_line(self, tmp_path: Path) -> None:
        content = 'text,labels\n"Two\nlines.",\n"Another\none.",denial,extra\nLast.,\n'
        path = write(tmp_path / "a.csv", content)
        with pytest.raises(DataError, match=r"row 4: got 3 fields, expected 2 \(text, labels\)"):
            load_examples(path, DEFAULT_SCHEME)
        result = load_examples(path, DEFAULT_SCHEME, on_error="skip")
        assert [one.text for one in result.examples] == ["Two\nlines.", "Last."]
        assert result.rejects[0].raw == '"Another\none.",denial,extra\n'

    def test_csv_quote_that_goes_on_is_one_reject_and_reading_goes_on(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", 'text,labels\n"Bad" quote,\nLast.,\n')
        with pytest.raises(DataError, match="row 2: broken quoting"):
            load_examples(path, DEFAULT_SCHEME)
        result = load_examples(path, DEFAULT_SCHEME, on_error="skip")
        assert [one.text for one in result.examples] == ["Last."]
        assert result.rejects[0].raw == '"Bad" quote,\n'

    def test_parquet_text_of_another_type_is_a_row_fault(self, tmp_path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"text": [b"bytes"], "labels": [""]}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=r"row 1: text is b'bytes' \(bytes\), expected a string"):
            load_examples(tmp_path / "a.parquet", DEFAULT_SCHEME)


class TestFileFaults:
    @pytest.fixture(params=["raise", "skip"])
    def refuse(self, request: pytest.FixtureRequest) -> Callable[..., DataError]:
        """File faults raise whatever `on_error` says."""

        def expect(path: str | Path, words: str) -> DataError:
            with pytest.raises(DataError) as caught:
                load_examples(path, DEFAULT_SCHEME, on_error=request.param)
            # Not the whole message: the folder that pytest makes has the words of the test in its name.
            assert re.search(words, caught.value.reason)
            assert caught.value.path == str(path)
            return caught.value

        return expect

    def test_missing_file_names_its_neighbours(self, tmp_path: Path, refuse: Callable[..., DataError]) -> None:
        write(tmp_path / "train.jsonl", "x")
        refuse(tmp_path / "trainn.jsonl", "no such file in .*did you mean 'train.jsonl'")

    def test_missing_folder_is_said(self, tmp_path: Path, refuse: Callable[..., DataError]) -> None:
        refuse(tmp_path / "nowhere" / "a.jsonl", "the folder .*nowhere' does not exist")

    def test_folder_is_no_file(self, tmp_path: Path, refuse: Callable[..., DataError]) -> None:
        refuse(tmp_path, "this is a folder, expected a file or a folder written by datasets' save_to_disk")

    @pytest.mark.parametrize("name", ["a.xlsx", "a", "a.json", "a.gz", "a.parquet.gz"])
    def test_unknown_ending_lists_the_known(self, tmp_path: Path, refuse: Callable[..., DataError], name: str) -> None:
        refuse(write(tmp_path / name, "x"), r"ends in .jsonl, .csv, .tsv \(.* .gz or .zst\) or .parquet")

    @pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.csv.gz", "a.jsonl.zst"])
    def test_empty_file_is_refused(self, tmp_path: Path, refuse: Callable[..., DataError], name: str) -> None:
        refuse(write(tmp_path / name, b""), "the file is empty")

    @pytest.mark.parametrize("content", [b"\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
    @pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
    def test_file_of_white_space_is_refused(
        self, tmp_path: Path, refuse: Callable[..., DataError], name: str, content: bytes
    ) -> None:
        refuse(write(tmp_path / name, content), "nothing but white space")

    @pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
    def test_header_without_rows_is_refused(self, tmp_path: Path, refuse: Callable[..., DataError], name: str) -> None:
        refuse(write(tmp_path / name, FORMATS["rows" + name[1:]]([])), "there are no rows")

    @pytest.mark.parametrize("ending", [".gz", ".zst"])
    @pytest.mark.parametrize("spoil", [lambda data: data[:-6], lambda data: b"plain text" + data])
    def test_damaged_compression_is_refused(
        self, tmp_path: Path, refuse: Callable[..., DataError], ending: str, spoil: Callable[[bytes], bytes]
    ) -> None:
        plain = json_lines({"text": WARNING * 50, "labels": []}).encode()
        packed = gzip.compress(plain) if ending == ".gz" else compressed_zstd(plain)
        refuse(write(tmp_path / f"a.jsonl{ending}", spoil(packed)), "cut off|damaged")

    @pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"no parquet", lambda data: data[40:]])
    def test_damaged_parquet_is_refused(
        self, tmp_path: Path, refuse: Callable[..., DataError], spoil: Callable[[bytes], bytes]
    ) -> None:
        content = as_parquet([Example("1", WARNING, (), "a")])
        refuse(write(tmp_path / "a.parquet", spoil(content)), "Parquet")

    @pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
    def test_latin_1_is_named_with_row_and_byte(
        self, tmp_path: Path, refuse: Callable[..., DataError], name: str
    ) -> None:
        good = json_lines({"text": WARNING, "labels": []}).encode() if name == "a.jsonl" else b"text,labels\n"
        path = write(tmp_path / name, good + '{"text": "Café shut."}'.encode("latin-1"))
        words = rf"got byte 0xe9 at byte offset {len(good) + 13} .*looks like Latin-1 or Windows-1252"
        assert refuse(path, words).row == 2

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.csv.gz"])
    def test_utf_16_is_recognised(
        self, tmp_path: Path, refuse: Callable[..., DataError], name: str, encoding: str
    ) -> None:
        content = f"text,labels\n{WARNING},\n".encode(encoding)
        refuse(write(tmp_path / name, gzip.compress(content) if ".gz" in name else content), "looks like UTF-16")

    def test_damage_inside_utf_8_is_not_taken_for_latin_1(
        self, tmp_path: Path, refuse: Callable[..., DataError]
    ) -> None:
        refuse(write(tmp_path / "a.jsonl", b'{"text": "\xe2\x82'), "could not be guessed")

    @pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet"])
    def test_missing_column_spoils_the_whole_table(
        self, tmp_path: Path, refuse: Callable[..., DataError], name: str
    ) -> None:
        if name == "a.parquet":
            import pyarrow as pa
            from pyarrow import parquet

            parquet.write_table(pa.table({"text": [WARNING], "label": [""]}), tmp_path / name)
        else:
            write(tmp_path / name, f"text{',' if name == 'a.csv' else chr(9)}label\nA,\nB,\n")
        refuse(tmp_path / name, "no column 'labels', got 'text', 'label'; did you mean 'label'")

    def test_column_that_stands_twice_is_refused(self, tmp_path: Path, refuse: Callable[..., DataError]) -> None:
        refuse(write(tmp_path / "a.csv", "text,labels,text\nA,,B\n"), "the column 'text' stands twice")

    def test_quote_that_never_closes_spoils_the_file_from_its_row_on(
        self, tmp_path: Path, refuse: Callable[..., DataError]
    ) -> None:
        path = write(tmp_path / "a.csv", 'text,labels\nFirst.,\n"Open,\nLast.,\n')
        assert refuse(path, "never closes").row == 3

    @given(position=st.integers(0, 10_000), byte=st.integers(0, 255), name=st.sampled_from(sorted(FORMATS)))
    @settings(max_examples=150, deadline=None)
    def test_any_flipped_byte_loads_or_raises_a_data_error(self, position: int, byte: int, name: str) -> None:
        content = bytearray(FORMATS[name]([Example("1", WARNING, ("denial",), "a"), Example("2", APOLOGY, (), "a")]))
        content[position % len(content)] = byte
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder) / name, bytes(content))
            with contextlib.suppress(DataError):
                assert load_examples(path, DEFAULT_SCHEME).examples


class TestHub:
    def fake_datasets(self, monkeypatch: pytest.MonkeyPatch, load: Callable[[str], Any]) -> None:
        module = types.ModuleType("datasets")
        errors = types.SimpleNamespace(DatasetsError=type("DatasetsError", (Exception,), {}))
        for name, value in {"load_dataset": load, "exceptions": errors, "DatasetDict": dict}.items():
            setattr(module, name, value)
        monkeypatch.setitem(sys.modules, "datasets", module)

    def test_only_the_prefix_asks_the_hub(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        asked: list[str] = []

        def load(name: str) -> dict[str, Any]:
            asked.append(name)
            return {}

        self.fake_datasets(monkeypatch, load)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataError, match="no such file"):
            load_examples("owner/name", DEFAULT_SCHEME)
        assert asked == []
        with pytest.raises(DataError, match="hf:owner/name: there are no rows"):
            load_examples("hf:owner/name", DEFAULT_SCHEME)
        assert asked == ["owner/name"]

    def test_hub_that_cannot_be_reached_is_a_data_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def load(name: str) -> Any:
            raise ConnectionError("no route")

        self.fake_datasets(monkeypatch, load)
        with pytest.raises(DataError, match=r"hf:owner/name: cannot be loaded from the hub \(no route\)"):
            load_examples("hf:owner/name", DEFAULT_SCHEME)

    @pytest.mark.parametrize("source", ["hf:", "hf:name", "hf:a/b/c", "hf:../x y"])
    def test_other_names_are_refused_before_any_loading(self, source: str) -> None:
        with pytest.raises(UsageError, match="expected a hub id of the form hf:owner/name"):
            load_examples(source, DEFAULT_SCHEME)


class TestRejects:
    def test_rejects_are_written_one_json_object_a_line(self, tmp_path: Path) -> None:
        rejects = [Reject("a.csv", 4, "got 3 fields", '"Zwölf\nBoote",,'), Reject("a.csv", 9, "empty", "")]
        write_rejects(rejects, tmp_path / "rejects.jsonl")
        lines = (tmp_path / "rejects.jsonl").read_text(encoding="utf-8").splitlines()
        assert [Reject(**json.loads(line)) for line in lines] == rejects

    def test_folder_that_does_not_exist_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot write rejects"):
            write_rejects([], tmp_path / "nowhere" / "rejects.jsonl")


def test_unknown_error_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="on_error must be 'raise' or 'skip', got 'ignore'"):
        load_examples(tmp_path / "a.jsonl", DEFAULT_SCHEME, on_error="ignore")  # type: ignore[arg-type]
