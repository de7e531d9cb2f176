"""The figures of docs/scale.md, reckoned from what `scripts/measure_scale.py` measured."""

from collections.abc import Callable
from typing import Any

from rendering.results import is_measured, read_result

PAGES = ("docs/scale.md", "docs/adr/0003-shards-stand-alone.md")
CORPUS = "../shared/data/articles/reuters_2017.jsonl"
COMMAND = f"python scripts/measure_scale.py {CORPUS} --output benchmarks/results/bulk.json"
SIZES = ((10**6, "1 million"), (10**8, "100 million"), (10**10, "10 billion"))
DAY = 86_400
STEPS = ("read", "split", "tokenise and infer", "pack and tally")


def render_measured() -> str:
    """What was measured, where, and by which command."""
    result = read_result("bulk")
    rates, engines, machinery = result["rates"], result["engines"], result["machinery"]
    bare, whole, ratio = rates["bare_sentences_a_second"], rates["bulk_sentences_a_second"], rates["ratio"]
    steps = ", ".join(f"{name} {result['steps'][name]:.1f}" for name in STEPS)
    few, many = result["memory"]["peak_mb_by_articles"].items()
    rows = [
        ("sentences an article", f"{_per_article(result):.1f}"),
        ("bare model, sentences a second (median; best)", f"{bare['median']:.0f}; {bare['best']:.0f}"),
        ("`bulk` end to end, the same sentences", f"{whole['median']:.0f}; {whole['best']:.0f}"),
        ("`bulk` to bare, by the clock; by processor time", f"{ratio['by_clock']:.0%}; {ratio['by_processor']:.0%}"),
        ("processor time an article, milliseconds", steps),
        ("text in, bytes an article", f"{rates['bytes_in_an_article']:,.0f}"),
        ("folder out, bytes an article (Parquet)", f"{rates['bytes_out_an_article']:,.0f}"),
        _show_engines("both engines with the model, sentences a second", engines),
        ("rows of both engines", _show_rows(engines["rows"])),
        _show_engines("both engines, all but the model, sentences a second", machinery),
        ("peak memory of the local engine with the model", f"{engines['local']['peak_mb']:,.0f} MB"),
        ("peak memory without the model", f"{few[1]:.0f} MB at {int(few[0]):,}, {many[1]:.0f} MB at {int(many[0]):,}"),
    ]
    table = ["| measured | |", "|---|---|", *[f"| {name} | {value} |" for name, value in rows]]
    return "\n".join([*table, "", _describe_measuring(result)])


def render_costs() -> str:
    """Machine hours, machines for a day, bytes and files at three sizes."""
    result = read_result("bulk")
    rate, each = result["rates"]["bulk_sentences_a_second"]["median"], _per_article(result)
    rows = [
        "| articles | sentences | machine hours | machines for one day | text | output |",
        "|---|---|---|---|---|---|",
    ]
    for count, name in SIZES:
        seconds = count * each / rate
        figures = (
            f"{count * each:.2g}",
            f"{seconds / 3600:,.0f}",
            f"{max(seconds / DAY, 1):,.0f}" if seconds > DAY else "less than one",
            _show_bytes(count * result["rates"]["bytes_in_an_article"]),
            _show_bytes(count * result["rates"]["bytes_out_an_article"]),
        )
        rows.append(f"| {name} | {' | '.join(figures)} |")
    rows += [
        "",
        f"Machine hours: articles x {each:.1f} sentences / {rate:.0f} sentences a second / 3,600. A machine is the one "
        "above; hours fall with cores as far as memory bandwidth allows, which was not measured.",
    ]
    return "\n".join(rows)


def render_driver() -> str:
    """What one driver can feed, and how long it reads."""
    result = read_result("bulk")
    carried = result["machinery"]["ray"]["articles_a_second"]
    rate, each = result["rates"]["bulk_sentences_a_second"]["median"], _per_article(result)
    lines = [
        f"- One driver carried {carried:,.0f} articles a second, its {result['machine']['cores']} cores shared with "
        f"the workers: enough for {carried * each / rate:,.0f} machines like the one above, which do "
        f"{rate / each:.1f} articles a second each."
    ]
    for count, name in SIZES:
        lines.append(f"- {name} articles pass through one driver in {_show_time(count / carried)} at the least.")
    return "\n".join(lines)


def render_repeats() -> str:
    """How much of real news repeats, by the size of a shard."""
    repeats = read_result("bulk")["news"]
    shares = "; ".join(
        f"{share:.1%} inside shards of {int(size):,} articles"
        if int(size) < repeats["articles"]
        else f"{share:.1%} over all"
        for size, share in repeats["share_by_articles_a_shard"].items()
    )
    return (
        f"Of {repeats['sentences']:,} sentences of {repeats['articles']} articles of one agency, repeats are {shares}."
    )


def _show_engines(name: str, both: dict[str, Any]) -> tuple[str, str]:
    rates = [f"{engine} {both[engine]['sentences_a_second']:,.0f}" for engine in ("local", "ray")]
    ratio = f"ray to local {both['ray_to_local']:.0%}"
    return name, f"{', '.join(rates)}; {ratio} ({both['workers']} workers, {both['local']['sentences']:,} sentences)"


def _show_rows(rows: dict[str, Any]) -> str:
    if rows["same_bytes"]:
        return "the same bytes"
    same = "the same" if rows["same_but_for_probabilities"] else "NOT the same"
    return f"{same}; probabilities differ by {rows['largest_difference_of_a_probability']:.1g} at the most"


def _describe_measuring(result: dict[str, Any]) -> str:
    rates, machine = result["rates"], result["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {rates['choices']['backend']}, "
        f"{rates['choices']['dtype']}; bare model and `bulk` on {rates['articles']} articles of news, by turns, "
        f"{rates['repeats']} times. `{rates['command']}`"
    )


def _per_article(result: dict[str, Any]) -> float:
    return float(result["news"]["sentences"] / result["news"]["articles"])


def _show_bytes(count: float) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e6:,.0f} MB"


def _show_time(seconds: float) -> str:
    return f"{seconds / DAY:,.1f} days" if seconds > 2 * DAY else f"{seconds / 3600:,.1f} hours"


def _unless_missing(render: Callable[[], str], *parts: str) -> Callable[[], str]:
    def shown() -> str:
        known = read_result("bulk") if is_measured("bulk") else {}
        missing = [part for part in parts if part not in known]
        return f"Not measured yet ({', '.join(missing)}): `{COMMAND}`." if missing else render()

    return shown


RENDERERS: dict[str, Callable[[], str]] = {
    "scale-measured": _unless_missing(render_measured, "news", "steps", "rates", "engines", "machinery", "memory"),
    "scale-costs": _unless_missing(render_costs, "news", "rates"),
    "scale-driver": _unless_missing(render_driver, "news", "rates", "machinery"),
    "scale-repeats": _unless_missing(render_repeats, "news"),
}
