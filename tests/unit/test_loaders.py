"""What `load_examples` accepts: formats, fields, splits, the hub; and how rejects are written."""

import hashlib
import json
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsacts.data.loaders import ColumnMap, load_examples, write_rejects
from newsacts.data.tables import Reject
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME
from newsacts.records import Example
from tests.unit.labelled_files import APOLOGY, FORMATS, WARNING, compressed_zstd, json_lines, write

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
