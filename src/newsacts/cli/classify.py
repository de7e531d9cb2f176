"""`newsacts classify`: sentences in, labels out."""

from typing import Annotated, Any, Literal, cast

import typer

from newsacts.cli.decisions import PrecisionOption, PriorOption, RecallOption, adjust_decisions, check_decisions
from newsacts.cli.options import (
    BackendOption,
    CascadeOption,
    CodesOption,
    DeviceOption,
    DtypeOption,
    FormatOption,
    ModelOption,
    OnErrorOption,
    StrictOption,
    VerboseOption,
)
from newsacts.cli.output import OutputFormat, describe_prediction, print_rows, show_choices, tell
from newsacts.errors import UsageError


def classify(
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Sentences, one an argument.")] = None,
    input: Annotated[  # noqa: A002 - the name of the option
        str | None,
        typer.Option("--input", help="File (or - for standard input): a sentence, or a JSON object with text, a line."),
    ] = None,
    output_format: FormatOption = OutputFormat.table,
    model: ModelOption = None,
    precision: PrecisionOption = None,
    recall: RecallOption = None,
    prior: PriorOption = None,
    codes: CodesOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    cascade: CascadeOption = "off",
    on_error: OnErrorOption = "raise",
    strict: StrictOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Label single sentences.

    Output keeps the order of the input, and passes an `id` through.

    Examples:

        newsacts classify "We regret this." "Kyiv accused Moscow of lying."

        newsacts classify --input sentences.txt --format jsonl > labels.jsonl

        zcat rows.jsonl.gz | newsacts classify --input - --format csv

        newsacts classify --input sentences.txt --precision 0.9 --prior accusation=0.05,denial=0.02

        newsacts classify "The bloc lifted the embargo." --codes cameo --format jsonl
    """
    from newsacts.classifier import Classifier
    from newsacts.crosswalk import find_codes
    from newsacts.data.inputs import InputText, read_input_texts
    from newsacts.data.tables import Reject

    if on_error not in {"raise", "skip"}:
        raise UsageError(f"--on-error is {on_error!r}, expected raise or skip")
    if bool(texts) == bool(input):
        raise UsageError("give sentences as arguments, or a file by --input FILE (- for standard input), not both")
    check_decisions(precision, recall, prior)
    rejects: list[Reject] = []
    if input:
        rows, rejects = read_input_texts(input, on_error=cast(Literal["raise", "skip"], on_error))
    else:
        rows = [InputText(str(number), text) for number, text in enumerate(texts or [], start=1)]
        for row in rows:
            if not row.text.strip():
                raise UsageError(f"sentence {row.id} is {row.text!r}, expected more than white space")
    if verbose:
        show_choices()
    classifier = Classifier.from_pretrained(model, backend=backend, device=device, dtype=dtype, cascade=cascade)
    classifier = adjust_decisions(classifier, precision=precision, recall=recall, prior=prior)
    if codes is not None:
        find_codes(classifier.scheme.names, codes)  # a label without codes is an error before anything is printed
    predictions = classifier.predict([row.text for row in rows])
    printed: list[dict[str, Any]] = [
        {"id": row.id, "text": row.text, **describe_prediction(prediction, codes=codes)}
        for row, prediction in zip(rows, predictions, strict=True)
    ]
    print_rows(printed, output_format=output_format)
    for reject in rejects:
        tell(f"left out: {reject.path}: row {reject.row}: {reject.reason}")
    if rejects and strict:
        raise typer.Exit(1)
