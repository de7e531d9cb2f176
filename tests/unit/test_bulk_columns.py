"""Claims about columns and values of bulk input: a mistyped name is refused, and a value is what was meant by it."""

import csv
import io
import json
import logging
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from newsacts.bulk import finished
from newsacts.bulk.fields import NAMED_FILES, FieldNames
from newsacts.bulk.finished import FinishedRun
from newsacts.bulk.readers import PEEKED_ROWS, SOUGHT_ROWS
from newsacts.bulk.writers import encode_table
from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME
from newsacts.tally import Tally
from tests.unit.corpus_files import read

ROW: dict[str, object] = {"id": "1", "text": "Rain fell.", "published": "2017", "outlet": "Wire", "section": "City"}


def write_file(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        path.write_text("\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]) + "\n")
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("fields", "keep", "named"),
    [
        (FieldNames(date="pub_date"), (), r"'pub_date' \(--date-field\)"),
        (FieldNames(source="outlt", id="ID"), (), r"'outlt' \(--source-field\), 'ID' \(--id-field\)"),
        (FieldNames(text="story"), (), r"'story' \(--text-field\)"),
        (FieldNames(), ("sektion",), r"'sektion' \(--keep\)"),
    ],
)
def test_a_mistyped_column_is_refused_with_those_there_are(
    ending: str, fields: FieldNames, keep: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    path = write_file(tmp_path / f"typo.{ending}", [ROW])
    there = "'id', 'text', 'published', 'outlet', 'section'"
    with pytest.raises(UsageError, match=rf"typo\.{ending}: there is no column .*{named}; it has {there}; correct"):
        read(path, fields=fields, keep=keep)


def test_a_column_of_a_text_file_is_refused_but_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Rain fell.")
    with pytest.raises(UsageError, match=r"no column 'day' \(--date-field\); it is read as text, which has no columns"):
        read(tmp_path, fields=FieldNames(date="day"))
    assert len(read(tmp_path, fields=FieldNames(text="story"))[0]) == 1


def test_a_later_file_without_a_column_is_named_in_a_warning_and_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_file(tmp_path / "a.csv", [ROW])
    for number in range(NAMED_FILES + 5):
        write_file(tmp_path / f"b{number:02}.csv", [{"id": f"b{number}", "text": "Snow fell."}])
    with caplog.at_level(logging.WARNING, logger="newsacts"):
        articles, rejects = read(tmp_path, fields=FieldNames(source="outlet"), keep=("section",))
    assert not rejects
    assert [(one.source, one.extra["section"]) for one in articles[:2]] == [("Wire", "City"), (None, None)]
    said = [record.getMessage() for record in caplog.records]
    assert "b00.csv: there is no column 'outlet' (--source-field); it has 'id', 'text'" in said
    assert said.count("more files have no column 'section', which are not named here") == 1
    assert len(said) == 2 * (NAMED_FILES + 1)


def test_a_later_file_without_the_named_text_is_one_reject(tmp_path: Path) -> None:
    write_file(tmp_path / "a.jsonl", [{"story": "Rain fell."}])
    write_file(tmp_path / "b.jsonl", [{"text": "Snow fell."}] * 3)
    articles, (reject,) = read(tmp_path, fields=FieldNames(text="story"))
    assert [one.text for one in articles] == ["Rain fell."]
    assert (reject.path, reject.reason) == ("b.jsonl", "no column 'story' for the text, found 'text'")


@pytest.mark.parametrize(("place", "found"), [(PEEKED_ROWS + 5, True), (SOUGHT_ROWS + 5, False)])
def test_a_column_that_few_json_rows_have_is_sought_beyond_the_first(place: int, found: bool, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"text": "Rain fell."} for _ in range(SOUGHT_ROWS + 10)]
    rows[place]["correction"] = "none"
    path = write_file(tmp_path / "a.jsonl", rows)
    if not found:
        with pytest.raises(UsageError, match="no column 'correction'"):
            read(path, keep=("correction",))
        return
    articles, _ = read(path, keep=("correction",))
    assert [one.extra["correction"] for one in articles].count("none") == 1


def test_bad_rows_at_the_top_do_not_hide_the_columns(tmp_path: Path) -> None:
    lines = ["{cut"] * (2 * PEEKED_ROWS) + ['{"body": "Rain fell.", "url": "u1"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (article,), rejects = read(tmp_path)
    assert (article.id, article.text) == ("u1", "Rain fell.")
    assert [one.row for one in rejects] == list(range(1, 2 * PEEKED_ROWS + 1))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1.0, float("nan"), 3.0], ["1", "rows.parquet#2", "3"]),
        ([1.5, None, 2.0**60], ["1.5", "rows.parquet#2", str(2.0**60)]),
    ],
)
def test_numbers_are_what_they_were_before_a_gap_made_them_floats(
    ids: list[float], expected: list[str], tmp_path: Path
) -> None:
    table = pa.table({"id": pa.array(ids, pa.float64()), "page": pa.array(ids, pa.float64()), "text": ["Rain."] * 3})
    parquet.write_table(table, tmp_path / "rows.parquet")
    articles, _ = read(tmp_path, keep=("page",))
    assert [one.id for one in articles] == expected
    assert [one.extra["page"] for one in articles] == [expected[0], None, expected[2]]


def test_nan_in_json_is_no_value_and_infinity_no_number(tmp_path: Path) -> None:
    lines = ['{"id": NaN, "text": "Rain.", "tags": [NaN]}', '{"id": Infinity, "text": "Snow."}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (article,), (reject,) = read(tmp_path, keep=("tags",))
    assert (article.id, article.extra) == ("a.jsonl#1", {"tags": "[null]"})
    assert (reject.row, "Infinity is no number" in reject.reason) == (2, True)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(alphabet="'=+-@\t\r\n\"a,", min_size=1), min_size=1, max_size=5))
def test_cells_of_a_run_in_csv_come_back_as_they_went_and_none_is_a_formula(texts: list[str], tmp_path: Path) -> None:
    content = encode_table({"text": texts}, "csv")
    (tmp_path / "part.csv").write_bytes(content)
    cells = [row[0] for row in csv.reader(io.StringIO(content.decode(), newline=""))]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    run = FinishedRun(tmp_path, DEFAULT_SCHEME, (0.5,) * 4, (), "csv", Tally(DEFAULT_SCHEME.names), {})
    assert finished._read_table(tmp_path / "part.csv", run, ["text"])["text"].to_pylist() == texts
