"""How `newsacts data` prints its reports: tables for people, JSONL for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from newsacts.cli.output import tell

if TYPE_CHECKING:
    from newsacts.data.audit import AuditReport
    from newsacts.data.joins import JoinResult
    from newsacts.data.standoff import StandoffLabel
    from newsacts.data.statistics import PartStatistics


class ReportFormat(StrEnum):
    """How a report is printed."""

    table = "table"
    jsonl = "jsonl"


def print_jsonl(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print each row as one line of JSON."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def print_report(report: "AuditReport", show: int) -> None:
    """Print the counts of an audit, and the first findings of each kind."""
    console = Console()
    console.print(make_parts_table(report.parts))
    console.print()
    table = Table(box=None)
    table.add_column("found")
    table.add_column("times", justify="right")
    table.add_column("")
    kinds = {finding.kind: finding.is_fault for finding in report.findings}
    for kind, count in report.count().items():
        table.add_row(kind, str(count), Text("fault", style="red") if kinds[kind] else Text("look", style="dim"))
    console.print(table if report.findings else f"{report.rows} rows, nothing found")
    for shared in report.shared:
        unread = f" ({shared.unread} rows there have no text)" if shared.unread else ""
        sides = f"{shared.rows_here} rows here, {shared.rows_there} rows there{unread}"
        console.print(Text(f"{Path(shared.benchmark).name} shares {shared.texts} texts: {sides}"), soft_wrap=True)
    for kind in report.count() if show else ():
        console.print(Text(f"\n{kind}", style="bold"))
        for finding in [finding for finding in report.findings if finding.kind == kind][:show]:
            console.print(Text(f"  {_list_places(finding.places)}: {finding.detail}"), soft_wrap=True)


def _list_places(places: Sequence[str], limit: int = 4) -> str:
    more = f" and {len(places) - limit} more" if len(places) > limit else ""
    return ", ".join(places[:limit]) + more


def make_parts_table(parts: Sequence["PartStatistics"]) -> Table:
    """A table of counts, one column a split."""
    table = Table(box=None)
    table.add_column("")
    for part in parts:
        table.add_column(Path(part.part).name, justify="right")

    def add(name: str, counts: Sequence[int]) -> None:
        shares = [
            f"{count} ({count / part.rows:.1%})" if name not in {"rows", "groups", "words, median"} else str(count)
            for count, part in zip(counts, parts, strict=True)
        ]
        table.add_row(name, *shares)

    add("rows", [part.rows for part in parts])
    add("groups", [part.groups for part in parts])
    for label in parts[0].labels if parts else ():
        add(label, [part.labels[label] for part in parts])
    add("no label", [part.unlabelled for part in parts])
    add("several labels", [part.several for part in parts])
    add("tiny", [part.tiny for part in parts])
    add("words, median", [part.median_words for part in parts])
    return table


def print_join(result: "JoinResult", wanted: Sequence["StandoffLabel"], output_format: ReportFormat) -> None:
    """Print what was joined of each dataset, and on standard error why the rest was not."""
    datasets = sorted({label.dataset for label in wanted})
    missing = [one.label.dataset for one in result.missing]
    mismatched = [one.label.dataset for one in result.mismatched]
    everything = [label.dataset for label in wanted]
    rows = [
        {
            "dataset": name,
            "labels": everything.count(name),
            "matched": everything.count(name) - missing.count(name) - mismatched.count(name),
            "missing": missing.count(name),
            "mismatched": mismatched.count(name),
        }
        for name in datasets
    ]
    if output_format is ReportFormat.jsonl:
        print_jsonl(rows)
    else:
        table = Table(box=None)
        for name in rows[0]:
            table.add_column(name, justify="left" if name == "dataset" else "right")
        for row in rows:
            table.add_row(*map(str, row.values()))
        Console().print(table)
    for reason, count in result.count_reasons().items():
        tell(f"{count} labels: {reason}")
