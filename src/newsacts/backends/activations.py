"""What the activations of a checkpoint are on written sentences: the ground for the grids of int8."""

from collections.abc import Mapping

from safetensors.numpy import load, save

from newsacts.backends.bert_graph import PROBE, GraphPlan, build_graph, name_places
from newsacts.backends.bert_shapes import fill_config
from newsacts.backends.onnx_session import choose_threads, open_session, run_session
from newsacts.backends.quantization import Spread, measure_spread
from newsacts.backends.written_sentences import read_sentences
from newsacts.batching import WindowTokenizer, form_batches
from newsacts.checkpoint import Checkpoint
from newsacts.weights import Array

TOKEN_BUDGET = 1_024


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
        values = run_session(session, [PROBE + place for place in places], batch)
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
