"""What a report says of the cascade of a run: level, bounds, what was discarded, and what speaks against the bounds.

Reads the manifest of the run and the counts that were gathered; without a cascade there is nothing to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsacts.bulk.finished import FinishedRun
from newsacts.errors import DataError
from newsacts.evaluation.cascade import tell_labels
from newsacts.report.corpus_gather import Articles


@dataclass(frozen=True, slots=True)
class CascadeNote:
    """`discarded` of the `sentences` of a run were not read by the model. `bound` is the share of labelled sentences
    that is kept at least, of text like that it was measured on; `labels` says the same label by label, in words."""

    level: str
    discarded: int
    sentences: int
    bound: float
    labels: str
    doubt: str | None

    @property
    def discarded_share(self) -> float:
        """Share of all sentences; 0 of none."""
        return self.discarded / self.sentences if self.sentences else 0.0


def describe_cascade(run: FinishedRun, articles: Articles) -> CascadeNote | None:
    """The note of a run, None where no cascade ran. Raises `DataError` for a manifest that does not tell."""
    if not run.is_staged:
        return None
    facts: Mapping[str, Any] = run.manifest["cascade"]
    try:
        measured = facts["measured"]
        return CascadeNote(
            level=facts["level"],
            discarded=int(articles.discarded.sum()),
            sentences=int(articles.sizes.sum()),
            bound=float(measured["bound"]),
            labels=tell_labels(measured["labels"], target=float(measured["target"])),
            doubt=facts["doubt"],
        )
    except (KeyError, TypeError, ValueError) as error:
        reason = f"what it says of the cascade is not of this version of newsacts ({error!r}); run the corpus again"
        raise DataError(reason, path=run.folder / "manifest.json") from error
