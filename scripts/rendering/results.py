"""Where the results are, and how a figure reads before it was measured."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def read_result(name: str) -> dict[str, Any]:
    """What a script measured and wrote to `benchmarks/results/NAME.json`."""
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result


def is_measured(name: str) -> bool:
    """Whether there is such a result."""
    return (RESULTS / f"{name}.json").is_file()


def unless_missing(name: str, render: Callable[[], str], missing: str) -> Callable[[], str]:
    """The renderer, or `missing` as long as its result is not there."""
    return lambda: render() if is_measured(name) else missing


def render_unmeasured_header(command: str) -> str:
    """The header of a config that nobody has measured, as YAML comments."""
    first = f"# machine: not measured yet; {command} measures"
    return "\n".join([first, *(f"# {what}: not measured yet" for what in ("time", "memory", "score"))])
