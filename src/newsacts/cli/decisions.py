"""Options that change what a loaded model decides: operating points and the prior of the corpus."""

from typing import TYPE_CHECKING, Annotated

import typer

from newsacts.cli.output import tell
from newsacts.errors import UsageError

if TYPE_CHECKING:
    from newsacts.classifier import Classifier
    from newsacts.operating_points import Measure

PrecisionOption = Annotated[
    float | None,
    typer.Option("--precision", help="Thresholds that reached this precision on the development sentences, e.g. 0.9."),
]
RecallOption = Annotated[
    float | None,
    typer.Option("--recall", help="Thresholds that reached this recall on the development sentences, e.g. 0.9."),
]
PriorOption = Annotated[
    str | None,
    typer.Option("--prior", help="How common labels are in this corpus, e.g. accusation=0.02,denial=0.01."),
]


def check_decisions(precision: float | None, recall: float | None, prior: str | None) -> None:
    """Raises `UsageError` for what makes no sense, before a model is loaded."""
    from newsacts.operating_points import check_wish

    if precision is not None and recall is not None:
        raise UsageError("give --precision or --recall, not both: a label has one threshold")
    for measure, target in (("precision", precision), ("recall", recall)):
        if target is not None:
            check_wish(measure, target)
    if prior is not None:
        parse_prior(prior)


def adjust_decisions(
    classifier: "Classifier", *, precision: float | None, recall: float | None, prior: str | None
) -> "Classifier":
    """The classifier that decides as the options ask; what a label does not reach is told on standard error."""
    check_decisions(precision, recall, prior)
    if prior is not None:
        classifier = classifier.with_prior(parse_prior(prior))
    if precision is not None:
        classifier = _take_point(classifier, "precision", precision)
    if recall is not None:
        classifier = _take_point(classifier, "recall", recall)
    return classifier


def parse_prior(text: str) -> dict[str, float]:
    """Shares by label from "accusation=0.02,denial=0.01". Raises `UsageError`."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, separator, number = (piece.strip() for piece in part.partition("="))
        try:
            share = float(number)
        except ValueError:
            share = -1.0
        if not separator or not name or not 0 < share < 1:
            raise UsageError(f"--prior has {part!r}, expected LABEL=SHARE, the share between 0 and 1, like denial=0.01")
        if name in shares:
            raise UsageError(f"--prior names {name!r} twice")
        shares[name] = share
    return shares


def _take_point(classifier: "Classifier", measure: "Measure", target: float) -> "Classifier":
    for name, point in classifier.find_operating_points(measure, target, nearest=True).items():
        reached = point.precision if measure == "precision" else point.recall
        short = "" if reached >= target else f"; does not reach {measure} {target:g}, this is its highest"
        tell(
            f"{name}: threshold {point.threshold:.3f}; on the development sentences precision {point.precision:.2f} "
            f"({_show(point.precision_interval)}), recall {point.recall:.2f} ({_show(point.recall_interval)}){short}"
        )
    return classifier.with_operating_point(measure, target, nearest=True)


def _show(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}"
