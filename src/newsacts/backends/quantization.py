"""Arithmetic of int8: grids for activations, steps for weights, and moving difficulty from one to the other.

A matrix product reads uint8 activations on one fixed grid per tensor and int8 weights with one scale per output
column. The grids are fixed beforehand from what the activations of written sentences were (`Spread`), so that a
sentence's result does not depend on the sentences it shares a batch with. Pure numpy.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from newsacts.calibration import FloatArray

ByteArray = npt.NDArray[np.int8]

FULL_STEPS, REDUCED_STEPS = 127, 63
"""Largest weight. With 63, two products of a uint8 and an int8 fit in the 16 bits that CPUs without VNNI add in."""

SMOOTHING = 0.8
"""How much of a channel's spread goes over to the weights; measured on the default checkpoint (docs/adr/0004)."""

_GRID = 255
_SMALLEST = 1e-5


@dataclass(frozen=True, slots=True)
class Spread:
    """The lowest and the highest value that each channel of an activation took, float32 (h,) each."""

    low: FloatArray
    high: FloatArray

    def join(self, other: "Spread") -> "Spread":
        """The spread over both."""
        return Spread(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


def measure_spread(vectors: FloatArray) -> Spread:
    """Spread of activations (n, h), n at least 1."""
    return Spread(vectors.min(axis=0), vectors.max(axis=0))


def smooth_channels(spread: Spread, weight: FloatArray) -> FloatArray:
    """Factors (h,) to divide the activations and multiply the columns of `weight` (out, h) by.

    A few channels reach ten times as far as the rest, and one grid for all would leave the rest three bits
    (SmoothQuant, Xiao et al. 2023).
    """
    reach = np.maximum(np.maximum(-spread.low, spread.high), _SMALLEST).astype(np.float64)
    size = np.maximum(np.abs(weight).max(axis=0), _SMALLEST).astype(np.float64)
    factors = reach**SMOOTHING / size ** (1 - SMOOTHING)
    return np.asarray(factors / np.exp(np.log(factors).mean()), dtype=np.float32)


def choose_grid(spread: Spread, factors: FloatArray) -> tuple[np.float32, np.uint8]:
    """Scale and zero point of uint8 for activations that were divided by `factors`; zero is on the grid."""
    low = min(float((spread.low / factors).min()), 0.0)
    high = max(float((spread.high / factors).max()), 0.0)
    scale = np.float32(max(high - low, _SMALLEST) / _GRID)
    return scale, np.uint8(np.clip(np.rint(-low / scale), 0, _GRID))


def quantize_rows(weight: FloatArray, steps: int) -> tuple[ByteArray, FloatArray]:
    """Int8 (out, in) and scales (out,): weight[i] is about scales[i] * quantized[i]."""
    largest = np.abs(weight).max(axis=1)
    scales = np.where(largest > 0, largest / steps, 1).astype(np.float32)
    return np.rint(weight / scales[:, None]).astype(np.int8), scales
