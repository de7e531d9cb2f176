"""`newsacts explain`: which words carried each label."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from newsacts.cli.options import DeviceOption, DtypeOption, ModelOption, VerboseOption
from newsacts.cli.output import COLORS, allow_closed_pipe, show_choices, show_controls, tell
from newsacts.errors import UsageError
from newsacts.explanation import Attribution, Explanation
from newsacts.records import Prediction

WORDS_TOLD = 6
"""Words listed under a sentence, by size of weight."""


class ExplainFormat(StrEnum):
    """How explanations are printed."""

    table = "table"
    jsonl = "jsonl"


class ExplainMethod(StrEnum):
    """How words are weighed."""

    occlusion = "occlusion"
    integrated_gradients = "integrated-gradients"


def explain(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Sentences, one an argument.")],
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Explain this label (may be given again). Default: those that apply."),
    ] = None,
    method: Annotated[
        ExplainMethod,
        typer.Option("--method", help="occlusion: delete one word at a time. integrated-gradients: needs captum."),
    ] = ExplainMethod.occlusion,
    output_format: Annotated[
        ExplainFormat, typer.Option("--format", help="table for people; jsonl for programs.", case_sensitive=False)
    ] = ExplainFormat.table,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="OUT", help="Write a page instead of printing.")
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    verbose: VerboseOption = False,
) -> None:
    """Show which words carried the label of a sentence.

    A weight is what a word adds to the log-odds of the label: 0.7 about doubles the odds, below zero it speaks against
    the label. Where no label applies, the most probable one is explained.

    Examples:

        newsacts explain "The ministry denied that it had paid the rebels."

        newsacts explain "We regret this." --label regret --label denial --format jsonl

        newsacts explain "Kyiv accused Moscow of lying." --html why.html
    """
    from newsacts.classifier import Classifier

    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise UsageError(f"sentence {number} is {text!r}, expected more than white space")
    if verbose:
        show_choices()
    backend = "pytorch" if method is ExplainMethod.integrated_gradients else "auto"
    classifier = Classifier.from_pretrained(model, backend=backend, device=device, dtype=dtype)
    predictions = classifier.predict(texts)
    chosen = [tuple(dict.fromkeys(label)) if label else choose_labels_to_tell(prediction) for prediction in predictions]
    wanted = [name for name in classifier.scheme.names if any(name in names for names in chosen)]
    explanations = classifier.explain(texts, labels=label or wanted, method=method.value)
    if html is not None:
        from newsacts.report.explanations import ExplainedText, render_explanations
        from newsacts.report.page import write_page

        items = [ExplainedText(*item) for item in zip(explanations, predictions, chosen, strict=True)]
        tell(f"wrote {write_page(html, render_explanations(items))}")
        return
    print_one = print_row if output_format is ExplainFormat.jsonl else print_highlighted
    with allow_closed_pipe():
        for explanation, prediction, names in zip(explanations, predictions, chosen, strict=True):
            for name in names:
                print_one(explanation, name, prediction.probabilities[name])


def choose_labels_to_tell(prediction: Prediction) -> tuple[str, ...]:
    """The labels that apply, or the most probable one."""
    values = prediction.probabilities
    return prediction.labels or (max(values, key=lambda name: values[name]),)


def print_row(explanation: Explanation, label: str, probability: float) -> None:
    """One JSON object a line for every text and label."""
    words = [
        {"start": word.start, "end": word.end, "text": explanation.text[word.start : word.end], "weight": word.weight}
        for word in explanation.attributions[label]
    ]
    row = {"text": explanation.text, "label": label, "probability": round(probability, 4), "words": words}
    sys.stdout.write(json.dumps(row | {"method": explanation.method}, ensure_ascii=False) + "\n")


def print_highlighted(explanation: Explanation, label: str, probability: float) -> None:
    """The sentence with its words in the colour of the label, and the weightiest words with their weights."""
    words = explanation.attributions[label]
    color = COLORS.get(label, "cyan")
    shown = Text(show_controls(explanation.text))
    strongest = max((word.weight for word in words), default=0.0)
    for word in words:
        if strongest > 0 and word.weight >= strongest / 4:
            style = f"bold underline {color}" if word.weight >= strongest / 2 else f"underline {color}"
            shown.stylize(style, word.start, word.end)
    told = sorted(words, key=lambda word: -abs(word.weight))[:WORDS_TOLD]
    console = Console(soft_wrap=False)
    console.print(Text.assemble((label, color), f" {probability:.2f}"))
    console.print(shown)
    console.print(Text(tell_weights(explanation.text, told), style="dim"))
    console.print()


def tell_weights(text: str, words: Sequence[Attribution]) -> str:
    """`denied +6.1, that +0.4`, in the order given."""
    return ", ".join(f"{show_controls(text[word.start : word.end])} {word.weight:+.1f}" for word in words)
