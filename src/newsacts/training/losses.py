"""Losses on logits (n, k) and targets (n, k) of 0 and 1 or of probabilities, each a mean over the batch (torch)."""

import torch
from torch import Tensor
from torch.nn import functional

from newsacts.training.config import LossSection


def compute_loss(
    logits: Tensor, targets: Tensor, section: LossSection, *, weights: Tensor | None = None, exclusive: bool = False
) -> Tensor:
    """The configured loss. `weights` (k,) multiply positives, or classes where the scheme is exclusive."""
    if exclusive:
        return _categorical(logits, targets, section, weights)
    return _binary(logits, targets, section, weights)


def _categorical(logits: Tensor, targets: Tensor, section: LossSection, weights: Tensor | None) -> Tensor:
    each = functional.cross_entropy(
        logits, targets, weight=weights, reduction="none", label_smoothing=section.smoothing
    )
    if section.kind != "cross_entropy":
        confidence = (logits.softmax(dim=1) * targets).sum(dim=1)
        each = each * (1 - confidence) ** section.gamma
    return each.mean()


def _binary(logits: Tensor, targets: Tensor, section: LossSection, weights: Tensor | None) -> Tensor:
    soft = targets * (1 - section.smoothing) + section.smoothing / 2
    if section.kind == "asymmetric":
        return _asymmetric(logits, soft, section, weights).mean()
    each = functional.binary_cross_entropy_with_logits(logits, soft, pos_weight=weights, reduction="none")
    if section.kind == "focal":
        probability = logits.sigmoid()
        each = each * (probability - targets).abs() ** section.gamma
    return each.mean()


def _asymmetric(logits: Tensor, targets: Tensor, section: LossSection, weights: Tensor | None) -> Tensor:
    # Ridnik et al. 2021: easy negatives are shifted to zero loss and the rest are damped.
    probability = logits.sigmoid()
    shifted = (probability - section.clip).clamp(min=0)
    positive = targets * functional.logsigmoid(logits)
    negative = (1 - targets) * shifted**section.gamma * torch.log1p(-shifted)
    if weights is not None:
        positive = positive * weights
    return -(positive + negative)
