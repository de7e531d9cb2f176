"""Claims about what the command line prints."""

import csv
import io
import json

import pytest

from newsacts.cli.output import OutputFormat, print_rows

ROW = {
    "id": "1", "text": "x", "labels": ["denial"], "primary": "denial", "probabilities": {"denial": 0.9, "regret": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_a_csv_cell_that_a_spreadsheet_would_run_is_neutralised(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW | {"text": text}], output_format=OutputFormat.csv)
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["text"] == "'" + text


def test_csv_has_a_column_for_every_probability(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW], output_format=OutputFormat.csv)
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["labels"], row["p_denial"], row["p_regret"]) == ("denial", "0.9", "0.1")


def test_jsonl_is_one_object_a_row_whatever_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [ROW | {"text": 'a\n"b"\u2028 😀'}, ROW]
    print_rows(rows, output_format=OutputFormat.jsonl)
    assert [json.loads(line) for line in capsys.readouterr().out.rstrip("\n").split("\n")] == rows


def test_a_table_shows_the_probability_of_the_label_it_names(capsys: pytest.CaptureFixture[str]) -> None:
    """With a low threshold a label may be less probable than one that was not given."""
    print_rows([ROW | {"labels": ["regret"], "primary": "regret"}], output_format=OutputFormat.table)
    assert "0.10" in capsys.readouterr().out


def test_a_table_shows_brackets_as_text_and_not_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW | {"text": "[red]he said[/red]"}], output_format=OutputFormat.table)
    assert "[red]he said[/red]" in capsys.readouterr().out
