"""Claims about what the command line prints."""

import csv
import io
import json
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.cli.output import OutputFormat, print_rows, show_controls

ROW = {
    "id": "1", "text": "x", "labels": ["denial"], "primary": "denial", "probabilities": {"denial": 0.9, "regret": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_a_csv_cell_that_a_spreadsheet_would_run_is_neutralised(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW | {"text": text}], output_format=OutputFormat.csv)
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["text"] == "'" + text


@given(st.text(alphabet='\r\n",a;|', min_size=1))
def test_csv_cells_come_back_whatever_line_ends_and_quotes_they_hold(text: str) -> None:
    with redirect_stdout(io.StringIO()) as printed:
        print_rows([ROW | {"text": "b" + text}, ROW], output_format=OutputFormat.csv)
    header, *rows = csv.reader(io.StringIO(printed.getvalue(), newline=""))
    assert [dict(zip(header, row, strict=True))["text"] for row in rows] == ["b" + text, "x"]
    assert printed.getvalue().endswith(",0.1\n")


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


def test_control_characters_of_a_text_give_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW | {"text": "a\x1b[31mb\x9b0m\x07\r\u00e9"}], output_format=OutputFormat.table)
    shown = capsys.readouterr().out
    assert "a\u241b[31mb\ufffd0m\u2407\u240d\u00e9" in shown
    assert not {"\x1b", "\x9b", "\x07", "\r"} & set(shown)


@given(st.text())
def test_shown_controls_keep_every_place(text: str) -> None:
    assert len(show_controls(text)) == len(text)


def test_names_that_look_like_markup_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    from newsacts.cli.evaluate import print_comparison, print_scores

    figures = {"support": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5, "f1_interval": None}
    row = figures | {"average_precision": None, "calibration_error": None}
    print_scores(
        {
            "labels": {"[red]a": row}, "macro_f1": 0.5, "macro_f1_interval": None, "micro_f1": 0.5,
            "micro_f1_interval": None, "sentences": 1, "articles": 1, "exact_match": None,
            "no_label_rate": {"gold": None, "predicted": None},
        }
    )  # fmt: skip
    print_comparison(
        {"model": {"folder": "[bold]b"}, "labels": {"[red]c": None}, "macro_f1": None, "micro_f1": None, "mended": 0,
         "broken": 0}
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("[red]a", "[bold]b", "[red]c"))
