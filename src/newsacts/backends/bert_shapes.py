"""What a BERT encoder, its pooling and the head must look like: the tensors that a graph reads, by name and shape.

A graph would otherwise be built from whatever is there, and leave out in silence what it does not read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from newsacts.errors import ModelError
from newsacts.weights import Array, Shape, check_shapes

_DEFAULTS: Mapping[str, Any] = {
    "layer_norm_eps": 1e-12,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_size": 768,
    "intermediate_size": 3_072,
    "vocab_size": 30_522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}
_SIZES = tuple(name for name in _DEFAULTS if name != "layer_norm_eps")


def fill_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """An encoder's configuration with BERT's own defaults for what it leaves out. Raises `ModelError`.

    That is for a size that is no whole number of 1 or more, and heads that do not share the hidden size evenly.
    """
    filled = {**_DEFAULTS, **config}
    for name in _SIZES:
        if type(filled[name]) is not int or filled[name] < 1:
            raise ModelError(f"config.json: {name} is {filled[name]!r}, expected a whole number of 1 or more")
    epsilon = filled["layer_norm_eps"]
    if type(epsilon) not in {int, float} or not 0 <= epsilon < 1:
        raise ModelError(f"config.json: layer_norm_eps is {epsilon!r}, expected a small number like 1e-12")
    if filled["hidden_size"] % filled["num_attention_heads"]:
        raise ModelError(
            f"config.json: hidden_size {filled['hidden_size']} is no multiple of num_attention_heads "
            f"{filled['num_attention_heads']}; restore the checkpoint"
        )
    return filled


def check_state(state: Mapping[str, Array], config: Mapping[str, Any], *, pooling: str, labels: int) -> None:
    """Raises `ModelError` unless the state holds all that the graph of a filled configuration reads, and no more."""
    layers = config["num_hidden_layers"]
    # Before the shapes are listed: a number that is far too high would take for ever.
    if layers > len(state):
        raise ModelError(f"config.json: num_hidden_layers is {layers}, and there are only {len(state)} tensors")
    check_shapes(state, dict(_list_shapes(config, pooling, labels)))


def _list_shapes(config: Mapping[str, Any], pooling: str, labels: int) -> Iterator[tuple[str, Shape]]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    root = "encoder.embeddings."
    yield root + "word_embeddings.weight", (config["vocab_size"], hidden)
    yield root + "position_embeddings.weight", (config["max_position_embeddings"], hidden)
    yield root + "token_type_embeddings.weight", (config["type_vocab_size"], hidden)
    yield from _list_pair(root + "LayerNorm", (hidden,))
    for layer in range(config["num_hidden_layers"]):
        root = f"encoder.encoder.layer.{layer}."
        for part in ("query", "key", "value"):
            yield from _list_pair(f"{root}attention.self.{part}", (hidden, hidden))
        yield from _list_pair(root + "attention.output.dense", (hidden, hidden))
        yield from _list_pair(root + "attention.output.LayerNorm", (hidden,))
        yield from _list_pair(root + "intermediate.dense", (inner, hidden))
        yield from _list_pair(root + "output.dense", (hidden, inner))
        yield from _list_pair(root + "output.LayerNorm", (hidden,))
    if pooling == "attention":
        yield from _list_pair("pooling.score", (1, hidden))
    yield from _list_pair("head", (labels, 2 * hidden if pooling == "mean_max" else hidden))


def _list_pair(name: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]
