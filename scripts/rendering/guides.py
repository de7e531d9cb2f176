"""How long the tutorial took, and the table of result files."""

import json
from collections.abc import Callable
from typing import Any

from rendering.results import RESULTS, read_result, unless_missing

PAGES = ("docs/tutorial.md", "docs/reproducibility.md")


def render_tutorial() -> str:
    """How long the walk took."""
    walk = read_result("tutorial")
    install = walk["install_seconds"]
    machine = walk["machine"]
    return (
        f"All of it ran in {walk['seconds'] / 60:.1f} minutes"
        + ("" if install is None else f", after {install / 60:.1f} minutes of installing")
        + f" ({machine['processor']}, {machine['cores']} cores, other work beside it)."
    )


def render_reproducibility() -> str:
    """Every result file: how it was made, with how many seeds, and where."""
    rows = ["| file | command | seeds | commit | machine |", "|---|---|---|---|---|"]
    for path in sorted(RESULTS.glob("*.json")):
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        seeds = [str(run.get("seed", "")) for run in result["seeds"]] if isinstance(result.get("seeds"), list) else []
        command = str(result.get("command", "not stated")).replace("|", r"\|")
        commit = str(result.get("commit", ""))[:12]
        cells = [f"`{path.name}`", f"`{command}`", ", ".join(seeds), commit, _tell_machine(result.get("machine"))]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _tell_machine(machine: object) -> str:
    if isinstance(machine, dict):
        cores = machine.get("cores")
        return str(machine.get("processor", "")) + (f", {cores} cores" if cores else "")
    return "" if machine is None else str(machine)


RENDERERS: dict[str, Callable[[], str]] = {
    "tutorial": unless_missing(
        "tutorial",
        render_tutorial,
        "Not timed yet: `python scripts/walk_document.py docs/tutorial.md --folder /tmp/walk --output …`.",
    ),
    "reproducibility": render_reproducibility,
}
