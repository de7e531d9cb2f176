"""Reliability, operating points and priors, as `scripts/measure_calibration.py` measured them."""

from collections.abc import Callable
from typing import Any

from rendering.results import read_result


def render_reliability() -> str:
    """Calibration error of every label, out of fold, and said against true in the fullest bins."""
    result = read_result("calibration")
    rows = ["| label | calibration error | mean said | share | the surest tenth: said | true, 95 % interval |"]
    rows.append("|---" * 6 + "|")
    for name, row in result["labels"].items():
        top = row["reliability"][-1]
        low, high = top["interval"]
        rows.append(
            f"| {name} | {row['calibration_error']:.4f} | {row['mean_said']:.3f} | {row['share']:.3f} | "
            f"{top['predicted']:.3f} | {top['observed']:.3f} ({low:.3f} to {high:.3f}) |"
        )
    return "\n".join([*rows, "", _tell_calibration(result)])


def render_operating_points() -> str:
    """What is left of a wish on sentences that did not choose the threshold."""
    result = read_result("calibration")
    names = list(result["labels"])
    rows = [f"| asked for | {' | '.join(f'{name}: precision, recall' for name in names)} |", "|---" * 5 + "|"]
    for wish, labels in result["operating_points"].items():
        cells = [
            "not reached" if row is None else f"{row['precision']:.3f}, {row['recall']:.3f}" for row in labels.values()
        ]
        rows.append(f"| {wish} | {' | '.join(cells)} |")
    return "\n".join(rows)


def render_natural() -> str:
    """The natural stratum, as fitted and corrected for its prior."""
    natural = read_result("calibration")["natural"]
    rows = [
        "| probabilities | micro-F1 | 95 % interval | label | calibration error | mean said | share | Brier score |"
    ]
    rows.append("|---" * 8 + "|")
    for way, scores in natural["ways"].items():
        low, high = scores["micro_f1_interval"]
        head = f"{way} | {scores['micro_f1']:.3f} | {low:.3f} to {high:.3f}"
        for name, row in scores["labels"].items():
            figures = " | ".join(f"{row[key]:.4f}" for key in ("calibration_error", "mean_said", "share", "brier"))
            rows.append(f"| {head} | {name} | {figures} |")
            head = " | | "
    return "\n".join([*rows, "", f"{natural['sentences']} sentences of {natural['articles']} articles."])


def render_made_shift() -> str:
    """Label shift made by leaving sentences of one label out."""
    made = read_result("calibration")["made_shift"]
    rows = ["| label | share | estimated share | mean said | error as fitted | share known | share estimated |"]
    rows.append("|---" * 7 + "|")
    for name, row in made["labels"].items():
        shares = f"{row['share']:.4f} | {row['estimated_share']:.4f} | {row['mean_said']:.4f}"
        errors = f"{row['fitted']:.4f} | {row['known_prior']:.4f} | {row['estimated_prior']:.4f}"
        rows.append(f"| {name} | {shares} | {errors} |")
    return "\n".join([*rows, "", f"Means of {made['draws']} draws; {made['kept']:.0%} of the label's sentences kept."])


def _tell_calibration(result: dict[str, Any]) -> str:
    return (
        f"{result['sentences']} sentences of {result['articles']} articles, {result['folds']} folds; "
        f"`{result['command']}`, commit `{result['commit'][:12]}`."
    )


RENDERERS: dict[str, Callable[[], str]] = {
    "reliability": render_reliability,
    "operating-points": render_operating_points,
    "natural-prior": render_natural,
    "made-shift": render_made_shift,
}
PAGES = ("docs/calibration.md",)
