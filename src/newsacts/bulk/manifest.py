"""What a run says of itself when it is done: `manifest.json` and the result that Python callers get."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from newsacts.backends.base import Choice
from newsacts.bulk.folder import OutputFolder
from newsacts.bulk.plan import Plan
from newsacts.cascade import Cascade
from newsacts.checkpoint import MANIFEST as CHECKPOINT_MANIFEST
from newsacts.classifier import Classifier
from newsacts.tally import Tally, add_tallies, tally_from_json, tally_to_json

PACKAGES = ("numpy", "pyarrow", "tokenizers", "torch")


@dataclass(frozen=True, slots=True)
class BulkResult:
    """A finished run: its folder, how much went through it, and the tally of its labels.

    `classified` counts the sentences that the model saw, without those that repeat inside a shard.
    """

    folder: Path
    articles: int
    sentences: int
    classified: int
    rejected: int
    tally: Tally

    @property
    def sentences_folder(self) -> Path:
        """The folder to open with pandas, polars or DuckDB."""
        return self.folder / "sentences"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What only the run knows: its engine, when it began and ended, seconds, files left alone, clusters of articles."""

    engine: str
    times: tuple[str, str]
    seconds: float
    unknown_files: int
    clusters: Mapping[str, int] | None


def sum_marks(folder: OutputFolder, names: tuple[str, ...]) -> tuple[BulkResult, float]:
    """The result over all done-marks, and the seconds they took to classify. Holds one mark at a time."""
    totals = dict.fromkeys(("articles", "sentences", "classified", "rejected", "seconds"), 0.0)

    def read_tallies() -> Iterator[Tally]:
        for number in sorted(folder.done):
            mark = folder.read_mark(number)
            for name in totals:
                totals[name] += mark[name]
            yield tally_from_json(mark["tally"])

    tally = add_tallies(names, read_tallies())
    counts = {name: int(value) for name, value in totals.items() if name != "seconds"}
    return BulkResult(folder.path, tally=tally, **counts), totals["seconds"]


def build_manifest(
    plan: Plan,
    classifier: Classifier,
    fields: Mapping[str, Sequence[Choice]],
    outcome: tuple[BulkResult, float],
    facts: RunFacts,
) -> dict[str, Any]:
    """The manifest of a finished run, as values that JSON can hold; `fields` are the columns chosen, by role."""
    result, classifying = outcome
    return {
        **plan.to_json(),
        "versions": {"python": platform.python_version(), **_find_versions()},
        "model": {
            "folder": str(classifier.checkpoint.folder),
            "labels": list(classifier.scheme.names),
            "exclusive": classifier.scheme.exclusive,
            "thresholds": list(classifier.checkpoint.facts.calibration.thresholds),
            **_describe_dev_scores(classifier),
        },
        **({} if classifier.cascade is None else {"cascade": _describe_cascade(classifier.cascade, classifier)}),
        "choices": {name: asdict(choice) for name, choice in classifier.choices.items()}
        | {f"field {role}": [asdict(one) for one in choices] for role, choices in fields.items()},
        "counts": {
            "articles": result.articles,
            "sentences": result.sentences,
            "sentences_classified": result.classified,
            "rejected": result.rejected,
            "files_of_unknown_kind": facts.unknown_files,
            "near_duplicates": None if facts.clusters is None else dict(facts.clusters),
        },
        "tally": tally_to_json(result.tally),
        "timings": {
            "engine": facts.engine,
            "began": facts.times[0],
            "ended": facts.times[1],
            "seconds_of_this_run": round(facts.seconds, 1),
            "seconds_classifying_all_runs": round(classifying, 1),
            "sentences_a_second": round(result.sentences / classifying, 1) if classifying else None,
        },
    }


def _describe_cascade(cascade: Cascade, classifier: Classifier) -> dict[str, Any]:
    """What is promised of the first stage, and why it may not hold here; None means that nothing speaks against it."""
    return {
        "level": cascade.level,
        "thresholds": list(cascade.thresholds),
        "measured": dict(cascade.measured),
        "doubt": cascade.explain_doubt(classifier.calibration),
        "limits": "the bound holds for text like that it was measured on; newsacts cascade check measures yours",
    }


def _describe_dev_scores(classifier: Classifier) -> dict[str, Any]:
    """The scores that the checkpoint brings, or none with the reason where they say nothing of this run."""
    reason = None
    if classifier.cascade is not None:
        reason = f"the full model's, and cascade {classifier.cascade.level!r} kept some sentences from it"
    elif not _has_stored_decisions(classifier):
        reason = "thresholds or probabilities were changed since they were measured"
    if reason is not None:
        return {"dev_scores": {}, "dev_scores_left_out": reason}
    return {"dev_scores": dict(classifier.checkpoint.facts.scores.get("dev", {}))}


def _has_stored_decisions(classifier: Classifier) -> bool:
    checkpoint = classifier.checkpoint
    stored = json.loads((checkpoint.folder / CHECKPOINT_MANIFEST).read_text(encoding="utf-8"))["calibration"]
    used = json.loads(json.dumps(asdict(checkpoint.facts.calibration)))
    return all(stored[name] == used[name] for name in ("slopes", "intercepts", "thresholds"))


def _find_versions() -> dict[str, str]:
    # Asked of the installed packages: torch need not be loaded to be named.
    return {name: metadata.version(name) for name in PACKAGES}
