"""Counts of the stand-off labels, and how far their readers agreed."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from rendering.results import RESULTS, ROOT


def render_labels() -> str:
    """Counts of the stand-off label files, counted in the files."""
    folder = ROOT / "src/newsacts/data/labels"
    acts = ("accusation", "denial", "regret", "sanction")
    rows = [f"| file | rows | {' | '.join(acts)} | no label |", "|---|---|---|---|---|---|---|"]
    datasets: dict[str, Counter[str]] = {}
    for name in ("real_train", "pool", "real_dev"):
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        labels = [json.loads(line) for line in lines]
        counts = [sum(act in row["labels"] for row in labels) for act in acts]
        figures = [len(labels), *counts, sum(not row["labels"] for row in labels)]
        rows.append(f"| `{name}.jsonl` | {' | '.join(f'{figure:,}' for figure in figures)} |")
        datasets[name] = Counter(row["dataset"] for row in labels)
    names = sorted(set().union(*datasets.values()))
    rows += ["", f"| dataset | {' | '.join(f'`{name}`' for name in datasets)} |", "|---|---|---|---|"]
    for dataset in names:
        counts = [datasets[name][dataset] for name in datasets]
        rows.append(f"| `{dataset}` | {' | '.join(f'{count:,}' for count in counts)} |")
    return "\n".join(rows)


def render_readings() -> str:
    """How often readers of the same sentences agreed, from their readings."""
    lines = (RESULTS / "readings.jsonl").read_text(encoding="utf-8").splitlines()
    groups: dict[str, list[Any]] = {}
    for row in map(json.loads, lines):
        groups.setdefault(f"`{row['file']}`, {row['drawn']}", []).append(row["readings"])
    acts = ("accusation", "denial", "regret", "sanction")
    titles = "| rows read again | rows | exactly agreed | third readings | "
    rows = [titles + " | ".join(f"kappa, {act}" for act in acts) + " |", "|---" * 8 + "|"]
    for name, readings in groups.items():
        agreed = sum(set(one) == set(other) for one, other, *_ in readings) / len(readings)
        third = sum(len(reading) > 2 for reading in readings)  # noqa: PLR2004 - two readers and a third
        figures = " | ".join(
            _find_kappa([act in one for one, *_ in readings], [act in other for _, other, *_ in readings])
            for act in acts
        )
        rows.append(f"| {name} | {len(readings)} | {agreed:.1%} | {third} | {figures} |")
    return "\n".join(rows)


RENDERERS: dict[str, Callable[[], str]] = {
    "labels": render_labels,
    "readings": render_readings,
}
PAGES = ("src/newsacts/data/labels/README.md",)


def _find_kappa(first: list[bool], second: list[bool]) -> str:
    from sklearn.metrics import cohen_kappa_score

    # Kappa is not defined where both readers say the same of every row.
    return f"{cohen_kappa_score(first, second):.2f}" if len({*first, *second}) > 1 else "–"
