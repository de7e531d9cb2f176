"""Puts stand-off labels and the texts that a user already has together again: `join_labels`.

A label finds its text by hash: its document is looked up and the sentence cut out by offsets, or the sentence itself
is looked up. Either way the sentence must have the hash that is its id, so that no label meets a wrong text. What
found no text, or a changed one, is reported with the reason. `raw_datasets` reads the texts; nothing is fetched.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsacts.data.raw_datasets import ANY_DATASET, MEMBERS, SourceText, read_source_texts
from newsacts.data.standoff import StandoffLabel, hash_text, read_standoff
from newsacts.errors import UsageError
from newsacts.records import Example

__all__ = [
    "JoinResult",
    "Unjoined",
    "join_labels",
    "read_source_texts",
    "read_standoff",
    "select_dataset",
    "write_examples",
    "write_unjoined",
]

NO_DOCUMENT = "no text has the hash of the document, nor one the hash of the sentence"
NO_SENTENCE = "no text has the hash of the sentence"
BAD_SPAN = "the document is there, but the characters at its offsets are not the sentence"
CHANGED_TEXT = "a text has the id, but not the hash: it was changed"


@dataclass(frozen=True, slots=True)
class Unjoined:
    """A label without its text: `reason` is one of a few fixed sentences, `detail` says where and what was got."""

    label: StandoffLabel
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class JoinResult:
    """Labelled examples in the order of the labels; labels whose text is missing; labels whose text is another one."""

    examples: list[Example]
    missing: list[Unjoined]
    mismatched: list[Unjoined]

    def count_reasons(self) -> dict[str, int]:
        """How many labels were not joined, by reason, the most frequent first."""
        return dict(Counter(one.reason for one in (*self.mismatched, *self.missing)).most_common())


def join_labels(labels: Sequence[StandoffLabel], texts: Iterable[SourceText]) -> JoinResult:
    """Give each label its text, with white space folded. The texts are gone through once and not kept.

    A text may be a whole document or a single sentence, with or without an id of its own.
    """
    by_document: defaultdict[str, list[StandoffLabel]] = defaultdict(list)
    for label in labels:
        by_document[label.document].append(label)
    ids = {label.id for label in labels}
    found: dict[str, str] = {}
    faults: dict[str, tuple[str, str]] = {}
    for source in texts:
        digest = hash_text(source.text)
        if digest in ids:
            found[digest] = source.text
        elif source.id in ids:
            faults[source.id] = (CHANGED_TEXT, f"{source.origin}: the hash is {digest}")
        for label in by_document.get(digest, ()):
            sentence = source.text[label.start : label.end]
            if hash_text(sentence) == label.id:
                found[label.id] = sentence
            else:
                got = f"{source.origin}: characters {label.start} to {label.end} have the hash {hash_text(sentence)}"
                faults[label.id] = (BAD_SPAN, got)
    return _sort_out(labels, found, faults)


def select_dataset(labels: Iterable[StandoffLabel], dataset: str) -> list[StandoffLabel]:
    """The labels whose texts a published dataset holds; all of them for `any`. Raises `UsageError` if unknown."""
    if dataset == ANY_DATASET:
        return list(labels)
    if dataset not in MEMBERS:
        raise UsageError(f"unknown dataset {dataset!r}, expected one of {', '.join((ANY_DATASET, *MEMBERS))}")
    return [label for label in labels if label.dataset in MEMBERS[dataset]]


def write_examples(examples: Iterable[Example], labels: Iterable[StandoffLabel], path: str | Path) -> None:
    """Write joined examples as JSONL that `load_examples` reads, with what the labels know beside it."""
    known = {label.id: label for label in labels}
    rows = []
    for example in examples:
        label = known[example.id]
        rows.append(
            {
                "id": example.id,
                "text": example.text,
                "labels": list(example.labels),
                "dataset": label.dataset,
                "document": example.group,
                "start": label.start,
                "end": label.end,
                "stratum": label.stratum,
                "read": label.read,
                "split": example.split,
                **({"unsure": True} if label.unsure else {}),
            }
        )
    _write_rows(rows, path)


def write_unjoined(result: JoinResult, path: str | Path) -> None:
    """Write the labels that got no text as JSONL: id, dataset, document, reason, detail."""
    rows = [
        {
            "id": one.label.id,
            "dataset": one.label.dataset,
            "document": one.label.document,
            "reason": one.reason,
            "detail": one.detail,
        }
        for one in (*result.mismatched, *result.missing)
    ]
    _write_rows(rows, path)


def _sort_out(
    labels: Sequence[StandoffLabel], found: Mapping[str, str], faults: Mapping[str, tuple[str, str]]
) -> JoinResult:
    result = JoinResult([], [], [])
    for label in labels:
        if label.id in found:
            example = Example(label.id, found[label.id], label.labels, label.document, label.split)
            result.examples.append(example)
        elif label.id in faults:
            result.mismatched.append(Unjoined(label, *faults[label.id]))
        else:
            result.missing.append(Unjoined(label, NO_SENTENCE if label.document == label.id else NO_DOCUMENT))
    return result


def _write_rows(rows: Iterable[Mapping[str, object]], path: str | Path) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    try:
        Path(path).write_text(lines, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write to {str(path)!r}: {error.strerror or error}") from error
