"""The first stage of a cascade: a tiny network that finds sentences in which the full model would find nothing.

    cascade/stage.safetensors   the network: token vectors, a convolution over three tokens, one line per label
    cascade/cascade.json        thresholds by level, what was measured on held-out text, hashes

It learnt from the full model's own probabilities and runs in numpy. All products before the last line are sums of
integers below 2**24, which float32 adds without rounding in any order, so that a sentence's score is the same to the
bit alone and in a batch. Fitting lives in `training.cascade_fit`; this file reads and applies.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from newsacts.batching import TokenWindows, merge_windows
from newsacts.calibration import BoolArray, Calibration, FloatArray
from newsacts.checkpoint import CONFIG, TOKENIZER, WEIGHTS, Checkpoint
from newsacts.errors import IntegrityError, ModelError, UsageError

OFF = "off"
LEVELS = ("safe", "fast")
"""What to promise of the acts that the full model finds: nearly all of them, or most of them."""
FOLDER, STAGE, FACTS = "cascade", "stage.safetensors", "cascade.json"
DIGEST = "facts_sha256"
PROTOCOL = 2
"""Of cascade.json: 2 has a threshold for each label, 1 had a single one and is refused."""
TAPS = 3
"""Tokens that the convolution sees at once."""

_BLOCK = 256
_EXACT = 2**24
_STEPS = 127

ByteArray = npt.NDArray[np.int8]
DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FirstStage:
    """The network. Log-odds = features @ head.T + head_bias: one for each of k labels, and last that of any label.

    `vectors` int8 (tokens, d); `kernel` int8 (3 * d, c), rows of the token before, the token, the token after; `bias`
    int32 (c,). The features of a sentence are the highest and the mean value of each of the c detectors, none below 0.
    `head` float64 (k + 1, 2 * c), `head_bias` (k + 1,). Raises `ModelError` for shapes that do not fit and for numbers
    too large.
    """

    vectors: ByteArray
    kernel: ByteArray
    bias: npt.NDArray[np.int32]
    head: DoubleArray
    head_bias: DoubleArray

    def __post_init__(self) -> None:
        width, channels = self.kernel.shape if self.kernel.ndim == 2 else (0, 0)  # noqa: PLR2004 - a matrix
        fitting = self.vectors.ndim == 2 and width == TAPS * self.vectors.shape[1]  # noqa: PLR2004 - a matrix
        fitting = fitting and self.bias.shape == (channels,) and self.head.shape == (len(self.head_bias), 2 * channels)
        if not fitting:
            raise ModelError("the tensors of the first stage do not fit together; restore the cascade, or fit it anew")
        if width * _STEPS**2 + int(np.abs(self.bias.astype(np.int64)).max(initial=0)) >= _EXACT:
            raise ModelError("the first stage has sums that float32 cannot hold exactly; fit one with fewer dimensions")


@dataclass(frozen=True, slots=True)
class Cascade:
    """An opened first stage at one level. A sentence goes on to the full model if one of its k + 1 log-odds reaches its
    own of the `thresholds`: one for each label, so that a rare one cannot hide behind a frequent one, and one for any.

    `measured` is what was measured for this level on held-out text, `facts` all of cascade.json. `calibration` is the
    one of the checkpoint when the stage was fitted: the stage's log-odds are meant under its lines.
    """

    stage: FirstStage
    level: str
    thresholds: tuple[float, ...]
    calibration: Calibration
    digest: str
    measured: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Level and the beginning of the hash of all that decides: equal for equal decisions."""
        return f"{self.level} {self.digest[:12]}"

    def explain_doubt(self, calibration: Calibration) -> str | None:
        """Why the measured bound says nothing about a calibration, or None where it holds."""
        known = self.calibration
        if (calibration.slopes, calibration.intercepts) != (known.slopes, known.intercepts):
            return "probabilities were changed (another prior or calibration) since it was measured"
        if any(now < before for now, before in zip(calibration.thresholds, known.thresholds, strict=True)):
            return "thresholds are lower than those it was measured with"
        if calibration.thresholds != known.thresholds:
            return "thresholds are not those it was measured with"
        return None


def open_cascade(checkpoint: Checkpoint, level: str) -> Cascade | None:
    """The cascade of a checkpoint at a level; None for "off".

    Raises `UsageError` for an unknown level, exclusive labels or a checkpoint without a cascade, `ModelError` or
    `IntegrityError` for one that is damaged or was fitted to another model.
    """
    check_level(level)
    if level == OFF:
        return None
    if checkpoint.facts.scheme.exclusive:
        raise UsageError(
            f"cascade {level!r} was asked for, and this checkpoint's labels exclude each other: every sentence carries "
            "one, so there is nothing to discard; use cascade='off'"
        )
    folder = checkpoint.folder / FOLDER
    if not (folder / FACTS).is_file():
        raise UsageError(
            f"cascade {level!r} was asked for, and {checkpoint.folder} has none; use cascade='off', or fit one: "
            "newsacts cascade fit --help"
        )
    facts = _read_facts(folder / FACTS)
    try:
        if facts["model"] != describe_model(checkpoint):
            raise ModelError(f"{folder}: fitted to another model than {checkpoint.folder}; fit one for this model")
        stage = read_stage(folder / STAGE, sha256=str(facts["stage_sha256"]))
        measured = facts["levels"][level]
        lines = facts["calibration"]
        slopes, intercepts, thresholds = (
            tuple(map(float, lines[name])) for name in ("slopes", "intercepts", "thresholds")
        )
        calibration = Calibration(slopes, intercepts, thresholds)
        limits = tuple(map(float, measured["thresholds"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / FACTS}: incomplete or malformed ({error!r}); fit the cascade anew") from error
    if not len(stage.head_bias) == len(limits) == len(checkpoint.facts.scheme) + 1:
        raise ModelError(
            f"{folder}: gives {len(stage.head_bias)} numbers and {len(limits)} thresholds, expected one a label and "
            "one more; fit the cascade anew"
        )
    return Cascade(stage, level, limits, calibration, str(facts[DIGEST]), measured, facts)


def list_cascade_files(checkpoint: Checkpoint) -> list[str]:
    """The files of the `cascade/` folder, as "cascade/NAME"; none where the checkpoint has none."""
    names = [f"{FOLDER}/{name}" for name in (STAGE, FACTS)]
    return names if all((checkpoint.folder / name).is_file() for name in names) else []


def check_level(level: str) -> None:
    """Raises `UsageError` for a level that is not off, safe or fast."""
    if level not in (OFF, *LEVELS):
        raise UsageError(f"cascade {level!r} is unknown; expected one of {', '.join((OFF, *LEVELS))}")


def estimate_log_odds(stage: FirstStage, windows: Sequence[Sequence[int]]) -> DoubleArray:
    """What the stage says of each window of token ids: log-odds of each label and of any, float64 (n, k + 1)."""
    table = np.zeros((len(stage.vectors) + 1, stage.vectors.shape[1]), dtype=np.float32)
    table[:-1] = stage.vectors
    kernel, bias = stage.kernel.astype(np.float32), stage.bias.astype(np.float32)
    parts = []
    for start in range(0, len(windows), _BLOCK):
        features = _find_features(table, kernel, bias, windows[start : start + _BLOCK])
        # Not a matrix product: a sum along one row is added up in the same order in any batch.
        parts.append((features[:, None, :] * stage.head).sum(axis=2) + stage.head_bias)
    return np.concatenate([np.zeros((0, len(stage.head_bias))), *parts])


def run_first_stage(cascade: Cascade, windows: TokenWindows, size: int) -> tuple[FloatArray, BoolArray]:
    """Estimated logits of `size` texts, float32 (size, k), and which of them go on, bool (size,).

    One window that may hold an act is enough for a text to go on.
    """
    log_odds = estimate_log_odds(cascade.stage, windows.ids)
    reached = np.zeros(size, dtype=np.bool_)
    reached[windows.owners[pass_stage(log_odds, cascade.thresholds)]] = True
    return merge_windows(to_logits(log_odds, cascade.calibration), windows, size), reached


def pass_stage(log_odds: DoubleArray, thresholds: Sequence[float]) -> BoolArray:
    """What goes on, bool (n,): rows of log-odds (n, k + 1) of which one reaches its threshold."""
    return np.asarray((log_odds >= np.asarray(thresholds)).any(axis=1))


def to_logits(log_odds: DoubleArray, calibration: Calibration) -> FloatArray:
    """Logits, float32 (n, k), that a calibration turns into the labels' part of these log-odds (n, k + 1)."""
    logits = (log_odds[:, :-1] - np.asarray(calibration.intercepts)) / np.asarray(calibration.slopes)
    return np.asarray(logits, dtype=np.float32)


def describe_model(checkpoint: Checkpoint) -> str:
    """A hash of what a stage is fitted to: weights, configuration, tokenizer, base model and its layers, window."""
    files, facts = checkpoint.files, checkpoint.facts
    decisive = [facts.base_sha256, facts.pooling, facts.max_tokens, list(facts.scheme.names)]
    decisive += [files[name] for name in (WEIGHTS, CONFIG, TOKENIZER)]
    decisive += [] if facts.base_layers is None else [facts.base_layers]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def write_cascade(folder: Path, stage: FirstStage, facts: Mapping[str, Any]) -> None:
    """Write a cascade folder: the stage, then `facts` with the hashes of the stage and of themselves."""
    tensors = {
        "vectors": stage.vectors,
        "kernel": stage.kernel,
        "bias": stage.bias,
        "head": stage.head,
        "head_bias": stage.head_bias,
    }
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAGE).write_bytes(content)
    noted = {"protocol": PROTOCOL, **facts, "stage_sha256": hashlib.sha256(content).hexdigest()}
    noted[DIGEST] = digest_facts(noted)
    (folder / FACTS).write_text(json.dumps(noted, indent=2) + "\n", encoding="utf-8")


def read_stage(path: Path, *, sha256: str) -> FirstStage:
    """The stage of a file whose hash is known. Raises `ModelError` and `IntegrityError`."""
    try:
        content = path.read_bytes()
        if (found := hashlib.sha256(content).hexdigest()) != sha256:
            raise IntegrityError(
                f"{path}: SHA-256 is {found}, {FACTS} says {sha256}; it was changed or damaged: restore the checkpoint"
            )
        tensors = load(content)
        return FirstStage(*(tensors[name] for name in ("vectors", "kernel", "bias", "head", "head_bias")))
    except (SafetensorError, OSError, KeyError) as error:
        raise ModelError(f"{path}: cannot be read as a first stage ({error!r}); restore the checkpoint") from error


def digest_facts(facts: Mapping[str, Any]) -> str:
    """SHA-256 of the facts without their digest, keys sorted."""
    rest = {name: value for name, value in facts.items() if name != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}); restore the checkpoint") from error
    if not isinstance(facts, dict) or facts.get("protocol") != PROTOCOL:
        found = facts.get("protocol") if isinstance(facts, dict) else None
        raise ModelError(
            f"{path}: of protocol {found!r}, expected {PROTOCOL}, which has a threshold for each label; fit the "
            "cascade anew (newsacts cascade fit --help), or upgrade newsacts where the number is higher"
        )
    if facts.get(DIGEST) != digest_facts(facts):
        raise IntegrityError(f"{path}: its content does not fit its own digest; restore the checkpoint")
    return facts


def _find_features(
    table: FloatArray, kernel: FloatArray, bias: FloatArray, windows: Sequence[Sequence[int]]
) -> DoubleArray:
    """Highest and mean value of each detector over each window, (n, 2 * c)."""
    lengths = np.fromiter(map(len, windows), dtype=np.int64, count=len(windows))
    # A row of zeros stands before, between and after the windows, so that no detector sees two of them.
    gap = len(table) - 1
    rows = np.full(int(lengths.sum()) + len(windows) + 2, gap, dtype=np.int64)
    firsts = np.cumsum(lengths + 1) - lengths
    is_token = np.zeros(len(rows), dtype=np.bool_)
    offsets = np.arange(len(windows)).repeat(lengths) + 1
    places = np.arange(len(offsets)) + offsets
    is_token[places] = True
    rows[places] = np.fromiter(chain.from_iterable(windows), dtype=np.int64, count=len(places))
    vectors = table[rows]
    seen = np.concatenate([vectors[:-2], vectors[1:-1], vectors[2:]], axis=1)
    found = seen @ kernel
    found += bias
    np.maximum(found, 0, out=found)
    found[~is_token[1:-1]] = 0
    starts = firsts - 1
    highest = np.maximum.reduceat(found, starts, axis=0).astype(np.float64)
    total = np.add.reduceat(found, starts, axis=0, dtype=np.float64)
    return np.concatenate([highest, total / np.maximum(lengths, 1)[:, None]], axis=1)
