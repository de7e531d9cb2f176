"""A BERT encoder, its pooling and the head as an ONNX graph, in float32 or int8. Built by hand, without torch.

The graph uses onnxruntime's fused operators, so nothing is left for an optimiser to find. Inputs `ids` and `mask`
int32 (n, t); output `logits` float32 (n, k). With `probe`, the inputs of all quantisable products are outputs too.

In int8, embeddings are stored as int8 rows, matrix products run on uint8 activations and int8 weights, and all
between them (softmax, GELU, layer norms, sums, pooling, head) stays float32.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from newsacts.backends.quantization import Spread, choose_grid, quantize_rows, smooth_channels
from newsacts.calibration import FloatArray
from newsacts.errors import ModelError
from newsacts.weights import Array

PROBE = "probe:"
PLACES = ("attention", "context", "inner", "outer")
"""The four products of a layer by what they read: its input, the attended values, their sum, the GELU."""

_FUSED = "com.microsoft"
_OPSET, _IR_VERSION = 18, 8
_MINUS_INFINITY = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """What to build, from a configuration of `bert_shapes.fill_config`.

    `spreads` by "layer.place" ask for int8 with weights of up to `steps`; None is float32.
    """

    config: Mapping[str, Any]
    pooling: str
    spreads: Mapping[str, Spread] | None = None
    steps: int = 0
    probe: bool = False


def name_places(config: Mapping[str, Any]) -> list[str]:
    """Names of all quantisable products: "0.attention", "0.context", ..."""
    return [f"{layer}.{place}" for layer in range(int(config["num_hidden_layers"])) for place in PLACES]


def build_graph(state: Mapping[str, Array], plan: GraphPlan) -> bytes:
    """The serialised graph of a network's float32 `state`. Raises `ModelError` for a missing tensor."""
    graph = _Graph(state)
    vectors = _embed(graph, plan)
    for layer in range(int(plan.config["num_hidden_layers"])):
        vectors = _add_layer(graph, plan, layer, vectors)
    pooled = _pool(graph, plan.pooling, vectors)
    graph.add("Gemm", pooled, graph.weight("head.weight"), graph.weight("head.bias"), output="logits", transB=1)
    outputs = ["logits", *(PROBE + place for place in name_places(plan.config) if plan.probe)]
    return graph.serialize(outputs)


class _Graph:
    """Nodes and constants as they are added; every `add` returns the name of its output."""

    def __init__(self, state: Mapping[str, Array]) -> None:
        self._state = state
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def read(self, name: str) -> FloatArray:
        if name not in self._state:
            raise ModelError(f"the weights have no tensor {name!r}, which a BERT encoder needs; restore the checkpoint")
        return np.asarray(self._state[name], dtype=np.float32)

    def store(self, value: Any) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name))
        return name

    def axes(self, *numbers: int) -> str:
        return self.store(np.array(numbers, dtype=np.int64))

    def weight(self, name: str) -> str:
        return self.store(self.read(name))

    def add(self, kind: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any) -> str:
        output = output or f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output

    def serialize(self, outputs: Sequence[str]) -> bytes:
        graph = helper.make_graph(
            self._nodes,
            "newsacts",
            [helper.make_tensor_value_info(name, TensorProto.INT32, ["n", "t"]) for name in ("ids", "mask")],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="newsacts")
        content: bytes = model.SerializeToString()
        return content


def _embed(graph: _Graph, plan: GraphPlan) -> str:
    root = "encoder.embeddings."
    table = graph.read(root + "word_embeddings.weight")
    if plan.spreads is None:
        words = graph.add("Gather", graph.store(table), "ids")
    else:
        rows, scales = quantize_rows(table, 127)
        steps = graph.add("Cast", graph.add("Gather", graph.store(rows), "ids"), to=TensorProto.FLOAT)
        words = graph.add("Mul", steps, graph.add("Gather", graph.store(scales[:, None]), "ids"))
    # Every token is of the first type: newsacts reads single sentences.
    places = graph.read(root + "position_embeddings.weight") + graph.read(root + "token_type_embeddings.weight")[0]
    length = graph.add("Gather", graph.add("Shape", "ids"), graph.axes(1))
    positions = graph.add("Slice", graph.store(places), graph.axes(0), length, graph.axes(0))
    norm = (graph.weight(root + "LayerNorm.weight"), graph.weight(root + "LayerNorm.bias"))
    total = graph.add("Add", words, positions)
    return graph.add("LayerNormalization", total, *norm, axis=-1, epsilon=float(plan.config["layer_norm_eps"]))


def _add_layer(graph: _Graph, plan: GraphPlan, layer: int, vectors: str) -> str:
    root = f"encoder.encoder.layer.{layer}."
    context = _attend(graph, plan, layer, vectors)
    mixed = _multiply(graph, plan, f"{layer}.context", context, bias=root + "attention.output.dense.bias")
    vectors = _sum_and_norm(graph, plan, root + "attention.output.LayerNorm", (mixed, vectors))
    inner = _multiply(graph, plan, f"{layer}.inner", vectors)
    active = graph.add("BiasGelu", inner, graph.weight(root + "intermediate.dense.bias"), domain=_FUSED)
    outer = _multiply(graph, plan, f"{layer}.outer", active, bias=root + "output.dense.bias")
    return _sum_and_norm(graph, plan, root + "output.LayerNorm", (outer, vectors))


def _attend(graph: _Graph, plan: GraphPlan, layer: int, vectors: str) -> str:
    root = f"encoder.encoder.layer.{layer}.attention.self."
    parts = ("query", "key", "value")
    weight = np.concatenate([graph.read(f"{root}{part}.weight") for part in parts])
    bias = np.concatenate([graph.read(f"{root}{part}.bias") for part in parts])
    heads = int(plan.config["num_attention_heads"])
    place = f"{layer}.attention"
    _show(graph, plan, place, vectors)
    if plan.spreads is None:
        constants = (graph.store(weight.T), graph.store(bias))
        return graph.add("Attention", vectors, *constants, "mask", domain=_FUSED, num_heads=heads)
    # The attended values are sums of value rows, so their factors go into the value matrix and cost nothing.
    factors = _find_factors(graph, plan, f"{layer}.context")
    divisor = np.concatenate([np.ones(len(bias) - len(factors), dtype=np.float32), factors])
    weight, bias = weight / divisor[:, None], bias / divisor
    factors = smooth_channels(plan.spreads[place], weight)
    steps, scales = quantize_rows(weight * factors, plan.steps)
    shown, scale, zero = _quantize(graph, plan.spreads[place], factors, _divide(graph, vectors, factors))
    inputs = (shown, graph.store(steps.T), graph.store(bias), scale, graph.store(scales), "mask", zero)
    return graph.add("QAttention", *inputs, domain=_FUSED, num_heads=heads)


def _multiply(graph: _Graph, plan: GraphPlan, place: str, vectors: str, *, bias: str | None = None) -> str:
    """The product with a place's matrix, plus the tensor named `bias`."""
    _show(graph, plan, place, vectors)
    weight = graph.read(_find_matrix(place))
    if plan.spreads is None:
        product = graph.add("MatMul", vectors, graph.store(weight.T))
        return product if bias is None else graph.add("Add", product, graph.weight(bias))
    factors = _find_factors(graph, plan, place)
    if not place.endswith("context"):
        vectors = _divide(graph, vectors, factors)
    steps, scales = quantize_rows(weight * factors, plan.steps)
    shown, scale, zero = _quantize(graph, plan.spreads[place], factors, vectors)
    inputs = [shown, graph.store(steps.T), scale, graph.store(scales), zero]
    inputs += [] if bias is None else ["", graph.weight(bias)]
    return graph.add("MatMulIntegerToFloat", *inputs, domain=_FUSED)


def _find_matrix(place: str) -> str:
    layer, _, kind = place.partition(".")
    names = {"context": "attention.output.dense", "inner": "intermediate.dense", "outer": "output.dense"}
    return f"encoder.encoder.layer.{layer}.{names[kind]}.weight"


def _find_factors(graph: _Graph, plan: GraphPlan, place: str) -> FloatArray:
    if plan.spreads is None or place not in plan.spreads:
        raise ModelError(f"no activations were measured at {place!r}; measure them with this checkpoint")
    return smooth_channels(plan.spreads[place], graph.read(_find_matrix(place)))


def _divide(graph: _Graph, vectors: str, factors: FloatArray) -> str:
    return graph.add("Mul", vectors, graph.store(1 / factors))


def _quantize(graph: _Graph, spread: Spread, factors: FloatArray, vectors: str) -> tuple[str, str, str]:
    scale, zero = (graph.store(value) for value in choose_grid(spread, factors))
    return graph.add("QuantizeLinear", vectors, scale, zero), scale, zero


def _show(graph: _Graph, plan: GraphPlan, place: str, vectors: str) -> None:
    if plan.probe:
        graph.add("Identity", vectors, output=PROBE + place)


def _sum_and_norm(graph: _Graph, plan: GraphPlan, norm: str, pair: tuple[str, str]) -> str:
    # onnxruntime's fused SkipLayerNormalization is much slower than these two on a CPU.
    constants = (graph.weight(f"{norm}.weight"), graph.weight(f"{norm}.bias"))
    epsilon = float(plan.config["layer_norm_eps"])
    return graph.add("LayerNormalization", graph.add("Add", *pair), *constants, axis=-1, epsilon=epsilon)


def _pool(graph: _Graph, pooling: str, vectors: str) -> str:
    if pooling == "cls":
        return graph.add("Gather", vectors, graph.store(np.int64(0)), axis=1)
    hidden = graph.add("Unsqueeze", graph.add("Equal", "mask", graph.store(np.int32(0))), graph.axes(2))
    if pooling == "attention":
        scores = graph.add("MatMul", vectors, graph.store(graph.read("pooling.score.weight").T))
        scores = graph.add("Add", scores, graph.weight("pooling.score.bias"))
        shares = graph.add("Where", hidden, graph.store(_MINUS_INFINITY), scores)
        weighted = graph.add("Mul", vectors, graph.add("Softmax", shares, axis=1))
        return graph.add("ReduceSum", weighted, graph.axes(1), keepdims=0)
    poolings = {"mean": [_average], "max": [_find_highest], "mean_max": [_average, _find_highest]}[pooling]
    pooled = [pool(graph, vectors, hidden) for pool in poolings]
    return pooled[0] if len(pooled) == 1 else graph.add("Concat", *pooled, axis=-1)


def _average(graph: _Graph, vectors: str, hidden: str) -> str:
    mask = graph.add("Cast", "mask", to=TensorProto.FLOAT)
    total = graph.add("MatMul", graph.add("Unsqueeze", mask, graph.axes(1)), vectors)
    count = graph.add("ReduceSum", mask, graph.axes(1), keepdims=1)
    return graph.add("Div", graph.add("Squeeze", total, graph.axes(1)), count)


def _find_highest(graph: _Graph, vectors: str, hidden: str) -> str:
    shown = graph.add("Where", hidden, graph.store(_MINUS_INFINITY), vectors)
    return graph.add("ReduceMax", shown, graph.axes(1), keepdims=0)
