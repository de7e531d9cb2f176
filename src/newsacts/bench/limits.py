"""Where the time goes, whether it grows with the number of sentences, and how far the arithmetic limit is."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from newsacts.backends.selection import open_backend
from newsacts.batching import WindowTokenizer, form_batches
from newsacts.cascade import LEVELS, estimate_log_odds, open_cascade
from newsacts.checkpoint import Checkpoint
from newsacts.classifier import Classifier
from newsacts.errors import UsageError
from newsacts.scoring import CHUNK_SIZE

_SIDE = 1024
_REPEATS = 5


def profile_parts(checkpoint: Checkpoint, texts: Sequence[str]) -> dict[str, Any]:
    """Microseconds a sentence: tokenising, first stage, model session, and all the rest of `Classifier.score`."""
    classifier = Classifier.from_pretrained(checkpoint.folder, device="cpu")
    backend = open_backend(checkpoint, device="cpu")
    tokenizer = WindowTokenizer(checkpoint.tokenizer_file, max_tokens=checkpoint.facts.max_tokens)
    chunk = list(texts[:CHUNK_SIZE])
    windows = tokenizer.tokenize(chunk)
    batches = list(form_batches(windows, padding_id=tokenizer.padding_id))
    classifier.score(chunk[:64])
    for batch in batches[-2:]:
        backend.logits(batch)
    parts: dict[str, float | None] = {"first stage": _time_first_stage(checkpoint, windows.ids)}
    known = {
        "tokenise": _clock(lambda: tokenizer.tokenize(chunk)),
        "session": _clock(lambda: [backend.logits(batch) for batch in batches]),
    }
    whole = _clock(lambda: classifier.score(chunk))
    parts |= known | {"rest": max(0.0, whole - sum(known.values()))}
    real = sum(map(len, windows.ids))
    padded = sum(batch.ids.size for batch in batches)
    return {
        "microseconds": {name: None if value is None else 1e6 * value / len(chunk) for name, value in parts.items()},
        "whole_microseconds": 1e6 * whole / len(chunk),
        "sentences": len(chunk),
        "tokens_a_sentence": real / len(chunk),
        "padding_share": 1 - real / padded,
        "choices": {name: choice.value for name, choice in backend.choices.items()},
    }


def measure_growth(classifier: Classifier, texts: Sequence[str], sizes: Sequence[int]) -> dict[str, float]:
    """Sentences a second at each size; the texts repeat as often as it takes, and each is computed anew."""
    rates = {}
    for size in sizes:
        many = [texts[number % len(texts)] for number in range(size)]
        start = time.perf_counter()
        classifier.score(many)
        rates[str(size)] = size / (time.perf_counter() - start)
    return rates


def measure_limit(checkpoint: Checkpoint, *, tokens: float, threads: int) -> dict[str, float]:
    """What this machine multiplies at best, and the sentences a second that the network's products would allow.

    Both by one large product: float32 by numpy, int8 by onnxruntime.
    """
    config = checkpoint.load_encoder_config()
    hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    inner = int(config["intermediate_size"])
    # Two operations for each weight and token, and for each pair of tokens in scores and sums of attention.
    work = 2 * tokens * layers * (4 * hidden**2 + 2 * hidden * inner + 2 * tokens * hidden)
    product = 2.0 * _SIDE**3
    generator = np.random.default_rng(0)
    left = generator.normal(size=(_SIDE, _SIDE)).astype(np.float32)
    float_rate = product / min(_clock(lambda: left @ left) for _ in range(_REPEATS))
    int8_rate = product / min(_clock(_make_int8_product(threads)) for _ in range(_REPEATS))
    return {
        "operations_a_sentence": work,
        "float32_operations_a_second": float_rate,
        "int8_operations_a_second": int8_rate,
        "float32_sentences_a_second": float_rate / work,
        "int8_sentences_a_second": int8_rate / work,
    }


def _time_first_stage(checkpoint: Checkpoint, windows: Sequence[Sequence[int]]) -> float | None:
    try:
        cascade = open_cascade(checkpoint, LEVELS[0])
    except UsageError:  # the checkpoint has none
        return None
    assert cascade is not None  # noqa: S101 - for mypy: only "off" gives None
    return _clock(lambda: estimate_log_odds(cascade.stage, windows))


def _make_int8_product(threads: int) -> Callable[[], object]:
    from onnx import TensorProto, helper, numpy_helper

    from newsacts.backends.onnx_session import open_session

    generator = np.random.default_rng(0)
    weights = generator.integers(-127, 128, (_SIDE, _SIDE), dtype=np.int8)
    values = generator.integers(0, 256, (_SIDE, _SIDE), dtype=np.uint8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["values", "weights"], ["product"])],
        "limit",
        [helper.make_tensor_value_info("values", TensorProto.UINT8, [_SIDE, _SIDE])],
        [helper.make_tensor_value_info("product", TensorProto.INT32, [_SIDE, _SIDE])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = open_session(model.SerializeToString(), threads=threads)
    session.run(None, {"values": values})
    return lambda: session.run(None, {"values": values})


def _clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
