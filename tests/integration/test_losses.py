"""Claims about the losses: they fall as predictions improve, and stay finite."""

from typing import Any

import pytest
import torch

from newsacts.errors import UsageError
from newsacts.training.config import LossSection
from newsacts.training.losses import compute_loss

CASES = [("cross_entropy", True), ("focal", True), ("cross_entropy", False), ("focal", False), ("asymmetric", False)]


@pytest.mark.parametrize(("kind", "exclusive"), CASES)
def test_every_loss_falls_as_predictions_improve(kind: str, exclusive: bool) -> None:
    section = LossSection.model_validate({"kind": kind})
    truth = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    losses = [
        float(compute_loss((2 * truth - 1) * size, truth, section, exclusive=exclusive)) for size in (-3, 0, 3, 9)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0, abs=0.01)


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    logits, truth = torch.randn(5, 3), (torch.rand(5, 3) > 0.5).float()
    plain = compute_loss(logits, truth, LossSection())
    assert compute_loss(logits, truth, LossSection(kind="focal", gamma=0)) == pytest.approx(float(plain))
    unshifted = LossSection(kind="asymmetric", gamma=0, clip=0)
    assert float(compute_loss(logits, truth, unshifted)) == pytest.approx(float(plain), abs=1e-5)


@pytest.mark.parametrize(("kind", "exclusive"), CASES)
@pytest.mark.parametrize("options", [{"gamma": 2.0}, {"gamma": 0.5}, {"clip": 0.0}, {"clip": 1e-9, "gamma": 0.5}])
def test_every_loss_and_its_gradient_are_finite_however_sure_a_model_is(
    kind: str, exclusive: bool, options: dict[str, Any]
) -> None:
    section = LossSection.model_validate({"kind": kind, **options})
    sure = torch.tensor([[0.0, 20.0, -20.0, 200.0, -200.0]])
    for column in range(5):
        logits = sure.clone().requires_grad_()
        truth = torch.eye(5)[column : column + 1]
        loss = compute_loss(logits, truth, section, exclusive=exclusive)
        loss.backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()


def test_the_asymmetric_loss_is_the_one_of_the_paper() -> None:
    logits, truth = torch.randn(50, 3), (torch.rand(50, 3) > 0.5).float()
    probability = logits.sigmoid()
    shifted = (probability - 0.05).clamp(min=0)
    expected = -(truth * probability.log() + (1 - truth) * shifted**2 * (1 - shifted).log())
    section = LossSection(kind="asymmetric", gamma=2, clip=0.05)
    assert float(compute_loss(logits, truth, section)) == pytest.approx(float(expected.mean()), abs=1e-5)


def test_the_asymmetric_loss_of_exclusive_labels_is_refused() -> None:
    with pytest.raises(UsageError, match="no form for exclusive labels"):
        compute_loss(torch.zeros(1, 3), torch.eye(3)[:1], LossSection(kind="asymmetric"), exclusive=True)
