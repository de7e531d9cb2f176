"""Checkpoints whose parts do not fit each other, or that want to do harm: both backends refuse them alike."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsacts import Classifier, ModelError
from newsacts.backends.network import build_network
from newsacts.checkpoint import Checkpoint, write_checkpoint
from newsacts.weights import Array
from tests import tiny

State = dict[str, Array]
BACKENDS = [{"backend": "onnx", "dtype": "float32"}, {"backend": "onnx", "dtype": "int8"}, {"backend": "pytorch"}]
REFUSED_BY_PYTORCH: dict[str, dict[str, Any]] = {
    "no heads": {"num_attention_heads": 0},
    "an odd number of heads": {"num_attention_heads": 3},
    "an unknown activation": {"hidden_act": "owner/activation"},
    "a vocabulary that fills no memory": {"vocab_size": 10**12},
    "a size that no tensor can have": {"hidden_size": 10**30},
    "layers without end": {"num_hidden_layers": 10**9},
    "a size in words": {"intermediate_size": "many"},
    "an unknown model": {"model_type": "owner/model"},
    "no model": {"model_type": None},
    "a kernel from the hub": {"attn_implementation": "owner/kernel"},
    "a kernel of a part": {"text_config": {"_attn_implementation": {"": "owner/kernel"}}},
}
REFUSED_BY_ONNX: dict[str, dict[str, Any]] = {
    name: changes
    for name, changes in REFUSED_BY_PYTORCH.items()
    if changes.keys() <= {"num_attention_heads", "vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size"}
} | {"a norm that is no number": {"layer_norm_eps": "small"}}


def rewrite(
    checkpoint: Checkpoint,
    folder: Path,
    *,
    change: Callable[[State], State] = lambda state: state,
    config: dict[str, Any] | None = None,
    **facts: Any,
) -> Path:
    """The checkpoint with other parts, whole by its own hashes."""
    texts = {"config.json": json.dumps(checkpoint.load_encoder_config() | (config or {}))}
    texts["tokenizer.json"] = checkpoint.tokenizer_file.read_text()
    weights = change(checkpoint.load_weights())
    return write_checkpoint(folder, replace(checkpoint.facts, **facts), weights=weights, texts=texts).folder


def drop_row(name: str) -> Callable[[State], State]:
    return lambda state: state | {name: state[name][:-1]}


UNFIT: dict[str, dict[str, Any]] = {
    "more layers than the configuration": {"config": {"num_hidden_layers": 1}},
    "fewer layers than the configuration": {"config": {"num_hidden_layers": 3}},
    "a tensor left over": {"change": lambda state: state | {"encoder.adapter.weight": np.ones(3, np.float32)}},
    "a tensor missing": {"change": lambda state: {name: state[name] for name in state if name != "head.bias"}},
    "a short head": {"change": drop_row("head.bias")},
    "short embeddings": {"change": drop_row("encoder.embeddings.word_embeddings.weight")},
    "few positions": {"change": drop_row("encoder.embeddings.position_embeddings.weight")},
}


@pytest.mark.parametrize("options", BACKENDS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("fault", UNFIT)
def test_weights_that_are_not_those_of_the_configuration_are_refused(
    fault: str, options: dict[str, str], tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = rewrite(tiny_checkpoint, tmp_path / "unfit", **UNFIT[fault])
    with pytest.raises(ModelError, match="do not fit the network"):
        Classifier.from_pretrained(folder, device="cpu", **options)


@pytest.mark.parametrize("options", BACKENDS, ids=lambda options: "-".join(options.values()))
def test_more_tokens_than_positions_are_refused(
    options: dict[str, str], tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = rewrite(tiny_checkpoint, tmp_path / "unfit", max_tokens=49)
    with pytest.raises(ModelError, match="max_tokens is 49, and the encoder reads at most 48"):
        Classifier.from_pretrained(folder, device="cpu", **options)


@pytest.mark.parametrize("fault", REFUSED_BY_PYTORCH)
def test_configurations_that_make_no_network_are_model_errors(
    fault: str, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = rewrite(tiny_checkpoint, tmp_path / "unfit", config=REFUSED_BY_PYTORCH[fault])
    with pytest.raises(ModelError):
        Classifier.from_pretrained(folder, backend="pytorch", device="cpu")


@pytest.mark.parametrize("fault", REFUSED_BY_ONNX)
def test_configurations_that_make_no_graph_are_model_errors(
    fault: str, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = rewrite(tiny_checkpoint, tmp_path / "unfit", config=REFUSED_BY_ONNX[fault])
    with pytest.raises(ModelError, match=r"config\.json|do not fit the network"):
        Classifier.from_pretrained(folder, backend="onnx", dtype="float32")


@pytest.mark.parametrize(
    ("config", "words"),
    [("[]", "expected a JSON object, got list"), ("[" * 100_000 + "]" * 100_000, "cannot be read as JSON")],
    ids=["a list", "nested without end"],
)
def test_a_configuration_that_is_no_object_is_a_model_error(
    config: str, words: str, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    texts = {"config.json": config, "tokenizer.json": tiny_checkpoint.tokenizer_file.read_text()}
    other = write_checkpoint(
        tmp_path / "unfit", tiny_checkpoint.facts, weights=tiny_checkpoint.load_weights(), texts=texts
    )
    with pytest.raises(ModelError, match=rf"config\.json: {words}"):
        Classifier.from_pretrained(other.folder, device="cpu")


@pytest.mark.parametrize("options", BACKENDS, ids=lambda options: "-".join(options.values()))
def test_a_tokenizer_with_more_tokens_than_the_network_is_a_model_error(
    options: dict[str, str], tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    name, size = "encoder.embeddings.word_embeddings.weight", 20
    folder = rewrite(
        tiny_checkpoint,
        tmp_path / "unfit",
        change=lambda state: state | {name: state[name][:size]},
        config={"vocab_size": size},
    )
    with pytest.raises(ModelError, match="tokenizer and weights may be of two models"):
        Classifier.from_pretrained(folder, device="cpu", **options).predict(["The mill makes paper."])


@pytest.mark.parametrize("fault", [name for name in REFUSED_BY_PYTORCH if "kernel" in name])
def test_kernels_of_others_are_refused_before_they_are_looked_for(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsacts.backends.network.AutoModel", None)
    with pytest.raises(ModelError, match="may run foreign code"):
        build_network(tiny.build_encoder_config() | REFUSED_BY_PYTORCH[fault], labels=2, pooling="mean")


def test_a_number_of_labels_that_no_network_has_costs_nothing() -> None:
    config = tiny.build_encoder_config() | {"num_labels": 10**12}
    assert build_network(config, labels=2, pooling="mean").head.out_features == 2


@pytest.mark.parametrize("kind", ["eager", "sdpa", None])
def test_attention_of_transformers_itself_may_be_named(kind: str | None) -> None:
    config = tiny.build_encoder_config() | {"attn_implementation": kind}
    assert build_network(config, labels=2, pooling="mean").encoder is not None
