"""Counts and checks of the written corpus."""

from collections.abc import Callable

from rendering.results import read_result


def render_corpus() -> str:
    """Counts, agreement, cue quotas and overlap of the written corpus."""
    result = read_result("corpus")
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


RENDERERS: dict[str, Callable[[], str]] = {
    "corpus": render_corpus,
}
PAGES = ("src/newsacts/data/corpus/README.md",)
