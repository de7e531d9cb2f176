"""From labels to the codes of two event ontologies, CAMEO and PLOVER, and back.

The mapping is data with a version (`data/crosswalk/crosswalk.json`), made by reading both codebooks against ours; where
they contradict ours, each other or themselves, a note says so. It maps kinds, not records: the ontologies code events
between two actors, newsacts labels sentences.

lead: the one code that stands for a label in outputs. strict: codes of which every event carries the label. broad: the
strict ones, and codes of which some events do. For a label that PLOVER does not tell from others, strict is empty.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from newsacts.errors import UsageError

Ontology = Literal["cameo", "plover"]
Mode = Literal["lead", "strict", "broad"]

ONTOLOGIES: tuple[str, ...] = get_args(Ontology)
MODES: tuple[str, ...] = get_args(Mode)
CROSSWALK_FILE = Path(__file__).parent / "data" / "crosswalk" / "crosswalk.json"


@dataclass(frozen=True, slots=True)
class Note:
    """A contradiction or an open choice: which ontologies and codes it is about, and what was done."""

    id: str
    ontologies: tuple[str, ...]
    codes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """A version of the mapping. `names` and `sources` by ontology, `codes` by label, ontology and mode."""

    version: str
    codebook: str
    sources: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]
    codes: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    notes: tuple[Note, ...]

    def find_codes(self, labels: Iterable[str], ontology: str, *, mode: Mode = "lead") -> tuple[str, ...]:
        """The codes of some labels, in the order of the labels, each once.

        Raises `UsageError` for an unknown ontology or mode, and for a label that is none of the codebook's.
        """
        _check_choice("ontology", ontology, ONTOLOGIES)
        _check_choice("mode", mode, MODES)
        found: list[str] = []
        for label in labels:
            if label not in self.codes:
                raise UsageError(
                    f"label {label!r} has no {ontology} codes; the crosswalk knows {', '.join(self.codes)}, the labels "
                    "of the codebook: leave codes out for a scheme of your own"
                )
            found += self.codes[label][ontology][mode]
        return tuple(dict.fromkeys(found))

    def find_labels(self, code: str, ontology: str, *, mode: Literal["strict", "broad"] = "strict") -> tuple[str, ...]:
        """The labels that a code stands under; () for a code that has none. The way back, for coded data.

        Codes are compared as they are written: "1123" of a table is not found under "112".
        """
        _check_choice("ontology", ontology, ONTOLOGIES)
        _check_choice("mode", mode, MODES[1:])
        return tuple(label for label, found in self.codes.items() if code in found[ontology][mode])


@cache
def load_crosswalk() -> Crosswalk:
    """The crosswalk that ships with this version of newsacts."""
    values: dict[str, Any] = json.loads(CROSSWALK_FILE.read_text(encoding="utf-8"))
    ontologies = values["ontologies"]
    return Crosswalk(
        version=values["version"],
        codebook=values["codebook"],
        sources={name: ontology["source"] for name, ontology in ontologies.items()},
        names={name: ontology["codes"] for name, ontology in ontologies.items()},
        codes={label: _read_label(found) for label, found in values["labels"].items()},
        notes=tuple(
            Note(note["id"], tuple(note["ontologies"]), tuple(note["codes"]), note["text"]) for note in values["notes"]
        ),
    )


def find_codes(labels: Iterable[str], ontology: str, *, mode: Mode = "lead") -> tuple[str, ...]:
    """`Crosswalk.find_codes` of the shipped crosswalk."""
    return load_crosswalk().find_codes(labels, ontology, mode=mode)


def _read_label(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        name: {"lead": (codes["lead"],), "strict": tuple(codes["strict"]), "broad": tuple(codes["broad"])}
        for name, codes in found.items()
    }


def _check_choice(what: str, choice: str, known: Sequence[str]) -> None:
    if choice not in known:
        raise UsageError(f"{what} {choice!r} is unknown, expected one of {', '.join(known)}")
