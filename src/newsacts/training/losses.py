"""Losses on logits (n, k) and targets (n, k) of 0 and 1 or of probabilities, each a mean over the batch (torch)."""

import torch
from torch import Tensor
from torch.nn import functional

from newsacts.errors import UsageError
from newsacts.training.config import LossSection

_LEAST = 1e-8


def compute_loss(
    logits: Tensor, targets: Tensor, section: LossSection, *, weights: Tensor | None = None, exclusive: bool = False
) -> Tensor:
    """The configured loss. `weights` (k,) multiply positives, or classes where the scheme is exclusive.

    Finite, with finite gradients, for any finite logits. Raises `UsageError` for "asymmetric" and exclusive labels.
    """
    if exclusive:
        return _categorical(logits, targets, section, weights)
    return _binary(logits, targets, section, weights)


def _categorical(logits: Tensor, targets: Tensor, section: LossSection, weights: Tensor | None) -> Tensor:
    if section.kind == "asymmetric":
        raise UsageError("the asymmetric loss has no form for exclusive labels, expected cross_entropy or focal")
    each = functional.cross_entropy(
        logits, targets, weight=weights, reduction="none", label_smoothing=section.smoothing
    )
    if section.kind == "focal":
        confidence = (logits.softmax(dim=1) * targets).sum(dim=1)
        each = each * _damp(1 - confidence, section.gamma)
    return each.mean()


def _binary(logits: Tensor, targets: Tensor, section: LossSection, weights: Tensor | None) -> Tensor:
    soft = targets * (1 - section.smoothing) + section.smoothing / 2
    if section.kind == "asymmetric":
        return _asymmetric(logits, soft, section, weights).mean()
    each = functional.binary_cross_entropy_with_logits(logits, soft, pos_weight=weights, reduction="none")
    if section.kind == "focal":
        probability = logits.sigmoid()
        each = each * _damp((probability - targets).abs(), section.gamma)
    return each.mean()


def _asymmetric(logits: Tensor, targets: Tensor, section: LossSection, weights: Tensor | None) -> Tensor:
    # Ridnik et al. 2021: easy negatives are shifted to zero loss and the rest are damped.
    probability = logits.sigmoid()
    shifted = (probability - section.clip).clamp(min=0)
    positive = targets * functional.logsigmoid(logits)
    # Unshifted, a probability that rounds to 1 would have the logarithm of 0, and 0 times that is no number.
    rest = functional.logsigmoid(-logits)
    if section.clip:
        rest = torch.log((-logits).sigmoid() + section.clip).clamp(max=0)
    negative = (1 - targets) * _damp(shifted, section.gamma) * rest
    if weights is not None:
        positive = positive * weights
    return -(positive + negative)


def _damp(distances: Tensor, gamma: float) -> Tensor:
    # At 0 a power below 1 has no finite gradient.
    return distances.clamp(min=_LEAST) ** gamma
