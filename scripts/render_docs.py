"""Write every figure in the prose from the result files, and every command page from the command itself.

    python scripts/render_docs.py            # rewrite what stands between the markers
    python scripts/render_docs.py --check    # fail where a page is not what its sources say

A marked place looks like `<!-- figures: default -->` … `<!-- end -->`, in YAML behind `# `; the name chooses a function
below.
"""

import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (
    "configs/default.yaml",
    "configs/real_and_seed.yaml",
    "README.md",
    "docs/accuracy.md",
    "docs/cli.md",
    "src/newsacts/data/corpus/README.md",
    "src/newsacts/data/labels/README.md",
)
_PLACE = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?((?:# )?<!-- end -->)", re.DOTALL)


def render_header(name: str) -> str:
    """What a config costs and reaches, as YAML comments."""
    result = _read(name)
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
            f"first over articles {low:.3f} to {high:.3f}",
        ]
    )


def render_suites() -> str:
    """Held-out parts of the written corpus: the baseline recipe and the default."""
    rows = ["| recipe | suite | rows | macro-F1 | exact match |", "|---|---|---|---|---|"]
    for part in _read("suites")["parts"]:
        scores = part["scores"]
        figures = f"{scores['sentences']} | {scores['macro_f1']:.3f} | {scores['exact_match']:.3f}"
        rows.append(f"| {part['recipe']} | {part['suite']} | {figures} |")
    return "\n".join(rows)


def render_pooling() -> str:
    """Mean against first-token pooling, same recipe."""
    rows = ["| pooling | seeds | macro-F1 | micro-F1 |", "|---|---|---|---|"]
    for name, pooling in (("real_and_seed", "mean"), ("cls", "cls (first token)")):
        summary = _read(name)["summary"]
        count = len(_read(name)["seeds"])
        rows.append(f"| {pooling} | {count} | {summary['macro_f1_mean']:.3f} | {summary['micro_f1_mean']:.3f} |")
    return "\n".join(rows)


def render_shipped() -> str:
    """Scores of the checkpoint that is in the package, from the checkpoint itself."""
    manifest = json.loads((ROOT / "src/newsacts/checkpoints/default/newsacts.json").read_text(encoding="utf-8"))
    scores, calibration = manifest["scores"]["dev"], manifest["calibration"]
    rows = ["| label | precision | recall | F1 | 95 % interval | calibration error |", "|---|---|---|---|---|---|"]
    for name in manifest["scheme"]["names"]:
        row = scores["labels"][name]
        low, high = row["f1_interval"]
        figures = " | ".join(f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
        rows.append(f"| {name} | {figures} | {low:.3f} to {high:.3f} | {row['calibration_error']:.3f} |")
    low, high = scores["macro_f1_interval"]
    rows.append(f"| macro | | | {scores['macro_f1']:.3f} | {low:.3f} to {high:.3f} | |")
    size = sum(path.stat().st_size for path in (ROOT / "src/newsacts/checkpoints/default").iterdir()) / 1e6
    run = manifest["training"]["run"]
    rows += [
        "",
        f"{scores['sentences']} real sentences of {scores['articles']} articles, thresholds: {calibration['policy']}, "
        f"{manifest['scores']['how']}. Trained in {run['seconds'] / 60:.0f} minutes with "
        f"{run['peak_memory_gb']:.1f} GB on {run['machine']['cores']} cores ({run['machine']['processor']}); "
        f"{size:.1f} MB in the package.",
    ]
    return "\n".join(rows)


def render_corpus() -> str:
    """Counts, agreement, cue quotas and overlap of the written corpus."""
    result = _read("corpus")
    names = list(result["sentences"]["labels"])
    rows = [f"| | rows | groups | {' | '.join(names)} | without a label |", "|---" * (len(names) + 4) + "|"]
    for key, title in (("sentences", "articles' sentences"), ("hard_cases", "hard cases"), ("seed", "seed sentences")):
        part = result[key]
        counts = " | ".join(str(part["labels"][name]) for name in names)
        rows.append(f"| {title} | {part['rows']} | {part['groups']} | {counts} | {part['unlabelled_share']:.1%} |")
    for key, title in (("sentences", "articles' sentences"), ("hard_cases", "hard cases")):
        kappa = " | ".join(f"{result['agreement'][key]['kappa'][name]:.3f}" for name in names)
        rows.append(f"| Cohen's kappa of two readers, {title} | | | {kappa} | |")
        cues = " | ".join(f"{result['cues'][key][name]:.0%}" for name in names)
        rows.append(f"| found by obvious cue words, {title} | | | {cues} | |")
    shared = result["overlap"]["rows_sharing_a_sequence_of_words"]
    runs = ", ".join(f"{count} share one of {length} words" for length, count in shared.items())
    kinds = "; ".join(
        f"{key}: " + ", ".join(f"{name} {count}" for name, count in counted.items())
        for key, counted in result["kinds"].items()
    )
    decided = sum(result["agreement"][key]["adjudicated"] for key in ("sentences", "hard_cases"))
    rows += [
        "",
        f"{result['articles']} articles. {kinds}.",
        "",
        f"The readers differed on {decided} rows. Sequences of words shared with {result['overlap']['texts_compared']} "
        f"real texts: {runs}. Made by `scripts/measure_corpus.py`.",
    ]
    return "\n".join(rows)


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
    from sklearn.metrics import cohen_kappa_score

    lines = (RESULTS / "readings.jsonl").read_text(encoding="utf-8").splitlines()
    groups: dict[str, list[Any]] = {}
    for row in map(json.loads, lines):
        groups.setdefault(f"`{row['file']}`, {row['drawn']}", []).append(row["readings"])
    acts = ("accusation", "denial", "regret", "sanction")
    titles = "| rows read again | rows | exactly agreed | third readings | "
    rows = [titles + " | ".join(f"kappa, {act}" for act in acts) + " |", "|---" * 8 + "|"]
    for name, readings in groups.items():
        agreed = sum(set(one) == set(other) for one, other, *_ in readings) / len(readings)
        kappa = [
            cohen_kappa_score([act in one for one, *_ in readings], [act in other for _, other, *_ in readings])
            for act in acts
        ]
        third = sum(len(reading) > 2 for reading in readings)  # noqa: PLR2004 - two readers and a third
        figures = " | ".join(f"{value:.2f}" for value in kappa)
        rows.append(f"| {name} | {len(readings)} | {agreed:.1%} | {third} | {figures} |")
    return "\n".join(rows)


def render_commands() -> str:
    """The help of every command, as the command prints it."""
    import typer
    from typer.testing import CliRunner

    from newsacts.cli import app

    pages = []
    for names in [[], *list_commands(typer.main.get_command(app))]:
        shown = CliRunner().invoke(app, [*names, "--help"], env={"TERM": "dumb", "COLUMNS": "100", "NO_COLOR": "1"})
        body = "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())
        pages.append(f"## {' '.join(['newsacts', *names])}\n\n```text\n{body}\n```\n")
    return "\n".join(pages)


def list_commands(group: Any) -> list[list[str]]:
    """Names of all commands, those of groups behind the name of their group."""
    found = []
    for name, command in sorted(getattr(group, "commands", {}).items()):
        inner = list_commands(command)
        found += [[name, *names] for names in inner] if inner else [[name]]
    return found


RENDERERS: dict[str, Callable[[], str]] = {
    "default": lambda: _render_seeds("default"),
    "real-and-seed": lambda: _render_seeds("real_and_seed"),
    "header-default": lambda: render_header("default"),
    "header-real-and-seed": lambda: render_header("real_and_seed"),
    "suites": render_suites,
    "pooling": render_pooling,
    "shipped": render_shipped,
    "corpus": render_corpus,
    "labels": render_labels,
    "readings": render_readings,
    "commands": render_commands,
}


def main() -> None:
    """Rewrite or check all pages."""
    stale = []
    for name in PAGES:
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = _PLACE.sub(lambda place: place[1] + RENDERERS[place[2]]() + "\n" + place[3], before)
        if before == after:
            continue
        if "--check" in sys.argv:
            stale.append(name)
            sys.stderr.writelines(difflib.unified_diff(_split(before), _split(after), name, name))
        else:
            path.write_text(after, encoding="utf-8")
            print(f"rewrote {name}")
    if stale:
        sys.exit(f"not in step with their sources: {', '.join(stale)}; run: python scripts/render_docs.py")


def _render_seeds(name: str) -> str:
    result = _read(name)
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
    machine = result["machine"]
    rows += [
        "",
        f"{result['sentences']} real sentences; `{result['command']}`, commit `{result['commit'][:12]}`, "
        f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}.",
    ]
    return "\n".join(rows)


def _render_mean(summary: dict[str, float]) -> str:
    mean, wire = summary["macro_f1_mean"], summary["wire_macro_f1_mean"]
    return f"| mean | {mean:.3f} | ± {summary['macro_f1_deviation']:.3f} over seeds | | | | | {wire:.3f} |"


def _split(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _read(name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result


if __name__ == "__main__":
    main()
