"""The ONNX graph of a checkpoint: from its `onnx/` folder, from the user's cache, or built now and kept there.

A graph's key is a hash of all that decides it: weights, configuration, tokenizer, pooling, base model, precision,
`BUILDER` and, in int8, the measured activations, whose own key holds the sentences they were measured on. Thresholds
and scores are not among them. Reading a finished graph needs neither the weights nor the base model; the checkpoint was
verified when it was opened, and a graph is checked by the hash that is noted beside it.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from newsacts.backends.artifacts import find_cache_folder, keep_artifact, list_artifact, read_artifact, write_artifact
from newsacts.backends.bert_shapes import check_state, fill_config
from newsacts.backends.quantization import FULL_STEPS, REDUCED_STEPS
from newsacts.backends.written_sentences import digest_sentences
from newsacts.checkpoint import CONFIG, TOKENIZER, WEIGHTS, Checkpoint
from newsacts.weights import Array

BUILDER = 1
"""Raised whenever the same checkpoint would give another graph."""

FOLDER = "onnx"
"""Of a checkpoint: finished graphs and measured activations, where they are shipped with it."""

POOLINGS = ("mean", "cls", "max", "mean_max", "attention")
_ACTIVATIONS = "activations"
_logger = logging.getLogger("newsacts")


def explain_obstacle(checkpoint: Checkpoint) -> str | None:
    """Why a checkpoint has no ONNX graph, or None where it has."""
    config = checkpoint.load_encoder_config()
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}
    defaults = expected | {"model_type": None}
    for name, value in expected.items():
        found = config.get(name, defaults[name])
        if found != value:
            return f"ONNX graphs are built for BERT encoders with {name} {value!r}, this one has {found!r}"
    if checkpoint.facts.pooling not in POOLINGS:
        return f"ONNX graphs know the poolings {', '.join(POOLINGS)}, this checkpoint has {checkpoint.facts.pooling!r}"
    return None


def load_graph(checkpoint: Checkpoint, *, steps: int | None) -> tuple[bytes, str]:
    """The serialised graph and where it is from. `steps` is the largest int8 weight, None means float32.

    Raises `ModelError` for weights that are not those of the checkpoint's configuration.
    """
    load_state = cache(partial(load_fitting_state, checkpoint))
    activations = None if steps is None else load_activations(checkpoint, load_state)
    key = _name_graph(checkpoint, steps, activations)
    found = read_artifact(_list_folders(checkpoint), key)
    if found is not None:
        content, folder = found
        return content, "shipped with the checkpoint" if folder == checkpoint.folder / FOLDER else f"cached in {folder}"
    graph = _build(checkpoint, load_state(), steps, activations)
    place = _find_cache()
    kept = keep_artifact(place, key, graph, suffix=".onnx")
    return graph, f"built now, kept in {place}" if kept else "built now, and at every start: no cache can be written"


def load_fitting_state(checkpoint: Checkpoint) -> Mapping[str, Array]:
    """The checkpoint's weights. Raises `ModelError` unless they are all that its graph reads, and no more."""
    state, facts = checkpoint.load_weights(), checkpoint.facts
    config = fill_config(checkpoint.load_encoder_config())
    check_state(state, config, pooling=facts.pooling, labels=len(facts.scheme))
    return state


def load_activations(checkpoint: Checkpoint, load_state: Callable[[], Mapping[str, Array]]) -> bytes:
    """Measured activations, as `activations.dump_spreads` writes them; measured unless they were before."""
    key = _name_activations(checkpoint)
    found = read_artifact(_list_folders(checkpoint), key)
    if found is not None:
        return found[0]
    from newsacts.backends.activations import dump_spreads, measure_activations

    _logger.info("measuring the activations of %s, once", checkpoint.folder)
    content = dump_spreads(measure_activations(checkpoint, load_state()))
    keep_artifact(_find_cache(), key, content, suffix=".safetensors")
    return content


def ship_graph(checkpoint: Checkpoint, folder: Path, *, steps: int | None) -> Path:
    """Write the graph, and what it was made from, into the `onnx/` folder of a copy of the checkpoint."""
    graph, _ = load_graph(checkpoint, steps=steps)
    activations = None
    if steps is not None:
        activations = ship_activations(checkpoint, folder).read_bytes()
    key = _name_graph(checkpoint, steps, activations)
    return write_artifact(folder / FOLDER, key, graph, suffix=".onnx")


def ship_activations(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write the measured activations alone: small, and they make the first start on a machine short."""
    content = load_activations(checkpoint, partial(load_fitting_state, checkpoint))
    return write_artifact(folder / FOLDER, _name_activations(checkpoint), content, suffix=".safetensors")


def list_shipped(checkpoint: Checkpoint) -> list[str]:
    """Files of the `onnx/` folder that belong to this very checkpoint and are sound, as "onnx/NAME"."""
    folder, measured = checkpoint.folder / FOLDER, _name_activations(checkpoint)
    keys = [measured, _name_graph(checkpoint, None, None)]
    if (found := read_artifact([folder], measured)) is not None:
        keys += [_name_graph(checkpoint, steps, found[0]) for steps in (FULL_STEPS, REDUCED_STEPS)]
    return [f"{FOLDER}/{name}" for key in keys for name in list_artifact(folder, key)]


def make_key(checkpoint: Checkpoint, kind: str, *, made_from: str | None = None) -> str:
    """The name of an artifact: its kind and a hash of all that decides its content, `made_from` among it."""
    facts, files = checkpoint.facts, checkpoint.files
    decisive = [BUILDER, kind, facts.pooling, facts.max_tokens, facts.base_sha256]
    decisive += [files[name] for name in (WEIGHTS, CONFIG, TOKENIZER)]
    # Differences to other layers are other weights; where all layers are kept, keys are what they always were.
    decisive += [] if facts.base_layers is None else [facts.base_layers]
    decisive += [] if made_from is None else [made_from]
    return f"{kind}-{hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:32]}"


def _build(checkpoint: Checkpoint, state: Mapping[str, Array], steps: int | None, activations: bytes | None) -> bytes:
    from newsacts.backends.bert_graph import GraphPlan, build_graph

    config, pooling = fill_config(checkpoint.load_encoder_config()), checkpoint.facts.pooling
    if steps is None or activations is None:
        return build_graph(state, GraphPlan(config, pooling))
    from newsacts.backends.activations import parse_spreads

    return build_graph(state, GraphPlan(config, pooling, parse_spreads(activations), steps))


def _name_activations(checkpoint: Checkpoint) -> str:
    return make_key(checkpoint, _ACTIVATIONS, made_from=digest_sentences())


def _name_graph(checkpoint: Checkpoint, steps: int | None, activations: bytes | None) -> str:
    made_from = None if activations is None else hashlib.sha256(activations).hexdigest()
    return make_key(checkpoint, "float32" if steps is None else f"int8-{steps}", made_from=made_from)


def _list_folders(checkpoint: Checkpoint) -> list[Path]:
    place = _find_cache()
    return [checkpoint.folder / FOLDER, *([] if place is None else [place])]


def _find_cache() -> Path | None:
    root = find_cache_folder()
    return None if root is None else root / FOLDER
