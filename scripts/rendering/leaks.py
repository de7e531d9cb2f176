"""What stands twice in public benchmarks and in the stand-off labels, from `measure_leaks.py`."""

from collections.abc import Callable

from rendering.results import read_result

SHORT_NAMES = {
    "conflibert_cameo_class_train.tsv": "cameo_class train",
    "conflibert_IndiaPoliceEvents_sents_test.tsv": "IndiaPoliceEvents test",
    "conflibert_IndiaPoliceEvents_sents_train.tsv": "IndiaPoliceEvents train",
    "PLV_test.tsv": "PLV test",
    "PLV_train.tsv": "PLV train",
}
TESTS = {"plv": "PLV", "india_police_events": "IndiaPoliceEvents"}


def render_leaks() -> str:
    """Texts that two files share, as a table, and the stricter counts."""
    result = read_result("leaks")
    rows = ["| audited | against | distinct texts | rows there | rows audited |", "|---|---|---|---|---|"]
    for one in result["shared"]:
        names = f"{SHORT_NAMES[one['audited']]} | {SHORT_NAMES[one['against']]}"
        rows.append(f"| {names} | {one['texts']:,} | {one['rows_there']:,} | {one['rows_here']:,} |")
    exact = result["verbatim"]
    rows += [
        "",
        f"Without folding case and signs, {exact['characters']} rows of IndiaPoliceEvents test stand in its train "
        f"character for character, {exact['white_space_folded']} with white space folded. `{result['command']}`.",
    ]
    return "\n".join(rows)


def render_overlap() -> str:
    """How many labelled rows stand in test files, as a table."""
    counts = read_result("leaks")["labelled"]
    rows = [
        f"| labels | {' | '.join(f'in the test file of {title}' for title in TESTS.values())} |",
        "|---" * (len(TESTS) + 1) + "|",
    ]
    for name, by_test in counts.items():
        cells = [
            ", ".join(f"{count} of `{dataset}`" for dataset, count in by_test[test].items()) or "none" for test in TESTS
        ]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(rows)


RENDERERS: dict[str, Callable[[], str]] = {
    "leaks": render_leaks,
    "label-overlap": render_overlap,
}
PAGES = ("docs/labelled-data.md", "src/newsacts/data/labels/README.md")
