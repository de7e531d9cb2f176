"""The recipes tried, the scores of each by seed, the headers of their configs, and the suites of the written corpus."""

from collections.abc import Callable
from statistics import fmean
from typing import Any

from rendering.results import is_measured, read_result, render_unmeasured_header

RECIPES = (
    ("real_and_seed", "first recipe: the first real labels and the seed sentences", "baseline"),
    ("cls", "the same, first-token pooling", "dropped: no better"),
    ("without_teacher", "and the first labels of the pool, the written corpus, its hard cases", "kept"),
    ("teacher", "a teacher: base five times as large, real labels, hard cases, seed", "kept as teacher, not shipped"),
    ("default", "and the teacher's soft labels, more pool labels, long hard cases", "kept: the default"),
)


def render_seeds(name: str) -> str:
    """Scores of every seed of a recipe, and their mean."""
    result = read_result(name)
    rows = ["| seed | macro-F1 | 95 % interval | accusation | denial | regret | sanction | wire copy |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    for seed in result["seeds"]:
        prose = seed["prose"]
        low, high = prose["macro_f1_interval"]
        labels = " | ".join(f"{row['f1']:.3f}" for row in prose["labels"].values())
        wire = seed["wire"]["macro_f1"]
        rows.append(f"| {seed['seed']} | {prose['macro_f1']:.3f} | {low:.3f} to {high:.3f} | {labels} | {wire:.3f} |")
    if len(result["seeds"]) > 1:
        rows.append(_render_mean(result["summary"]))
    if "near_training" in result:
        rows += ["", _tell_exact_and_apart(result)]
    machine = result["machine"]
    rows += [
        "",
        f"{result['sentences']} real sentences{_tell_scored(result['seeds'][0])}; `{result['command']}`, commit "
        f"`{result['commit'][:12]}`, {machine['processor']}, {machine['cores']} cores, torch {machine['torch']}.",
    ]
    return "\n".join(rows)


def render_recipes() -> str:
    """One row a recipe, all in float32: seeds, macro-F1 with an interval over articles, what became of it."""
    rows = ["| recipe | seeds | macro-F1 | interval of the first seed | micro-F1 | |", "|---|---|---|---|---|---|"]
    for name, title, verdict in RECIPES:
        if not is_measured(name):
            rows.append(f"| {title} | not measured yet | | | | {verdict} |")
            continue
        seeds = [_read_exact(seed) for seed in read_result(name)["seeds"]]
        low, high = seeds[0]["macro_f1_interval"]
        macro, micro = (fmean(seed[measure] for seed in seeds) for measure in ("macro_f1", "micro_f1"))
        rows.append(f"| {title} | {len(seeds)} | {macro:.3f} | {low:.3f} to {high:.3f} | {micro:.3f} | {verdict} |")
    return "\n".join(rows)


def render_header(name: str) -> str:
    """What a config costs and reaches, as YAML comments."""
    if not is_measured(name):
        return render_unmeasured_header("python scripts/measure_checkpoints.py")
    result = read_result(name)
    runs = [seed["training"] for seed in result["seeds"]]
    minutes = [run["seconds"] / 60 for run in runs]
    summary, prose, machine = result["summary"], result["seeds"][0]["prose"], result["machine"]
    low, high = prose["macro_f1_interval"]
    spent = f"{min(minutes):.0f}" if len(runs) == 1 else f"{min(minutes):.0f} to {max(minutes):.0f}"
    return "\n".join(
        [
            f"# machine: {machine['processor']}, {machine['cores']} cores, busy with other work too",
            f"# time: {spent} minutes of training ({runs[0]['precision']})",
            f"# memory: {max(run['peak_memory_gb'] for run in runs):.1f} GB",
            f"# score: macro-F1 {summary['macro_f1_mean']:.3f} on real_dev, seeds: {len(runs)}; interval of the "
            f"first over articles {low:.3f} to {high:.3f}{_tell_scored(result['seeds'][0])}",
        ]
    )


def render_suites() -> str:
    """Held-out parts of the written corpus: the baseline recipe and the default."""
    rows = ["| recipe | suite | rows | macro-F1 | exact match |", "|---|---|---|---|---|"]
    for part in read_result("suites")["parts"]:
        scores = part["scores"]
        figures = f"{scores['sentences']} | {scores['macro_f1']:.3f} | {scores['exact_match']:.3f}"
        rows.append(f"| {part['recipe']} | {part['suite']} | {figures} |")
    return "\n".join(rows)


def render_pooling() -> str:
    """Mean against first-token pooling, same recipe."""
    rows = ["| pooling | seeds | macro-F1 | micro-F1 |", "|---|---|---|---|"]
    for name, pooling in (("real_and_seed", "mean"), ("cls", "cls (first token)")):
        summary = read_result(name)["summary"]
        count = len(read_result(name)["seeds"])
        rows.append(f"| {pooling} | {count} | {summary['macro_f1_mean']:.3f} | {summary['micro_f1_mean']:.3f} |")
    return "\n".join(rows)


def _tell_scored(seed: dict[str, Any]) -> str:
    # Older results do not say: they were scored by PyTorch in float32.
    return f", scored by {seed['choices']['scored'] if 'choices' in seed else 'pytorch in float32'}"


def _read_exact(seed: dict[str, Any]) -> dict[str, Any]:
    # Older results have one score, and it is that of PyTorch in float32.
    scores: dict[str, Any] = seed["prose"] if "exact" not in seed else seed["exact"]
    return scores


def _tell_exact_and_apart(result: dict[str, Any]) -> str:
    exact, apart = (fmean(seed[part]["macro_f1"] for seed in result["seeds"]) for part in ("exact", "apart"))
    return (
        f"In float32 the macro-F1 is {exact:.3f}. Without the {result['near_training']} sentences that are "
        f"near-duplicates of a labelled one in training (the same news in another article) it is {apart:.3f}."
    )


def _render_mean(summary: dict[str, float]) -> str:
    mean, wire = summary["macro_f1_mean"], summary["wire_macro_f1_mean"]
    return f"| mean | {mean:.3f} | ± {summary['macro_f1_deviation']:.3f} over seeds | | | | | {wire:.3f} |"


RENDERERS: dict[str, Callable[[], str]] = {
    "recipes": render_recipes,
    "default": lambda: render_seeds("default"),
    "real-and-seed": lambda: render_seeds("real_and_seed"),
    "header-default": lambda: render_header("default"),
    "header-fast": lambda: render_header("fast"),
    "header-real-and-seed": lambda: render_header("real_and_seed"),
    "header-teacher": lambda: render_header("teacher"),
    "suites": render_suites,
    "pooling": render_pooling,
}
PAGES = (
    "configs/default.yaml",
    "configs/fast.yaml",
    "configs/real_and_seed.yaml",
    "configs/teacher.yaml",
    "docs/accuracy.md",
)
