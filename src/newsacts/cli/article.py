"""`newsacts article`: whole articles in, labelled sentences out."""

from typing import Annotated, Any

import typer

from newsacts.cli.options import DeviceOption, DtypeOption, FormatOption, ModelOption, VerboseOption
from newsacts.cli.output import OutputFormat, describe_prediction, print_rows, show_choices


def article(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Plain text files; - is standard input.")],
    output_format: FormatOption = OutputFormat.table,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    verbose: VerboseOption = False,
) -> None:
    """Split articles into sentences and label each of them.

    Offsets count characters of the file: text[start:end] is the sentence.

    Examples:

        newsacts article story.txt

        newsacts article archive/*.txt --format jsonl > sentences.jsonl

        curl -s https://example.org/story.txt | newsacts article -
    """
    from newsacts.classifier import Classifier
    from newsacts.data.inputs import read_article

    # All files are read before the model is loaded: a mistyped name should not cost a wait.
    articles = [read_article(name) for name in files]
    if verbose:
        show_choices()
    classifier = Classifier.from_pretrained(model, device=device, dtype=dtype)
    rows: list[dict[str, Any]] = []
    for one in articles:
        rows += [
            {
                "article_id": labelled.sentence.article_id,
                "index": labelled.sentence.index,
                "start": labelled.sentence.start,
                "end": labelled.sentence.end,
                "text": labelled.sentence.text,
                **describe_prediction(labelled.prediction),
            }
            for labelled in classifier.classify_article(one)
        ]
    print_rows(rows, output_format=output_format)
