"""Accuracy against speed as one SVG, from the figures of `benchmarks/run.py`; no plotting library needed.

python scripts/plot_speed.py            # benchmarks/results/speed.json to docs/images/speed.svg
"""

import html
import json
import math
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 64, 24, 24, 56
COLORS = {True: "#b3261e", False: "#4a5a6a"}
STYLE = "text{font:13px system-ui,sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#e4e4e4}"


def draw(result: dict[str, Any]) -> str:
    """The picture: one dot a contender that has a score; speed on a logarithmic axis."""
    rows = {name: row for name, row in result["contenders"].items() if row["macro_f1"] is not None}
    rates = [row["sentences_a_second"] for row in rows.values()]
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    floor = math.floor(10 * min(row["macro_f1"] for row in rows.values())) / 10

    def place(rate: float, score: float) -> tuple[float, float]:
        across = (math.log10(rate) - low) / max(high - low, 1)
        up = (score - floor) / (1 - floor)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    parts += ["<title>Macro-F1 against sentences a second</title>", f"<style>{STYLE}</style>"]
    parts += _draw_axes(range(low, high + 1), floor, place)
    taken: list[tuple[float, float]] = []
    for row in sorted(rows.values(), key=lambda one: -float(one["macro_f1"])):
        x, y = place(row["sentences_a_second"], row["macro_f1"])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{COLORS[row["ours"]]}"/>')
        parts.append(_label(row["about"], x, y, taken))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _draw_axes(powers: range, floor: float, place: Any) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for power in powers:
        x, _ = place(10.0**power, floor)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{10**power:,}</text>')
    for step in range(round(10 * floor), 11):
        _, y = place(10.0 ** powers[0], step / 10)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{step / 10:.1f}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">sentences a second (log)</text>')
    parts.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">macro-F1</text>')
    return parts


def _label(text: str, x: float, y: float, taken: list[tuple[float, float]]) -> str:
    """A label beside its dot, moved down until it is free of those before it."""
    beside_left = x > WIDTH * 0.62
    height = y + 4
    while any(abs(height - other) < 15 and abs(x - place) < 260 for place, other in taken):  # noqa: PLR2004 - pixels
        height += 15
    taken.append((x, height))
    anchor, shift = ("end", -9) if beside_left else ("start", 9)
    return f'<text x="{x + shift:.1f}" y="{height:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def main() -> None:
    """Read the figures, write the picture."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results" / "speed.json")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "speed.svg")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(draw(json.loads(arguments.results.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
