"""Counts of the stand-off labels, what was changed in them, and how far their readers agreed."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from rendering.results import RESULTS, ROOT

LABELS = ROOT / "src/newsacts/data/labels"


def render_labels() -> str:
    """Counts of the stand-off label files, counted in the files."""
    acts = ("accusation", "denial", "regret", "sanction")
    rows = [f"| file | rows | {' | '.join(acts)} | no label |", "|---|---|---|---|---|---|---|"]
    datasets: dict[str, Counter[str]] = {}
    for name in ("real_train", "pool", "real_dev"):
        labels = _read_labels(name)
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
    groups: dict[str, list[Any]] = {}
    for row in _read_readings():
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


def render_soft_labels() -> str:
    """How many sentences have soft labels, by set."""
    lines = gzip.decompress((LABELS / "pool_scores.jsonl.gz").read_bytes()).decode("utf-8").splitlines()
    counts = Counter(json.loads(line)["dataset"] for line in lines)
    listed = ", ".join(f"{count:,} of `{name}`" for name, count in counts.most_common())
    return f"Soft labels: {len(lines):,} sentences, {listed}."


def render_corrections() -> str:
    """How many rows were dropped and relabelled, and why."""
    changes = _read_labels("corrections")
    dropped = [row["reason"] for row in changes if row["action"] == "dropped"]
    in_dev, in_train = (
        sum(f"stands in {name} " in reason for reason in dropped) for name in ("real_dev", "real_train")
    )
    differing = sum("labels differ" in reason for reason in dropped)
    relabelled = {row["id"] for row in changes if row["action"] == "relabelled"}
    by_file = [
        f"{sum(row['id'] in relabelled for row in _read_labels(name))} of `{name}`"
        for name in ("real_train", "real_dev")
    ]
    return (
        f"Dropped: {in_dev} training rows whose text, but for case and punctuation, stands in dev, and {in_train} "
        f"whose text stands in train twice; in {differing} of them the labels differed. "
        f"Relabelled: {' and '.join(by_file)}."
    )


def render_dev_readings() -> str:
    """What became of the dev rows that were read again."""
    relabelled = {row["id"] for row in _read_labels("corrections") if row["action"] == "relabelled"}
    changed = {
        drawn: [
            row["id"] in relabelled for row in _read_readings() if (row["file"], row["drawn"]) == ("real_dev", drawn)
        ]
        for drawn in ("model disagreed most", "random decoys")
    }
    doubted, decoys = changed.values()
    return (
        f"Of {len(doubted)} dev rows on which models were furthest from the labels, two blind readers changed "
        f"{sum(doubted)} and let {len(doubted) - sum(doubted)} stand; of {len(decoys)} decoys drawn at random they "
        f"changed {sum(decoys)}."
    )


RENDERERS: dict[str, Callable[[], str]] = {
    "labels": render_labels,
    "readings": render_readings,
    "soft-labels": render_soft_labels,
    "corrections": render_corrections,
    "dev-readings": render_dev_readings,
}
PAGES = ("src/newsacts/data/labels/README.md", "docs/accuracy.md")


def _read_labels(name: str) -> list[dict[str, Any]]:
    lines = (LABELS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _read_readings() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RESULTS / "readings.jsonl").read_text(encoding="utf-8").splitlines()]


def _find_kappa(first: list[bool], second: list[bool]) -> str:
    from sklearn.metrics import cohen_kappa_score

    # Kappa is not defined where both readers say the same of every row.
    return f"{cohen_kappa_score(first, second):.2f}" if len({*first, *second}) > 1 else "–"
