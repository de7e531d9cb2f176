"""The network: a pretrained encoder, a pooling of its token vectors, dropout and a linear head (torch).

Built from a transformers configuration, so any encoder that `AutoModel` knows will do. The linear head after
mean pooling makes the sentence logit the mean of token logits, which is what `training.export` relies on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from newsacts.errors import ModelError, UsageError
from newsacts.weights import Array

POOLINGS = ("mean", "cls", "max", "mean_max", "attention")


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


def build_network(
    encoder_config: Mapping[str, Any], *, labels: int, pooling: str, dropout: float = 0.0
) -> SentenceNetwork:
    """A network with random weights from an encoder configuration. Raises `ModelError` for an unknown one."""
    values = {name: value for name, value in encoder_config.items() if name != "model_type"}
    try:
        config = AutoConfig.for_model(encoder_config["model_type"], **values)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"encoder configuration cannot be used: {error!r}; expected config.json of a model that "
            "transformers' AutoModel knows"
        ) from error
    encoder: Any = AutoModel.from_config(config, trust_remote_code=False, **without_pooler(config.model_type))  # type: ignore[no-untyped-call]
    return SentenceNetwork(encoder, hidden=config.hidden_size, labels=labels, pooling=pooling, dropout=dropout)


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


def without_pooler(model_type: str) -> dict[str, bool]:
    """Options that keep transformers from adding a pooler: dead weight, since newsacts pools by itself."""
    return {"add_pooling_layer": False} if model_type in {"bert", "roberta", "xlm-roberta"} else {}
