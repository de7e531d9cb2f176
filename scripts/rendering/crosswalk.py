"""The codes of every label in CAMEO and PLOVER, and where the ontologies contradict."""

import json
from collections.abc import Callable
from typing import Any

from rendering.results import ROOT

FILE = ROOT / "src" / "newsacts" / "data" / "crosswalk" / "crosswalk.json"


def render_crosswalk() -> str:
    """Codes of every label, and where the ontologies contradict."""
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    rows = ["| label | ontology | lead | strict | broad beside strict |", "|---|---|---|---|---|"]
    for label, ontologies in data["labels"].items():
        for name, codes in ontologies.items():
            beyond = [code for code in codes["broad"] if code not in codes["strict"]]
            lead = f"{codes['lead']} ({data['ontologies'][name]['codes'][codes['lead']].lower()})"
            strict, broad = (", ".join(part) or "–" for part in (codes["strict"], beyond))
            rows.append(f"| {label} | {data['ontologies'][name]['name']} | {lead} | {strict} | {broad} |")
    rows += ["", f"Version {data['version']}, for codebook {data['codebook']}.", ""]
    rows += [f"- {ontology['source']}" for ontology in data["ontologies"].values()]
    rows += ["", "Where they contradict this codebook, each other or themselves:", ""]
    rows += [f"- **{note['id']}** ({', '.join(note['ontologies'])}): {note['text']}" for note in data["notes"]]
    return "\n".join(rows)


RENDERERS: dict[str, Callable[[], str]] = {
    "crosswalk": render_crosswalk,
}
PAGES = ("docs/interop.md",)
