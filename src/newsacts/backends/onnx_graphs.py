"""The ONNX graph of a checkpoint: from its `onnx/` folder, from the user's cache, or built now and kept there.

A graph's key is a hash of all that decides it: weights, configuration, tokenizer, pooling, base model, precision and
`BUILDER`. Thresholds and scores are not among them. Reading a finished graph needs neither the weights nor the base
model; the checkpoint was verified when it was opened, and a graph is checked by the hash that is noted beside it.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path

from newsacts.backends.artifacts import find_cache_folder, keep_artifact, list_artifact, read_artifact, write_artifact
from newsacts.backends.quantization import FULL_STEPS, REDUCED_STEPS
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
    """The serialised graph and where it is from. `steps` is the largest int8 weight, None means float32."""
    key = make_key(checkpoint, _name_precision(steps))
    found = read_artifact(_list_folders(checkpoint), key)
    if found is not None:
        content, folder = found
        return content, "shipped with the checkpoint" if folder == checkpoint.folder / FOLDER else f"cached in {folder}"
    graph = build(checkpoint, steps=steps)
    cache = _find_cache()
    kept = keep_artifact(cache, key, graph, suffix=".onnx")
    return graph, f"built now, kept in {cache}" if kept else "built now, and at every start: no cache can be written"


def build(checkpoint: Checkpoint, *, steps: int | None) -> bytes:
    """Build a graph from the checkpoint's weights; activations are measured unless they were before."""
    from newsacts.backends.bert_graph import GraphPlan, build_graph, fill_config

    state = checkpoint.load_weights()
    config = fill_config(checkpoint.load_encoder_config())
    if steps is None:
        return build_graph(state, GraphPlan(config, checkpoint.facts.pooling))
    from newsacts.backends.activations import parse_spreads

    spreads = parse_spreads(load_activations(checkpoint, state))
    return build_graph(state, GraphPlan(config, checkpoint.facts.pooling, spreads, steps))


def load_activations(checkpoint: Checkpoint, state: Mapping[str, Array]) -> bytes:
    """Measured activations, as `activations.dump_spreads` writes them."""
    from newsacts.backends.activations import dump_spreads, measure_activations

    key = make_key(checkpoint, _ACTIVATIONS)
    found = read_artifact(_list_folders(checkpoint), key)
    if found is not None:
        return found[0]
    _logger.info("measuring the activations of %s, once", checkpoint.folder)
    content = dump_spreads(measure_activations(checkpoint, state))
    keep_artifact(_find_cache(), key, content, suffix=".safetensors")
    return content


def ship_graph(checkpoint: Checkpoint, folder: Path, *, steps: int | None) -> Path:
    """Write the graph, and what it was made from, into the `onnx/` folder of a copy of the checkpoint."""
    graph, _ = load_graph(checkpoint, steps=steps)
    if steps is not None:
        ship_activations(checkpoint, folder)
    return write_artifact(folder / FOLDER, make_key(checkpoint, _name_precision(steps)), graph, suffix=".onnx")


def ship_activations(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write the measured activations alone: small, and they make the first start on a machine short."""
    content = load_activations(checkpoint, checkpoint.load_weights())
    return write_artifact(folder / FOLDER, make_key(checkpoint, _ACTIVATIONS), content, suffix=".safetensors")


def list_shipped(checkpoint: Checkpoint) -> list[str]:
    """Files of the `onnx/` folder that belong to this very checkpoint and are sound, as "onnx/NAME"."""
    kinds = (_ACTIVATIONS, *(_name_precision(steps) for steps in (None, FULL_STEPS, REDUCED_STEPS)))
    folder = checkpoint.folder / FOLDER
    return [f"{FOLDER}/{name}" for kind in kinds for name in list_artifact(folder, make_key(checkpoint, kind))]


def make_key(checkpoint: Checkpoint, kind: str) -> str:
    """The name of an artifact: its kind and a hash of all that decides its content."""
    facts, files = checkpoint.facts, checkpoint.files
    decisive = [BUILDER, kind, facts.pooling, facts.max_tokens, facts.base_sha256]
    decisive += [files[name] for name in (WEIGHTS, CONFIG, TOKENIZER)]
    # Differences to other layers are other weights; where all layers are kept, keys are what they always were.
    decisive += [] if facts.base_layers is None else [facts.base_layers]
    return f"{kind}-{hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:32]}"


def _list_folders(checkpoint: Checkpoint) -> list[Path]:
    cache = _find_cache()
    return [checkpoint.folder / FOLDER, *([] if cache is None else [cache])]


def _find_cache() -> Path | None:
    root = find_cache_folder()
    return None if root is None else root / FOLDER


def _name_precision(steps: int | None) -> str:
    return "float32" if steps is None else f"int8-{steps}"
