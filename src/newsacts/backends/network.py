"""The network: a pretrained encoder, a pooling of its token vectors, dropout and a linear head (torch).

Built from a transformers configuration, so any encoder that `AutoModel` knows will do. The linear head after
mean pooling makes the sentence logit the mean of token logits, which is what `training.export` relies on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from newsacts.checkpoint import CONFIG, Checkpoint
from newsacts.errors import ModelError, UsageError
from newsacts.weights import Array, check_shapes

POOLINGS = ("mean", "cls", "max", "mean_max", "attention")

_IMPLEMENTATIONS = ("attn_implementation", "attn_implementation_internal", "experts_implementation")
_OWN_ATTENTION = (None, "eager", "sdpa")
_CONFIG_FAULTS = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    ImportError,
    OSError,
    StrictDataclassError,
)
"""What transformers and torch raise for configurations that make no sense, each in its own way."""


class Pooling(nn.Module):
    """One vector a sentence from token vectors (n, t, h) and mask (n, t): (n, `width`)."""

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        if kind not in POOLINGS:
            raise UsageError(f"unknown pooling {kind!r}, expected one of {', '.join(POOLINGS)}")
        self.kind = kind
        self.width = 2 * hidden if kind == "mean_max" else hidden
        self.score = nn.Linear(hidden, 1) if kind == "attention" else None

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        if self.kind == "cls":
            return vectors[:, 0]
        hidden = mask.unsqueeze(-1) == 0
        if self.score is not None:
            scores: Tensor = self.score(vectors).masked_fill(hidden, float("-inf"))
            return (vectors * scores.softmax(dim=1)).sum(dim=1)
        mean = vectors.masked_fill(hidden, 0).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        if self.kind == "mean":
            return mean
        highest = vectors.masked_fill(hidden, float("-inf")).amax(dim=1)
        return highest if self.kind == "max" else torch.cat([mean, highest], dim=-1)


class SentenceNetwork(nn.Module):
    """`forward(input_ids, attention_mask)` gives float32 logits (n, k)."""

    def __init__(self, encoder: nn.Module, *, hidden: int, labels: int, pooling: str, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = Pooling(pooling, hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.pooling.width, labels)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        vectors = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        # The head always works in float32: pooling in half precision costs accuracy and saves nothing.
        with torch.autocast(device_type=vectors.device.type, enabled=False):
            logits: Tensor = self.head(self.dropout(self.pooling(vectors.float(), attention_mask)))
        return logits


def open_network(checkpoint: Checkpoint) -> SentenceNetwork:
    """The network of a checkpoint with its weights, ready to compute on the CPU. Raises `ModelError`.

    Shapes are compared before anything is allocated, so that sizes in config.json cost nothing unless they are right.
    """
    facts, config, state = checkpoint.facts, checkpoint.load_encoder_config(), checkpoint.load_weights()
    for key, value in _walk(config):
        if key.endswith("layers") and isinstance(value, int) and value > len(state):
            raise ModelError(f"{CONFIG}: {key} is {value}, and there are only {len(state)} tensors")
    labels, pooling = len(facts.scheme), facts.pooling
    with torch.device("meta"):
        outline = build_network(config, labels=labels, pooling=pooling)
    check_shapes(state, {name: tuple(tensor.shape) for name, tensor in outline.state_dict().items()})
    network = build_network(config, labels=labels, pooling=pooling)
    load_state(network, state)
    return network.eval()


def build_network(
    encoder_config: Mapping[str, Any], *, labels: int, pooling: str, dropout: float = 0.0
) -> SentenceNetwork:
    """A network with random weights from an encoder configuration. Raises `ModelError` for one that cannot be used.

    Attention of another kind than transformers' own is refused: a name like "owner/kernel" would fetch and run code.
    """
    for key, value in _walk(encoder_config):
        if key.endswith(_IMPLEMENTATIONS) and value not in _OWN_ATTENTION:
            raise ModelError(f"{CONFIG}: {key} is {value!r}, which may run foreign code; leave it out of the file")
    # transformers makes a name for each of `num_labels`, which no network of newsacts has a use for.
    values = {name: value for name, value in encoder_config.items() if name not in {"model_type", "num_labels"}}
    try:
        config = AutoConfig.for_model(encoder_config["model_type"], **values)
        encoder: Any = AutoModel.from_config(config, trust_remote_code=False, **without_pooler(config.model_type))  # type: ignore[no-untyped-call]
        hidden = int(config.hidden_size)
    except _CONFIG_FAULTS as error:
        raise ModelError(
            f"encoder configuration cannot be used: {error!r}; expected {CONFIG} of a model that "
            "transformers' AutoModel knows"
        ) from error
    return SentenceNetwork(encoder, hidden=hidden, labels=labels, pooling=pooling, dropout=dropout)


def load_state(network: nn.Module, state: Mapping[str, Array]) -> None:
    """Fill a network. Raises `ModelError` where a tensor is missing, left over, or of another shape."""
    tensors = {name: torch.from_numpy(tensor) for name, tensor in state.items()}
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise ModelError(f"weights do not fit the network: {error}") from error


def dump_state(network: nn.Module) -> dict[str, Array]:
    """Every parameter and floating buffer as float32 numpy arrays on the CPU."""
    return {
        name: tensor.detach().float().cpu().numpy()
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }


@contextmanager
def hush_transformers() -> Iterator[None]:
    """No loading bars and no table of unused tensors: the caller checks by itself that everything fits."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _walk(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values of a configuration and of those inside it."""
    for key, value in config.items():
        yield key, value
        if isinstance(value, dict):
            yield from _walk(value)


def without_pooler(model_type: str) -> dict[str, bool]:
    """Options that keep transformers from adding a pooler: dead weight, since newsacts pools by itself."""
    return {"add_pooling_layer": False} if model_type in {"bert", "roberta", "xlm-roberta"} else {}
