"""Integrated gradients (Sundararajan, Taly and Yan 2017) of the word embeddings, by captum; PyTorch models only.

The path goes from a text of padding tokens to the text; a word weighs the sum over its tokens, so that the weights of
all tokens together make the difference of the log-odds between the two ends ("completeness"). Tokens outside words
(punctuation, special tokens) have their share, which is not shown. Left out: texts longer than one window.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from newsacts.backends.base import Backend
from newsacts.backends.pytorch import PytorchBackend
from newsacts.checkpoint import Checkpoint, ModelFacts
from newsacts.errors import BackendError, UsageError
from newsacts.explanation.values import Attribution, Explanation, choose_labels
from newsacts.explanation.words import find_words

METHOD = "integrated-gradients"
STEPS = 64
"""Points of the path; more bring the sum of the weights nearer to the difference that they explain."""
POINTS_AT_ONCE = 16


def integrate_gradients(
    checkpoint: Checkpoint, backend: Backend, texts: Sequence[str], *, labels: Iterable[str] | None = None
) -> list[Explanation]:
    """One explanation a text, in order; `labels` None explains every label.

    Raises `BackendError` for a backend without gradients or where captum is missing, and `UsageError` for an unknown
    label or a text longer than the model reads at once.
    """
    if not isinstance(backend, PytorchBackend):
        raise BackendError(
            f"integrated gradients need the pytorch backend, got {backend.choices['backend'].value}; "
            "open the model with backend='pytorch', or use method='occlusion'"
        )
    facts = checkpoint.facts
    chosen = choose_labels(labels, facts.scheme)
    tokenizer = Tokenizer.from_file(str(checkpoint.tokenizer_file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return [_explain_text(text, _encode(tokenizer, text, facts), chosen, facts, backend.network) for text in texts]


def _encode(tokenizer: Tokenizer, text: str, facts: ModelFacts) -> Encoding:
    encoding = tokenizer.encode(text)
    if len(encoding.ids) > facts.max_tokens:
        raise UsageError(
            f"a text of {len(encoding.ids)} tokens is longer than the {facts.max_tokens} that the model reads at once; "
            f"use method='occlusion' for it: {text[:60]!r}..."
        )
    return encoding


def _explain_text(
    text: str, encoding: Encoding, labels: Sequence[str], facts: ModelFacts, network: torch.nn.Module
) -> Explanation:
    words = find_words(text)
    attributions = {}
    for name in labels:
        shares = share_tokens(encoding, facts.scheme.index(name), facts, network)
        weights = [0.0] * len(words)
        for (start, end), share in zip(encoding.offsets, shares, strict=True):
            owner = next((number for number, word in enumerate(words) if start < word[1] and end > word[0]), None)
            if owner is not None:
                weights[owner] += float(share)
        attributions[name] = tuple(
            Attribution(start, end, weight) for (start, end), weight in zip(words, weights, strict=True)
        )
    return Explanation(text, attributions, METHOD)


def share_tokens(encoding: Encoding, column: int, facts: ModelFacts, network: Any) -> npt.NDArray[np.float64]:
    """What each token adds to the log-odds of one label, (tokens,)."""
    layer_gradients = _load_captum()
    device = next(network.parameters()).device
    ids = torch.tensor([encoding.ids], device=device)
    special = torch.tensor([encoding.special_tokens_mask], device=device, dtype=torch.bool)
    padding = network.encoder.config.pad_token_id or 0
    explainer = layer_gradients(_build_forward(network, column, facts), network.encoder.get_input_embeddings())
    shares: Tensor = explainer.attribute(
        ids,
        baselines=torch.where(special, ids, torch.full_like(ids, padding)),
        additional_forward_args=(torch.ones_like(ids),),
        n_steps=STEPS,
        internal_batch_size=POINTS_AT_ONCE,
    )
    summed: npt.NDArray[np.float64] = shares.sum(dim=-1)[0].detach().double().cpu().numpy()
    return summed


def _build_forward(network: Any, column: int, facts: ModelFacts) -> Callable[[Tensor, Tensor], Tensor]:
    def compute_log_odds(ids: Tensor, mask: Tensor) -> Tensor:
        logits = network(ids, mask)
        slopes = logits.new_tensor(facts.calibration.slopes)
        scaled: Tensor = logits * slopes + logits.new_tensor(facts.calibration.intercepts)
        if not facts.scheme.exclusive:
            return scaled[:, column]
        others = torch.cat([scaled[:, :column], scaled[:, column + 1 :]], dim=1)
        return scaled[:, column] - others.logsumexp(dim=1)

    return compute_log_odds


def _load_captum() -> Any:
    try:
        from captum.attr import LayerIntegratedGradients
    except ImportError as error:
        raise BackendError(
            f"integrated gradients need a package that is not there ({error.name}); "
            "pip install 'newsacts[explain]', or use method='occlusion'"
        ) from error
    return LayerIntegratedGradients
