"""Figures of the baselines and of the published benchmarks, and the headers of their configs."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rendering.results import is_measured, read_result, render_unmeasured_header, unless_missing

BENCHMARKS = {
    "plv_marked": "PLV rootcode, marked pair",
    "plv_plain": "PLV rootcode, plain sentence",
    "india_police": "IndiaPoliceEvents_sents",
    "satp": "satp_relevant",
    "cameo": "cameo_class",
}
MEASURES = {"macro_f1": "macro-F1", "example_f1": "example-F1"}


def render_baselines() -> str:
    """Keyword rules and linear models beside the default, on the same sentences."""
    result = read_result("baselines")
    rows = ["| model | macro-F1 | 95 % interval | micro-F1 | accusation | denial | regret | sanction |"]
    rows.append("|---" * 8 + "|")
    for name, row in result["baselines"].items():
        rows.append(_row(name, row["scores"]))
    rows.append(_row("fine-tuned, `configs/default.yaml`", read_result("default")["seeds"][0]["prose"]))
    rows += [
        "",
        f"{result['sentences']} real sentences (`real_dev`), {result['train']:,} to learn from; "
        f"`{result['command']}`, commit `{result['commit'][:12]}`.",
    ]
    return "\n".join(rows)


def render_benchmarks() -> str:
    """Mean over seeds on each published test file, and what others reached there."""
    measured = read_result("benchmarks")["benchmarks"]
    rows = ["| benchmark | measure | newsacts (22M), mean ± over seeds | seeds | rows not in train | published |"]
    rows.append("|---" * 6 + "|")
    for name, title in BENCHMARKS.items():
        if name not in measured:
            continue
        entry = measured[name]
        summary = entry["summary"]
        published = ", ".join(f"{who} {value:.3f}" for who, value in entry["published"].items()) or "–"
        mean = f"{summary['test_mean']:.3f} ± {summary['test_deviation']:.3f}"
        measure = MEASURES[entry["measure"]]
        unseen = f"{summary['test_unseen_mean']:.3f}"
        rows.append(f"| {title} | {measure} | {mean} | {len(entry['seeds'])} | {unseen} | {published} |")
    tested = ", ".join(
        f"{name} {entry['recipes_tested']}" for name, entry in measured.items() if entry["recipes_tested"] > 1
    )
    commits = sorted({entry["commit"][:12] for entry in measured.values()})
    rows += [
        "",
        f"Recipes scored on a test file, where more than the final one: {tested or 'none'}. Made by "
        f"`scripts/measure_benchmarks.py`, commit {', '.join(f'`{commit}`' for commit in commits)}.",
    ]
    return "\n".join(rows)


def render_header(name: str) -> str:
    """What a benchmark's config costs and reaches, as YAML comments."""
    measured = read_result("benchmarks")["benchmarks"] if is_measured("benchmarks") else {}
    if name not in measured:
        return render_unmeasured_header(f"python scripts/measure_benchmarks.py {name}")
    entry = measured[name]
    runs, summary, machine = [seed["training"] for seed in entry["seeds"]], entry["summary"], entry["machine"]
    minutes = sorted(run["seconds"] / 60 for run in runs)
    return "\n".join(
        [
            f"# machine: {machine['processor']}, {machine['cores']} cores",
            f"# time: {minutes[0]:.0f} to {minutes[-1]:.0f} minutes of training ({runs[0]['precision']})",
            f"# memory: {max(run['peak_memory_gb'] for run in runs):.1f} GB",
            f"# score: {MEASURES[entry['measure']]} {summary['test_mean']:.3f} ± {summary['test_deviation']:.3f} "
            f"on the test file, seeds: {len(runs)}",
        ]
    )


RENDERERS: dict[str, Callable[[], str]] = {
    "baselines": unless_missing(
        "baselines",
        render_baselines,
        "Not measured yet: `python scripts/measure_baselines.py --output benchmarks/results/baselines.json`.",
    ),
    "benchmarks": unless_missing(
        "benchmarks", render_benchmarks, "Not measured yet: `python scripts/measure_benchmarks.py`."
    ),
    **{f"header-{name.replace('_', '-')}": partial(render_header, name) for name in BENCHMARKS},
}
PAGES = (*(f"configs/benchmarks/{name}.yaml" for name in BENCHMARKS), "docs/accuracy.md")


def _row(name: str, scores: dict[str, Any]) -> str:
    low, high = scores["macro_f1_interval"]
    labels = " | ".join(f"{row['f1']:.3f}" for row in scores["labels"].values())
    macro, micro = scores["macro_f1"], scores["micro_f1"]
    return f"| {name} | {macro:.3f} | {low:.3f} to {high:.3f} | {micro:.3f} | {labels} |"
