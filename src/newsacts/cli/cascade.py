"""`newsacts cascade`: fit a first stage to a checkpoint, and check on text of your own what it keeps."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from newsacts.cli.options import DeviceOption, DtypeOption, ModelOption
from newsacts.cli.output import show_choices, tell
from newsacts.errors import UsageError

cascade_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="A tiny first stage that spares the model most sentences without a label: fit one, check one.",
)


@cascade_app.command()
def fit(
    texts: Annotated[
        list[str],
        typer.Option(
            "--texts",
            help="File of unlabelled sentences (text, document), split by document, or corpus:sentences and its like; "
            "repeatable.",
        ),
    ],
    hold: Annotated[
        list[str] | None,
        typer.Option("--hold", help="File of sentences to decide on and measure with only; may be repeated."),
    ] = None,
    hold_articles: Annotated[
        list[Path] | None,
        typer.Option("--hold-articles", help="The same, of whole articles (text, id); may be repeated."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option("--measure", help="File of sentences to measure with only; may be repeated."),
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option("--known", help="File of texts the model was trained on: they prove nothing; may be repeated."),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Fit the cascade of a checkpoint from what its own model says of unlabelled sentences, and write it there.

    No labels are needed. Thresholds are chosen so that with 95 % confidence at least 99 % (safe) or 97 % (fast) of the
    sentences that the model labels are kept, over all held-out sources together, and of each label by itself. That
    takes 299 (99) held-out sentences of a label without a loss; of one that has fewer none is lost, and the bound that
    this proves is told. The written corpus of the package has many of the rare labels. Writes MODEL/cascade.

    Examples:

        newsacts cascade fit --model runs/mine --texts pool.jsonl

        newsacts cascade fit --texts pool.jsonl --texts corpus:sentences --hold-articles old.jsonl --known seen.jsonl
    """
    from newsacts.classifier import Classifier
    from newsacts.evaluation.cascade import tell_labels
    from newsacts.training.cascade_fit import FitInputs, fit_cascade

    show_choices()
    classifier = Classifier.from_pretrained(model, device=device, dtype=dtype)
    inputs = FitInputs(
        tuple(texts), tuple(hold or ()), tuple(hold_articles or ()), tuple(measure or ()), tuple(known or ())
    )
    facts = fit_cascade(classifier, inputs)
    for level, row in facts["levels"].items():
        tell(f"{level}: keeps at least {row['bound']:.1%}; {tell_labels(row['labels'], target=row['target'])}")
        for part, sources in row["measured"].items():
            for name, counts in sources.items():
                tell(
                    f"{level}, {name} ({part}): keeps {counts['kept']:,} of {counts['found']:,} labelled sentences "
                    f"(at least {counts['bound']:.1%}), discards {counts['discarded_share']:.1%} "
                    f"of {counts['sentences']:,}"
                )
    typer.echo(classifier.checkpoint.folder / "cascade")


@cascade_app.command()
def check(
    data: Annotated[
        str, typer.Option("--data", help="Your sentences: one a line, or JSON objects with text; - is standard input.")
    ],
    level: Annotated[str, typer.Option("--cascade", help="safe or fast.")] = "safe",
    model: ModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
) -> None:
    """Measure what a cascade keeps of the acts that the full model finds, on text of your own.

    The bound in a checkpoint holds for text like that it was measured on. This runs the full model on all sentences
    and counts which of those that it labels the first stage would have let through, in all and label by label. Needs no
    labels; a few thousand sentences drawn at random will do. Prints JSON.

    Examples:

        newsacts cascade check --data sentences.txt

        shuf -n 5000 sentences.jsonl | newsacts cascade check --data - --cascade fast
    """
    from newsacts.classifier import Classifier
    from newsacts.data.inputs import read_input_texts
    from newsacts.evaluation.cascade import CONFIDENCE, measure_kept, tell_labels

    if level == "off":
        raise UsageError("--cascade off has nothing to check; expected safe or fast")
    rows, _ = read_input_texts(data, on_error="raise")
    classifier = Classifier.from_pretrained(model, device=device, dtype=dtype, cascade=level)
    counts = measure_kept(classifier, [row.text for row in rows])
    shown = asdict(counts)
    typer.echo(json.dumps(shown | {"confidence": CONFIDENCE, "discarded_share": counts.discarded_share}))
    tell(
        f"keeps {counts.kept:,} of the {counts.found:,} sentences that the full model labels: at least "
        f"{counts.bound:.1%} of such text, with {CONFIDENCE:.0%} confidence; the full model reads "
        f"{1 - counts.discarded_share:.1%} of it"
    )
    tell(f"by label: {tell_labels(shown['by_label'])}")
