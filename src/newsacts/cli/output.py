"""Printing: tables for people, JSONL and CSV for programs, messages and progress on standard error."""

import csv
import io
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from newsacts.crosswalk import find_codes
from newsacts.records import Prediction

_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
_SHOWN_CONTROLS = {code: picture for code, picture in _PICTURES.items() if chr(code) not in "\n\t"}

COLORS = {"accusation": "red", "denial": "blue", "regret": "magenta", "sanction": "yellow"}


class OutputFormat(StrEnum):
    """How rows are printed."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


def show_controls(text: str) -> str:
    """The text with control characters as pictures, one for one: what came in with data gives a terminal no orders."""
    return text.translate(_SHOWN_CONTROLS)


def fail(message: str, *, code: int) -> NoReturn:
    """Print an error and leave with an exit code."""
    Console(stderr=True).print(Text.assemble(("error: ", "bold red"), show_controls(message)), soft_wrap=True)
    sys.exit(code)


def tell(message: str) -> None:
    """Print a message for the person at the terminal."""
    Console(stderr=True).print(Text(show_controls(message)), soft_wrap=True)


class _NoteHandler(logging.Handler):
    """Log lines to what standard error is at the time, as plain text."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(record.getMessage() + "\n")


def show_choices() -> None:
    """Let the library's notes (what "auto" chose, and why) reach standard error."""
    logger = logging.getLogger("newsacts")
    logger.handlers = [_NoteHandler()]
    logger.setLevel(logging.INFO)


def format_figure(value: float | None) -> str:
    """A score with three decimals, or a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def format_interval(ends: Sequence[float] | None) -> str:
    """Both ends of an interval, or a dash."""
    return "–" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def describe_prediction(prediction: Prediction, *, codes: str | None = None) -> dict[str, Any]:
    """The part of an output row that says what was predicted; `codes` adds a column of that ontology's codes."""
    coded = {} if codes is None else {f"codes_{codes}": list(find_codes(prediction.labels, codes))}
    return {
        "labels": list(prediction.labels),
        "primary": prediction.primary,
        **({} if prediction.stage is None else {"stage": prediction.stage}),
        **coded,
        "probabilities": {name: round(value, 4) for name, value in prediction.probabilities.items()},
    }


def print_rows(rows: Sequence[dict[str, Any]], *, output_format: OutputFormat) -> None:
    """Print rows that hold `text` and `describe_prediction`, and fields before those."""
    with allow_closed_pipe():
        _print_rows(rows, output_format)


@contextmanager
def allow_closed_pipe() -> Iterator[None]:
    """Where the reader of our output has gone (head, less), that is no fault: the process ends with code 0."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it closes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _print_rows(rows: Sequence[dict[str, Any]], output_format: OutputFormat) -> None:
    if output_format is OutputFormat.jsonl:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    elif output_format is OutputFormat.csv:
        _print_csv(rows)
    else:
        _print_table(rows)


def _print_csv(rows: Iterable[dict[str, Any]]) -> None:
    from newsacts.bulk.writers import neutralise_cell

    header: list[str] | None = None
    for row in rows:
        flat = {name: value for name, value in row.items() if name != "probabilities"}
        flat |= {name: "|".join(value) for name, value in flat.items() if isinstance(value, list)}
        flat |= {f"p_{name}": value for name, value in row["probabilities"].items()}
        if header is None:
            header = list(flat)
            sys.stdout.write(_format_csv_row(header))
        sys.stdout.write(_format_csv_row([neutralise_cell(flat[name]) for name in header]))


def _format_csv_row(cells: Sequence[object]) -> str:
    text = io.StringIO()
    # Before Python 3.13 the writer quotes \r and \n only where they are in its own line end: it gets both.
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _print_table(rows: Iterable[dict[str, Any]]) -> None:
    table = Table(box=None, show_edge=False, pad_edge=False, expand=False)
    table.add_column("labels", no_wrap=True)
    table.add_column("sentence", overflow="fold")
    table.add_column("p", justify="right", no_wrap=True)
    rows = list(rows)
    coded = next((name for name in rows[0] if name.startswith("codes_")), None) if rows else None
    if coded is not None:
        table.add_column(coded.removeprefix("codes_"), no_wrap=True)
    for row in rows:
        labels = Text("\n").join(Text(name, style=COLORS.get(name, "cyan")) for name in row["labels"])
        figures = [row["probabilities"][name] for name in row["labels"]] or [max(row["probabilities"].values())]
        table.add_row(
            labels if row["labels"] else Text("–", style="dim"),
            Text(show_controls(row["text"])),
            "\n".join(f"{value:.2f}" for value in figures),
            *(() if coded is None else ("\n".join(row[coded]),)),
        )
    Console(soft_wrap=False).print(table)
