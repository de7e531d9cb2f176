"""Scores and size of the checkpoint that ships, from the checkpoint itself."""

import json
from collections.abc import Callable

from rendering.results import ROOT


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
    files = [path for path in (ROOT / "src/newsacts/checkpoints/default").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    run = manifest["training"]["run"]
    rows += [
        "",
        f"{scores['sentences']} real sentences of {scores['articles']} articles, thresholds: {calibration['policy']}, "
        f"{manifest['scores']['how']}. Trained in {run['seconds'] / 60:.0f} minutes with "
        f"{run['peak_memory_gb']:.1f} GB on {run['machine']['cores']} cores ({run['machine']['processor']}); "
        f"{size:.1f} MB in the package.",
    ]
    return "\n".join(rows)


RENDERERS: dict[str, Callable[[], str]] = {
    "shipped": render_shipped,
}
PAGES = ("README.md",)
