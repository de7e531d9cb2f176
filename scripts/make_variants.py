"""Variants of labelled sentences for a teacher to score: crops, splices, dropped words and swapped names.

    python scripts/make_variants.py --texts build/labelled.jsonl --output build/variants.jsonl

A variant has no label of its own, since cutting a sentence can cut its act; a teacher scores it, and a student learns
from the scores (data augmentation for distillation, after Jiao et al. 2020, TinyBERT, section 3.2). Each sentence has
its own random numbers, seeded by its id, so the same input gives the same bytes. Sentences with a label give three
variants, others one.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from newsacts.data.standoff import fold_space, hash_text

SHORTEST = 5
"""Words: a shorter variant says too little."""
DROPPED = 0.12
"""Share of words that "drop" leaves out."""

_CLAUSE = re.compile(r"(?<=[,;:])\s+|\s+(?=(?:that|but|and|after|while|which|who|saying|because|as)\s)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")


def crop(text: str, others: Sequence[str], random: Random) -> str:
    """A run of neighbouring clauses."""
    clauses = _CLAUSE.split(text)
    start = random.randrange(len(clauses))
    stop = random.randrange(start, len(clauses)) + 1
    return " ".join(clauses[start:stop])


def splice(text: str, others: Sequence[str], random: Random) -> str:
    """Clauses of the sentence and clauses of another one, in either order."""
    halves = [crop(text, others, random).rstrip(".,;: "), crop(random.choice(others), others, random)]
    random.shuffle(halves)
    return ", ".join(halves)


def drop(text: str, others: Sequence[str], random: Random) -> str:
    """The sentence without some of its words."""
    return " ".join(word for word in text.split() if random.random() > DROPPED)


def swap(text: str, others: Sequence[str], random: Random) -> str:
    """The sentence with the names of another one in place of its own, where both have names."""
    names = _NAME.findall(random.choice(others))
    return _NAME.sub(lambda found: random.choice(names) if names else found.group(), text)


def make_variants(rows: Sequence[dict[str, object]]) -> list[str]:
    """The variants of all rows, without repeats, without the texts of the rows, in order."""
    texts = [fold_space(str(row["text"])) for row in rows]
    seen = {hash_text(text) for text in texts}
    variants = []
    for row, text in zip(rows, texts, strict=True):
        random = Random(str(row["id"]))
        for _ in range(3 if row["labels"] else 1):
            way = random.choice((crop, splice, drop, swap))
            variant = fold_space(way(text, texts, random))
            if len(variant.split()) >= SHORTEST and hash_text(variant) not in seen:
                seen.add(hash_text(variant))
                variants.append(variant)
    return variants


def main() -> None:
    """Read the arguments, write the variants, print the count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", type=Path, required=True, help="labelled sentences with text, JSONL")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dataset", action="append", help="only sentences of this set; may be repeated")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.texts.read_text(encoding="utf-8").splitlines()]
    if arguments.dataset:
        rows = [row for row in rows if row["dataset"] in arguments.dataset]
    with arguments.output.open("w", encoding="utf-8", newline="\n") as file:
        for text in make_variants(rows):
            key = hash_text(text)
            row = {"id": key, "dataset": "variant", "document": key, "start": 0, "end": len(text), "text": text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{len(rows)} sentences, {arguments.output}")


if __name__ == "__main__":
    main()
