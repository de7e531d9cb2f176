"""The contract of every backend, and of the classifier over it: order, empty input, padding, agreement."""

from collections.abc import Callable

import numpy as np
import pytest

from newsacts.backends.base import Backend
from newsacts.backends.fake import FakeBackend
from newsacts.backends.onnx_cpu import OnnxBackend
from newsacts.backends.pytorch import PytorchBackend, choose_device, choose_dtype
from newsacts.batching import WindowTokenizer, form_batches
from newsacts.calibration import FloatArray
from newsacts.checkpoint import Checkpoint
from newsacts.errors import BackendError, UsageError
from tests import tiny

TEXTS = [text for text, _ in tiny.SENTENCES] + ["", "mill", "The mayor " * 40]


OPENERS: dict[str, Callable[[Checkpoint], Backend]] = {
    "fake": lambda _: FakeBackend(4),
    "pytorch": lambda checkpoint: PytorchBackend(checkpoint, device="cpu"),
    "onnx-float32": lambda checkpoint: OnnxBackend(checkpoint, dtype="float32"),
    "onnx-int8": lambda checkpoint: OnnxBackend(checkpoint, dtype="int8"),
}


@pytest.fixture(params=sorted(OPENERS))
def backend(request: pytest.FixtureRequest, tiny_checkpoint: Checkpoint) -> Backend:
    return OPENERS[request.param](tiny_checkpoint)


@pytest.fixture
def tokenizer(tiny_checkpoint: Checkpoint) -> WindowTokenizer:
    return WindowTokenizer(tiny_checkpoint.tokenizer_file, max_tokens=tiny.MAX_TOKENS)


def run(backend: Backend, tokenizer: WindowTokenizer, budget: int) -> FloatArray:
    windows = tokenizer.tokenize(TEXTS)
    logits = np.full((len(windows.ids), 4), np.nan, np.float32)
    for batch in form_batches(windows, token_budget=budget):
        logits[batch.positions] = backend.logits(batch)
    return logits


def test_logits_are_float32_one_row_a_window(backend: Backend, tokenizer: WindowTokenizer) -> None:
    for batch in form_batches(tokenizer.tokenize(TEXTS)):
        logits = backend.logits(batch)
        assert logits.dtype == np.float32
        assert logits.shape == (len(batch.ids), 4)


def test_padding_and_company_do_not_change_a_row(backend: Backend, tokenizer: WindowTokenizer) -> None:
    alone, together = run(backend, tokenizer, 1), run(backend, tokenizer, 100_000)
    assert np.isfinite(alone).all()
    assert together == pytest.approx(alone, abs=1e-4)


def test_different_texts_get_different_logits(backend: Backend, tokenizer: WindowTokenizer) -> None:
    logits = run(backend, tokenizer, 256)
    assert len(np.unique(logits[: len(tiny.SENTENCES)].round(4), axis=0)) == len(tiny.SENTENCES)


def test_every_choice_has_a_reason(backend: Backend) -> None:
    assert set(backend.choices) >= {"backend", "device", "dtype"}
    assert all(choice.value and choice.reason for choice in backend.choices.values())


def test_bfloat16_agrees_with_float32_roughly(tiny_checkpoint: Checkpoint, tokenizer: WindowTokenizer) -> None:
    exact = run(PytorchBackend(tiny_checkpoint, device="cpu", dtype="float32"), tokenizer, 256)
    half = run(PytorchBackend(tiny_checkpoint, device="cpu", dtype="bfloat16"), tokenizer, 256)
    assert half == pytest.approx(exact, abs=0.3)
    assert not np.array_equal(half, exact)


def test_a_device_that_is_not_there_is_refused() -> None:
    import torch

    missing = "cuda:99" if torch.cuda.is_available() else "cuda"
    with pytest.raises(BackendError, match="use device='cpu'"):
        choose_device(missing)


def test_an_unknown_device_or_dtype_lists_what_there_is() -> None:
    import torch

    with pytest.raises(UsageError, match="expected auto, cpu, cuda"):
        choose_device("abacus")
    with pytest.raises(UsageError, match="float32, bfloat16"):
        choose_dtype("int4", torch.device("cpu"))
    with pytest.raises(BackendError, match="not usable on a CPU"):
        choose_dtype("float16", torch.device("cpu"))


def test_auto_on_a_cpu_is_float32_and_says_why() -> None:
    import torch

    choice = choose_dtype("auto", torch.device("cpu"))
    assert choice.value == "float32"
    assert choice.reason.startswith("auto:")
