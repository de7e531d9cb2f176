"""The figures of docs/speed.md and of the README's table, from what `benchmarks/run.py` measured."""

import json
from collections.abc import Callable
from typing import Any

from rendering.results import ROOT, is_measured, read_result, unless_missing

CASCADE = ROOT / "src" / "newsacts" / "checkpoints" / "default" / "cascade" / "cascade.json"
PAGES = ("docs/speed.md", "docs/adr/0005-a-first-stage-in-integers.md")
_NO_STUDENT = "Not measured yet: `make fast-checkpoint`, then `python scripts/measure_checkpoints.py --help`."
_NOTHING = "Not measured yet: `python benchmarks/run.py --help`."
_STUDENT = "newsacts-student"
SHORT = ("pipeline-32", "pipeline-32-plain", "bert-base-size", "newsacts-onnx-int8", "newsacts-safe", "newsacts-fast",
         _STUDENT)  # fmt: skip


def render_contenders() -> str:
    """All contenders, slowest first."""
    result = read_result("speed")
    rows = [
        "| contender | times as fast | sentences/s | macro-F1 | peak memory | cold start |",
        "|---|---|---|---|---|---|",
        *(_describe(result, name) for name in _order(result)),
        "",
        _tell_run(result),
    ]
    missing = [f"`{name}` ({reason})" for name, reason in result["not_run"].items()]
    return "\n".join([*rows, "", f"Not run: {', '.join(missing)}."] if missing else rows)


def render_short() -> str:
    """The README's table."""
    result = read_result("speed")
    rows = ["| | times as fast | sentences/s | macro-F1 |", "|---|---|---|---|"]
    for name in (one for one in _order(result) if one in SHORT):
        row = result["contenders"][name]
        rows.append(f"| {row['about']} | {_ratio(row)} | {row['sentences_a_second']:,.0f} | {_score(row)} |")
    return "\n".join([*rows, "", f"{_tell_run(result)} [All contenders, memory, cold start](docs/speed.md)."])


def render_profile() -> str:
    """Where the time goes, growth, cold start and the arithmetic limit."""
    result = read_result("speed")
    profile, limit, command = result["profile"], result["limit"], result["command_line"]
    parts = ", ".join(f"{name} {value:,.0f}" for name, value in profile["microseconds"].items() if value is not None)
    whole = 1e6 / profile["whole_microseconds"]
    small, large = result["growth"].items()
    bound = limit["int8_sentences_a_second"]
    rows = [
        ("processor microseconds a sentence", parts),
        ("tokens a sentence; padding", f"{profile['tokens_a_sentence']:.1f}; {profile['padding_share']:.1%}"),
        (f"sentences/s of {int(small[0]):,}; of {int(large[0]):,}", f"{small[1]:,.0f}; {large[1]:,.0f}"),
        ("operations a sentence", f"{limit['operations_a_sentence'] / 1e9:.2f} billion"),
        (
            "this machine's best product: float32; int8",
            f"{limit['float32_operations_a_second'] / 1e9:,.0f}; {limit['int8_operations_a_second'] / 1e9:,.0f} "
            "billion a second",
        ),
        ("sentences/s that the products alone allow in int8", f"{bound:,.0f}"),
        ("reached of that", f"{whole / bound:.0%}"),
        (
            "`newsacts classify`, whole process",
            f"{command['seconds']:.2f} s, {command['peak_mb']:.0f} MB",
        ),
    ]
    return "\n".join(["| measured | |", "|---|---|", *[f"| {name} | {value} |" for name, value in rows]])


def render_cascade() -> str:
    """What the shipped cascade promises, in all and label by label, and what was measured on each source."""
    if not CASCADE.is_file():
        return "The shipped checkpoint has no cascade yet."
    facts = json.loads(CASCADE.read_text(encoding="utf-8"))
    names, levels = facts["labels"], facts["levels"]
    rows = [f"| keeps at least | all labels | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    rows += [
        f"| {level} | {row['bound']:.2%} | {' | '.join(_tell_bound(row['labels'][name]) for name in names)} |"
        for level, row in levels.items()
    ]
    rows += [
        "",
        f"| level | sentences | of them | labelled, kept | {' | '.join(names)} | at least | discarded |",
        f"|---|---|---|---|{'---|' * len(names)}---|---|",
    ]
    titles = {"bound": "chose the thresholds", "test": "saw nothing"}
    for level, row in levels.items():
        for part, sources in row["measured"].items():
            for name, counts in sources.items():
                labels = " | ".join(
                    f"{one['kept']:,} of {one['found']:,}" for one in map(counts["by_label"].get, names)
                )
                rows.append(
                    f"| {level} | `{name}`, {titles[part]} | {counts['sentences']:,} | "
                    f"{counts['kept']:,} of {counts['found']:,} | {labels} | {counts['bound']:.2%} | "
                    f"{counts['discarded_share']:.1%} |"
                )
    return "\n".join([*rows, "", _tell_unproven(levels)])


def render_student() -> str:
    """The fast checkpoint beside the default: accuracy by the same script, speed from the bench where it took part."""
    rows = [
        "| checkpoint | macro-F1 | 95 % interval | micro-F1 | wire copy | sentences/s, int8 |",
        "|---|---|---|---|---|---|",
    ]
    results = {name: read_result(name) for name in ("default", "fast")}
    for (name, result), contender in zip(results.items(), ("newsacts-onnx-int8", _STUDENT), strict=True):
        summary = result["summary"]
        low, high = result["seeds"][0]["prose"]["macro_f1_interval"]
        rows.append(
            f"| `{name}` | {summary['macro_f1_mean']:.3f} | {low:.3f} to {high:.3f} | "
            f"{summary['micro_f1_mean']:.3f} | {summary['wire_macro_f1_mean']:.3f} | {_find_rate(contender)} |"
        )
    loss = results["default"]["summary"]["macro_f1_mean"] - results["fast"]["summary"]["macro_f1_mean"]
    seeds = " and ".join(f"{len(result['seeds'])} of `{name}`" for name, result in results.items())
    rows += [
        "",
        f"Macro-F1 of `fast` is {abs(loss):.3f} {'below' if loss >= 0 else 'above'} that of `default`. "
        f"{results['fast']['sentences']:,} real sentences, seeds: {seeds}; intervals of the first seed over articles; "
        f"`{results['fast']['command']}`, commit `{results['fast']['commit'][:12]}`.",
    ]
    return "\n".join(rows)


def _tell_bound(row: dict[str, Any]) -> str:
    return f"{row['bound']:.2%}{'' if row['proven'] else ' *'} ({row['kept']:,} of {row['found']:,})"


def _tell_unproven(levels: dict[str, Any]) -> str:
    short = [
        f"{name} at {level}"
        for level, row in levels.items()
        for name, label in row["labels"].items()
        if not label["proven"]
    ]
    if not short:
        return "Every label has enough held-out sentences to prove its level."
    return f"\\* Too few held-out sentences to prove the level, so none of them may be lost: {', '.join(short)}."


def _find_rate(contender: str) -> str:
    known = read_result("speed")["contenders"] if is_measured("speed") else {}
    return f"{known[contender]['sentences_a_second']:,.0f}" if contender in known else "not measured yet"


def _order(result: dict[str, Any]) -> list[str]:
    contenders = result["contenders"]
    return sorted(contenders, key=lambda name: float(contenders[name]["sentences_a_second"]))


def _describe(result: dict[str, Any], name: str) -> str:
    row = result["contenders"][name]
    memory = "–" if row["peak_mb"] is None else f"{row['peak_mb']:,.0f} MB"
    start = "–" if row["cold_start_seconds"] is None else f"{row['cold_start_seconds']:.1f} s"
    return (
        f"| {row['about']} (`{name}`) | {_ratio(row)} | {row['sentences_a_second']:,.0f} | {_score(row)} | {memory} | "
        f"{start} |"
    )


def _ratio(row: dict[str, Any]) -> str:
    return "–" if row["ratio"] is None else f"{row['ratio']:.1f}×"


def _score(row: dict[str, Any]) -> str:
    return "–" if row["macro_f1"] is None else f"{row['macro_f1']:.3f}"


def _tell_run(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {result['threads']} threads; {result['sentences']:,} real "
        f"sentences, medians over {result['rounds']} rounds in turns, ratios to `{result['reference']}`; macro-F1 on "
        f"{result['labelled_sentences']:,} labelled sentences; commit `{result['commit'][:12]}`."
    )


RENDERERS: dict[str, Callable[[], str]] = {
    "speed": unless_missing("speed", render_contenders, _NOTHING),
    "speed-short": unless_missing("speed", render_short, _NOTHING),
    "speed-profile": unless_missing("speed", render_profile, _NOTHING),
    "cascade": render_cascade,
    "fast-student": unless_missing("fast", render_student, _NO_STUDENT),
}
