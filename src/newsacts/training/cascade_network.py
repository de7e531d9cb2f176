"""The first stage as torch trains it, and its way into integers. Knows nothing of files, models or thresholds.

A convolution over three tokens with highest and mean value per detector is enough for cues like "called … a lie", and
costs a thousandth of the encoder. It learns probabilities by cross-entropy (Hinton et al. 2015).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from newsacts.calibration import FloatArray
from newsacts.cascade import TAPS, FirstStage

_STEPS = 127
_LARGEST_BIAS = 2**22
_WIDEST = 0.9999
"""Share of the values of token vectors that fit on the int8 grid; the few beyond are cut."""


@dataclass(frozen=True, slots=True)
class StageSettings:
    """Size and training of a first stage."""

    dimensions: int = 32
    channels: int = 128
    epochs: int = 8
    batch_size: int = 64
    vector_rate: float = 1e-3
    rate: float = 2e-3
    dropout: float = 0.3
    seed: int = 0


class StageNetwork(nn.Module):
    """Token vectors, detectors, highest and mean, one line per output."""

    def __init__(self, vectors: FloatArray, settings: StageSettings, outputs: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding.from_pretrained(torch.from_numpy(vectors), freeze=False)  # type: ignore[no-untyped-call]
        self.detectors = nn.Conv1d(vectors.shape[1], settings.channels, TAPS, padding=TAPS // 2)
        self.head = nn.Linear(2 * settings.channels, outputs)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Log-odds (n, outputs) for ids and mask (n, t)."""
        seen = mask.unsqueeze(1).to(torch.float32)
        vectors = self.dropout(self.vectors(ids)).transpose(1, 2) * seen
        found = torch.relu(self.detectors(vectors)) * seen
        features = torch.cat([found.amax(dim=2), found.sum(dim=2) / seen.sum(dim=2)], dim=1)
        log_odds: Tensor = self.head(self.dropout(features))
        return log_odds


def reduce_vectors(vectors: FloatArray, dimensions: int) -> FloatArray:
    """The encoder's own token vectors (tokens, h) in their leading principal axes, scaled to unit deviation."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    reduced = centred @ axes[:, ::-1][:, :dimensions]
    return np.ascontiguousarray(reduced / reduced.std(), dtype=np.float32)


def train_stage(
    windows: Sequence[Sequence[int]],
    targets: FloatArray,
    vectors: FloatArray,
    settings: StageSettings,
    on_epoch: Callable[[int, float], None],
) -> FirstStage:
    """Fit a stage to targets (n, outputs) in 0 to 1 and return it in integers. `on_epoch` gets number and mean loss."""
    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    network = StageNetwork(vectors, settings, targets.shape[1])
    groups = [
        {"params": list(network.vectors.parameters()), "lr": settings.vector_rate, "weight_decay": 0.0},
        {"params": [*network.detectors.parameters(), *network.head.parameters()], "lr": settings.rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    lengths = np.fromiter(map(len, windows), dtype=np.int64, count=len(windows))
    total = settings.epochs * -(-len(windows) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / max(total, 1))
    loss_of = nn.BCEWithLogitsLoss()
    for epoch in range(settings.epochs):
        losses = []
        for rows in _draw_batches(lengths, settings.batch_size, generator):
            ids, mask = _pad([windows[int(row)] for row in rows])
            loss = loss_of(network(ids, mask), torch.from_numpy(targets[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        on_epoch(epoch + 1, float(np.mean(losses)))
    return quantize_stage(network)


def quantize_stage(network: StageNetwork) -> FirstStage:
    """The network in integers: one step for all token vectors, one for each detector, folded into the head."""
    with torch.no_grad():
        vectors = network.vectors.weight.numpy()
        kernel = np.concatenate(list(network.detectors.weight.permute(2, 1, 0).numpy()))
        bias = network.state_dict()["detectors.bias"].numpy().astype(np.float64)
        head = network.head.weight.numpy().astype(np.float64)
        head_bias = network.head.bias.numpy().astype(np.float64)
    vector_step = float(np.quantile(np.abs(vectors), _WIDEST)) / _STEPS
    kernel_steps = np.maximum(np.abs(kernel).max(axis=0), 1e-9).astype(np.float64) / _STEPS
    steps = vector_step * kernel_steps
    return FirstStage(
        vectors=np.clip(np.rint(vectors / vector_step), -_STEPS, _STEPS).astype(np.int8),
        kernel=np.rint(kernel / kernel_steps).astype(np.int8),
        bias=np.clip(np.rint(bias / steps), -_LARGEST_BIAS, _LARGEST_BIAS).astype(np.int32),
        head=np.ascontiguousarray(head * np.tile(steps, 2)),
        head_bias=head_bias,
    )


def _draw_batches(
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]], size: int, generator: np.random.Generator
) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Batches of sentences of about one length, in random order."""
    order = np.argsort(lengths + generator.normal(0, 4, len(lengths)), kind="stable")
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return [batches[number] for number in generator.permutation(len(batches))]


def _pad(windows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    width = max(len(window) for window in windows)
    ids = np.zeros((len(windows), width), dtype=np.int64)
    mask = np.zeros((len(windows), width), dtype=np.int64)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        mask[row, : len(window)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)
