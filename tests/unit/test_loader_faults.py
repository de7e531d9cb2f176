"""What `load_examples` refuses, row by row or as a whole file, and in which words."""

import contextlib
import gzip
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsacts.data.loaders import load_examples
from newsacts.errors import DataError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.records import Example
from tests.unit.labelled_files import APOLOGY, FORMATS, WARNING, as_parquet, compressed_zstd, json_lines, write

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
