"""What the activations of a checkpoint are on written sentences: the ground for the grids of int8.

The sentences are those of the corpus in the package, half of them in the form of wire text. Labels are not looked at.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.numpy import load, save

from newsacts import data
from newsacts.backends.bert_graph import PROBE, GraphPlan, build_graph, fill_config, name_places
from newsacts.backends.onnx_session import choose_threads, feed_batch, open_session
from newsacts.backends.quantization import Spread, measure_spread
from newsacts.batching import WindowTokenizer, form_batches
from newsacts.checkpoint import Checkpoint
from newsacts.registers import to_wire
from newsacts.weights import Array

SENTENCES = 256
TOKEN_BUDGET = 1_024
_CORPUS = Path(data.__file__).parent / "corpus" / "sentences.jsonl"


def read_sentences(count: int = SENTENCES) -> list[str]:
    """Sentences from all over the written corpus, every other one as wire text."""
    texts = [str(json.loads(line)["text"]) for line in _CORPUS.read_text(encoding="utf-8").splitlines()]
    chosen = texts[:: max(1, len(texts) // count)][:count]
    return [to_wire(text) if number % 2 else text for number, text in enumerate(chosen)]


def measure_activations(checkpoint: Checkpoint, state: Mapping[str, Array]) -> dict[str, Spread]:
    """The spread of every quantisable product's input, by place. Runs the float32 graph; needs no torch."""
    config, facts = fill_config(checkpoint.load_encoder_config()), checkpoint.facts
    plan = GraphPlan(config, facts.pooling, probe=True)
    session = open_session(build_graph(state, plan), threads=int(choose_threads().value))
    tokenizer = WindowTokenizer(checkpoint.tokenizer_file, max_tokens=facts.max_tokens)
    windows = tokenizer.tokenize(read_sentences())
    places = name_places(config)
    spreads: dict[str, Spread] = {}
    for batch in form_batches(windows, token_budget=TOKEN_BUDGET, padding_id=tokenizer.padding_id):
        values = session.run([PROBE + place for place in places], feed_batch(batch))
        for place, vectors in zip(places, values, strict=True):
            found = measure_spread(vectors[batch.mask.astype(bool)])
            spreads[place] = spreads[place].join(found) if place in spreads else found
    return spreads


def dump_spreads(spreads: Mapping[str, Spread]) -> bytes:
    """Spreads as a safetensors file."""
    tensors = {f"{place}.low": spread.low for place, spread in spreads.items()}
    tensors |= {f"{place}.high": spread.high for place, spread in spreads.items()}
    content: bytes = save(tensors)
    return content


def parse_spreads(content: bytes) -> dict[str, Spread]:
    """The inverse of `dump_spreads`."""
    tensors = load(content)
    places = [name.removesuffix(".low") for name in tensors if name.endswith(".low")]
    return {place: Spread(tensors[f"{place}.low"], tensors[f"{place}.high"]) for place in places}
