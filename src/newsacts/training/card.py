"""The model card of a checkpoint: README.md with Hugging Face metadata, every figure from the stored facts.

    metadata · what it labels · intended use · scores by label · limits · how to use · training data · run

Nothing is claimed that the facts do not say: a licence and a language only for the packaged base model, a hub id only
where one was used. Left out: names of folders, which tell more of a machine than of a model.
"""

import html
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from newsacts.base_models import DEFAULT_BASE, HUB_PREFIX
from newsacts.checkpoint import ModelFacts
from newsacts.labels import DEFAULT_SCHEME

_BASE_IDS = {DEFAULT_BASE: "sentence-transformers/all-MiniLM-L6-v2"}
_BASE_LICENSE, _BASE_LANGUAGE = "apache-2.0", "en"
_METRICS = ("precision", "recall", "f1")


def render_model_card(facts: ModelFacts, *, name: str) -> str:
    """Markdown of the card of `facts` that hold scores (`scores["dev"]`) and training facts (`data`, `run`)."""
    parts = [
        f"---\n{build_metadata(facts, name=name).to_yaml(line_break=chr(10))}\n---",
        f"# {_escape(name)}",
        _tell_model(facts),
        "## Intended use",
        _tell_use(facts),
        "## Scores",
        _tell_scores(facts),
        _render_scores(facts),
        "## Limits",
        _tell_limits(facts),
        "## How to use",
        _tell_how(),
        "## Training data",
        _render_data(facts),
        "## The run",
        f"```json\n{json.dumps(facts.training['run'], indent=2)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def build_metadata(facts: ModelFacts, *, name: str) -> ModelCardData:
    """What the Hugging Face hub reads; `to_yaml()` of it is the head of the card."""
    known, results = facts.base_source in _BASE_IDS, _list_results(facts)
    data = facts.training["data"]["files"]
    hub_data = sorted({source.removeprefix(HUB_PREFIX) for source in data if source.startswith(HUB_PREFIX)})
    return ModelCardData(
        license=_BASE_LICENSE if known else "unknown",
        language=_BASE_LANGUAGE if known else None,
        library_name="newsacts",
        pipeline_tag="text-classification",
        tags=["newsacts", "news", "sentence-classification"],
        base_model=_find_base_id(facts),
        base_model_relation=None if _find_base_id(facts) is None else "finetune",
        datasets=hub_data or None,
        metrics=sorted({result.metric_type for result in results}),
        model_name=name,
        eval_results=results,
    )


def _find_base_id(facts: ModelFacts) -> str | None:
    if facts.base_source.startswith(HUB_PREFIX):
        return facts.base_source.removeprefix(HUB_PREFIX)
    return _BASE_IDS.get(facts.base_source)


def _list_results(facts: ModelFacts) -> list[EvalResult]:
    """Scores of a label that stands neither in the data nor in the predictions do not exist, and are left out."""
    dev = facts.scores["dev"]
    figures = [
        ("f1", "macro-F1", dev["macro_f1"]),
        ("f1", "micro-F1", dev["micro_f1"]),
        ("accuracy", "accuracy" if facts.scheme.exclusive else "exact match of all labels", dev["exact_match"]),
    ]
    figures += [
        (kind, f"{kind}, {label}", dev["labels"][label][kind]) for label in facts.scheme.names for kind in _METRICS
    ]
    return [
        EvalResult(
            task_type="text-classification",
            task_name=f"{'Single-label' if facts.scheme.exclusive else 'Multi-label'} sentence classification",
            dataset_type="newsacts-dev",
            dataset_name="development sentences",
            dataset_split="dev",
            metric_type=kind,
            metric_name=title,
            metric_value=round(value, 4),
        )
        for kind, title, value in figures
        if value is not None
    ]


def _tell_model(facts: ModelFacts) -> str:
    source = _find_base_id(facts) or f"a folder named {PurePath(facts.base_source).name!r}"
    many = "exactly one a sentence" if facts.scheme.exclusive else "several a sentence, or none"
    return (
        f"Labels single sentences: {_escape(', '.join(facts.scheme.names))} ({many}).\n"
        f"Base model: {source}, revision {facts.base_revision}, SHA-256 `{facts.base_sha256}`.\n"
        f"{_tell_layers(facts)}"
        f"Codebook version: {facts.codebook or 'not stated'}. Pooling: {facts.pooling}. Weights: "
        f"{facts.weight_format}. Longest window: {facts.max_tokens} tokens."
    )


def _tell_layers(facts: ModelFacts) -> str:
    if facts.base_layers is None:
        return ""
    kept = ", ".join(map(str, facts.base_layers))
    return f"Layers of the base that were kept: {kept} (counted from 0 at the embeddings).\n"


def _tell_use(facts: ModelFacts) -> str:
    meaning = (
        "What a label means is decided by the codebook of newsacts."
        if facts.scheme == DEFAULT_SCHEME and facts.codebook
        else "What a label means is decided by whoever labelled the training sentences; state their rules here."
    )
    return (
        "Finding and counting such sentences in news, by people who read what was found. " + meaning + " A label says "
        "what a sentence reports, not what is true: it is no ground for a decision about a person."
    )


def _tell_scores(facts: ModelFacts) -> str:
    dev = facts.scores["dev"]
    return (
        f"Development sentences: {dev['sentences']} of {dev['articles']} articles; {facts.scores['how']}; 95 % "
        "intervals by bootstrap over articles. "
        + (
            "The most probable label is given."
            if facts.scheme.exclusive
            else f"Thresholds: {facts.calibration.policy}."
        )
    )


def _render_scores(facts: ModelFacts) -> str:
    dev, exclusive = facts.scores["dev"], facts.scheme.exclusive
    heads = [
        "label",
        "sentences",
        "precision",
        "recall",
        "F1",
        "calibration error",
        *([] if exclusive else ["threshold"]),
    ]
    lines = [_join(heads), "|---" * len(heads) + "|"]
    for label, threshold in zip(facts.scheme.names, facts.calibration.thresholds, strict=True):
        row = dev["labels"][label]
        cells = [_format(row[kind], row[f"{kind}_interval"]) for kind in _METRICS]
        cells += [_format(row["calibration_error"]), *([] if exclusive else [_format(threshold)])]
        lines.append(_join([_escape(label), str(row["support"]), *cells]))
    rest = [""] * (len(heads) - 5)
    lines.append(
        _join(["macro", str(dev["sentences"]), "", "", _format(dev["macro_f1"], dev["macro_f1_interval"]), *rest])
    )
    lines.append(_join(["micro", "", "", "", _format(dev["micro_f1"], dev["micro_f1_interval"]), *rest]))
    return "\n".join(lines)


def _tell_limits(facts: ModelFacts) -> str:
    lines = [
        "- The development sentences also chose the calibration" + ("" if facts.scheme.exclusive else " and thresholds")
        + ", by cross-fitting, and perhaps the recipe. Sentences of another kind may be labelled worse.",
        "- Probabilities hold where labels are as frequent as among the development sentences. Where they are rarer or "
        "commoner, check a random sample and correct (`with_prior`), or choose thresholds of your own.",
        "- Each sentence is read by itself; what stands before it is not known.",
    ]  # fmt: skip
    if facts.base_source not in _BASE_IDS:
        lines.append(
            "- Licence and language of the base model are not known to newsacts; state them before publishing."
        )
    return "\n".join(lines)


def _tell_how() -> str:
    return """```python
from newsacts import Classifier

classifier = Classifier.from_pretrained("path/of/this/folder")
prediction = classifier.predict(["One sentence of news."])[0]
prediction.labels, prediction.probabilities
```

`newsacts classify --model path/of/this/folder "One sentence of news."` does the same on the command line. For plain
transformers, `newsacts export --model path/of/this/folder --output plain` writes a folder that `pipeline` opens."""


def _render_data(facts: ModelFacts) -> str:
    data = facts.training["data"]
    lines = ["| | training | development |", "|---|---|---|"]
    for key in ("sentences", *facts.scheme.names, "no label"):
        counts = [data[part].get(key, 0) for part in ("train", "dev")]
        lines.append(_join([_escape(key), *(f"{count:,}" for count in counts)]))
    lines += ["", *(f"- {line}" for line in _tell_rest(data)), "", "| file | SHA-256 |", "|---|---|"]
    lines += [_join([_escape(_name(source)), f"`{digest}`"]) for source, digest in data["files"].items()]
    return "\n".join(lines)


def _tell_rest(data: Mapping[str, Any]) -> list[str]:
    """What was added to the sentences of the table, and what was left out of it."""
    soft = data.get("soft", {}).get("sentences", 0)
    return [
        f"added: {data['wire_copies']:,} copies in wire register, {soft:,} sentences with soft labels",
        "left out: "
        + ", ".join(
            [
                *(f"{count:,} ({reason})" for reason, count in data["dropped"].items()),
                f"{data['of_other_splits']:,} (of another split)",
                f"{data['rejects']:,} (unreadable)",
            ]
        ),
    ]


def _name(source: str) -> str:
    return source if source.startswith((HUB_PREFIX, "corpus:")) else PurePath(source).name


def _join(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    return html.escape(" ".join(text.split()), quote=False).replace("|", r"\|")


def _format(value: float | None, interval: list[float] | None = None) -> str:
    shown = "–" if value is None else f"{value:.3f}"
    return shown if interval is None or value is None else f"{shown} ({interval[0]:.3f} to {interval[1]:.3f})"
