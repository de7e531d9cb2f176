"""The model card of a checkpoint: README.md with Hugging Face metadata, every figure from the scores."""

import json
from typing import Any

from newsacts.checkpoint import ModelFacts

_LICENSE = "apache-2.0"


def render_model_card(facts: ModelFacts, *, name: str) -> str:
    """Markdown of the card. Figures come from `facts.scores["dev"]`; nothing is typed by hand."""
    dev = facts.scores["dev"]
    return "\n".join(
        [
            *_render_metadata(facts, name, dev),
            f"# {name}",
            "",
            f"Labels single sentences: {', '.join(facts.scheme.names)} "
            f"({'exactly one each' if facts.scheme.exclusive else 'several at once, or none'}).",
            f"Base model: `{facts.base_source}` {facts.base_revision}, SHA-256 `{facts.base_sha256}`.",
            f"Codebook version: {facts.codebook or 'not stated'}. Pooling: {facts.pooling}. "
            f"Weights: {facts.weight_format}.",
            "",
            "## Scores on the development sentences",
            "",
            f"{dev['sentences']} sentences of {dev['articles']} articles; {facts.scores['how']}; 95 % intervals by "
            "bootstrap over articles.",
            "",
            *_render_table(facts, dev),
            "",
            "## Training",
            "",
            "```json",
            json.dumps({key: facts.training[key] for key in ("data", "run")}, indent=2),
            "```",
            "",
            "## Use",
            "",
            "```python",
            "from newsacts import Classifier",
            "",
            'classifier = Classifier.from_pretrained("path/of/this/folder")',
            'classifier.predict(["We regret this."])',
            "```",
            "",
            "Probabilities hold for sentences like the development data. Where acts are much rarer or commoner, "
            "choose thresholds on sentences of your own. A label says what is reported, not what is true.",
            "",
        ]
    )


def _render_metadata(facts: ModelFacts, name: str, dev: dict[str, Any]) -> list[str]:
    # JSON is YAML: quoting is right whatever the name holds.
    metadata = {
        "license": _LICENSE,
        "language": "en",
        "library_name": "newsacts",
        "pipeline_tag": "text-classification",
        "base_model": "sentence-transformers/all-MiniLM-L6-v2"
        if "all-minilm-l6-v2" in facts.base_source
        else facts.base_source,
        "model-index": [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": "text-classification"},
                        "dataset": {"type": "newsacts-dev", "name": "development sentences"},
                        "metrics": [{"type": "f1", "name": "macro-F1", "value": dev["macro_f1"]}],
                    }
                ],
            }
        ],
    }
    return ["---", *(f"{key}: {json.dumps(value)}" for key, value in metadata.items()), "---", ""]


def _render_table(facts: ModelFacts, dev: dict[str, Any]) -> list[str]:
    lines = [
        "| label | sentences | precision | recall | F1 | interval | calibration error | threshold |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for label, threshold in zip(facts.scheme.names, facts.calibration.thresholds, strict=True):
        row = dev["labels"][label]
        cells = [_format(row[key]) for key in ("precision", "recall", "f1")]
        interval = " to ".join(_format(end) for end in row["f1_interval"] or (None, None))
        error = _format(row["calibration_error"])
        lines.append(f"| {label} | {row['support']} | {' | '.join(cells)} | {interval} | {error} | {threshold:.3f} |")
    ends = " to ".join(_format(end) for end in dev["macro_f1_interval"] or (None, None))
    lines.append(f"| macro | {dev['sentences']} | | | {_format(dev['macro_f1'])} | {ends} | | |")
    return lines


def _format(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
