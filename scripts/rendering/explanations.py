"""How faithful explanations are, as `scripts/measure_explanations.py` measured it."""

from collections.abc import Callable

from rendering.results import read_result, unless_missing


def render_explanations() -> str:
    """How far the probability falls without the words that explanations name, and without random ones."""
    result = read_result("explanations")
    rows = ["| method | sentences | words deleted | fall, weightiest | fall, random | weightiest falls more |"]
    rows.append("|---|---|---|---|---|---|")
    for part in result["methods"]:
        for fall in part["falls"]:
            figures = f"{fall['top_fall']:.2f} | {fall['random_fall']:.2f} | {fall['wins']:.0%}"
            rows.append(f"| {part['method']} | {fall['sentences']} | {fall['deleted']} | {figures} |")
    rows += ["", f"Mean fall of the probability; random words drawn {result['draws']} times; `{result['command']}`."]
    return "\n".join(rows)


RENDERERS: dict[str, Callable[[], str]] = {
    "explanations": unless_missing(
        "explanations", render_explanations, "Not measured yet: `python scripts/measure_explanations.py`."
    ),
}
PAGES = ("docs/reader.md",)
