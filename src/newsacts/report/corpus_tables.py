"""The tables behind the plots: what stands in them, and as CSV that a page carries inside itself."""

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from newsacts.bulk.writers import neutralise_cell
from newsacts.prevalence import Estimate
from newsacts.report.corpus_rates import Cell, Pair

METHOD_ORDER = ("counted", "averaged", "adjusted", "powered")


@dataclass(frozen=True, slots=True)
class Download:
    """A CSV file as an address that holds it, and the name to save it under."""

    name: str
    address: str


def make_download(name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Download:
    """Rows as CSV, UTF-8 with a mark; cells that a spreadsheet would run get a quote in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in [header, *rows]:
        writer.writerow([neutralise_cell(cell) for cell in row])
    encoded = base64.b64encode(("\ufeff" + text.getvalue()).encode("utf-8", "replace")).decode()
    return Download(name, f"data:text/csv;charset=utf-8;base64,{encoded}")


def list_cells(cells: Sequence[Cell], unit: str) -> tuple[list[str], list[list[object]]]:
    """Header and rows of cells in long form: one row a cell, label and method, rates as shares."""
    header = [unit, "articles", "sentences", "label", "labelled_sentences", "method", "rate", "low", "high"]
    rows: list[list[object]] = []
    for cell in cells:
        for label, rate in cell.rates.items():
            for method in METHOD_ORDER:
                if (one := rate.estimates.get(method)) is not None:
                    figures = [_round(figure) for figure in (one.value, one.low, one.high)]
                    rows.append([cell.name, cell.articles, cell.sentences, label, rate.count, method, *figures])
    return header, rows


def list_pairs(pairs: Sequence[Pair], unit: str) -> tuple[list[str], list[list[object]]]:
    """Header and rows of labels that occur together."""
    header = ["first", "second", f"{unit}s_with_both", "share_of_first", "times_as_often", "low", "high"]
    rows: list[list[object]] = [
        [one.first, one.second, one.count, _round(one.share_of_first), *map(_round, _figures(one.lift))]
        for one in pairs
    ]
    return header, rows


def _figures(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _round(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)
