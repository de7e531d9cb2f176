"""The sentences that activations are measured on: of the corpus in the package, half of them in the form of wire text.

Labels are not looked at.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from newsacts import data
from newsacts.registers import to_wire

SENTENCES = 256
_CORPUS = Path(data.__file__).parent / "corpus" / "sentences.jsonl"


def read_sentences(count: int = SENTENCES, *, corpus: Path = _CORPUS) -> list[str]:
    """Sentences from all over the written corpus, every other one as wire text."""
    lines = corpus.read_text(encoding="utf-8").splitlines()
    chosen = [str(json.loads(line)["text"]) for line in lines[:: max(1, len(lines) // count)][:count]]
    return [to_wire(text) if number % 2 else text for number, text in enumerate(chosen)]


@lru_cache(maxsize=4)
def digest_sentences(corpus: Path = _CORPUS) -> str:
    """SHA-256 of these sentences."""
    return hashlib.sha256(json.dumps(read_sentences(corpus=corpus)).encode()).hexdigest()
