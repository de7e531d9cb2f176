"""`newsacts article`: whole articles in, labelled sentences out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    VerboseOption,
)
from newsacts.cli.output import OutputFormat, describe_prediction, print_rows, show_choices, tell
from newsacts.errors import UsageError
from newsacts.records import Article, LabelledSentence

if TYPE_CHECKING:
    from newsacts.classifier import Classifier

HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="OUT", help="Write the articles with their acts marked as one page, and no rows."),
]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="With --html: underline the words that mattered; reads acts once a word.")
]


def article(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Plain text files; - is standard input.")],
    output_format: FormatOption = OutputFormat.table,
    html: HtmlOption = None,
    explain: ExplainOption = False,
    model: ModelOption = None,
    precision: PrecisionOption = None,
    recall: RecallOption = None,
    prior: PriorOption = None,
    codes: CodesOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    cascade: CascadeOption = "off",
    verbose: VerboseOption = False,
) -> None:
    """Split articles into sentences and label each of them.

    Offsets count characters of the file: text[start:end] is the sentence.

    Examples:

        newsacts article story.txt

        newsacts article archive/*.txt --format jsonl > sentences.jsonl

        curl -s https://example.org/story.txt | newsacts article -

        newsacts article story.txt --html story.html --explain

        newsacts article story.txt --codes plover --format csv
    """
    from newsacts.classifier import Classifier
    from newsacts.crosswalk import find_codes
    from newsacts.data.inputs import read_article

    check_decisions(precision, recall, prior)
    check_page(files, html, explain=explain)
    # All files are read before the model is loaded: a mistyped name should not cost a wait.
    articles = [read_article(name) for name in files]
    if verbose:
        show_choices()
    classifier = Classifier.from_pretrained(model, backend=backend, device=device, dtype=dtype, cascade=cascade)
    classifier = adjust_decisions(classifier, precision=precision, recall=recall, prior=prior)
    if codes is not None:
        find_codes(classifier.scheme.names, codes)  # a label without codes is an error before anything is printed
    labelled = [(one, classifier.classify_article(one)) for one in articles]
    if html is not None:
        tell(f"wrote {write_reader(html, labelled, classifier, explain=explain)}")
    else:
        rows = [describe_sentence(sentence, codes) for _, sentences in labelled for sentence in sentences]
        print_rows(rows, output_format=output_format)


def check_page(files: Sequence[str], html: Path | None, *, explain: bool) -> None:
    """Raises `UsageError` where the options for the page do not fit together, before anything is read."""
    if html is None:
        if explain:
            raise UsageError("--explain marks words on a page: give --html OUT too, or use newsacts explain TEXT")
        return
    if html.is_dir():
        raise UsageError(f"--html {html} is a folder, expected the name of a file to write")
    if any(html.exists() and Path(name).exists() and html.samefile(name) for name in files):
        raise UsageError(f"--html {html} is one of the articles and would be written over; choose another name")


def write_reader(
    path: Path, labelled: Sequence[tuple[Article, list[LabelledSentence]]], classifier: "Classifier", *, explain: bool
) -> Path:
    """Write the article reader for all articles together."""
    from newsacts.report.article import ArticleView, explain_acts, render_articles
    from newsacts.report.page import write_page

    views = [
        ArticleView(one, sentences, classifier.thresholds, explain_acts(classifier, sentences) if explain else {})
        for one, sentences in labelled
    ]
    return write_page(path, render_articles(views))


def describe_sentence(labelled: LabelledSentence, codes: str | None) -> dict[str, Any]:
    """One row of the output."""
    sentence = labelled.sentence
    return {
        "article_id": sentence.article_id,
        "index": sentence.index,
        "start": sentence.start,
        "end": sentence.end,
        "text": sentence.text,
        **describe_prediction(labelled.prediction, codes=codes),
    }
