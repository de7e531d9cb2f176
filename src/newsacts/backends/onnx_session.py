"""What onnxruntime is told, and what this machine can do: threads, sessions, and int8 without saturation."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsacts.backends.base import Choice
from newsacts.backends.quantization import FULL_STEPS, REDUCED_STEPS
from newsacts.batching import TokenBatch
from newsacts.calibration import FloatArray
from newsacts.errors import BackendError

_DOT_PRODUCTS = ("avx512_vnni", "avx_vnni", "amx_int8")
_CPU_FACTS = Path("/proc/cpuinfo")
_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def open_session(graph: bytes, *, threads: int) -> Any:
    """An onnxruntime session on the CPU. Raises `BackendError` for a graph that it cannot run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # The graph is written in fused operators already; a search for more would only cost time.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except _list_faults() as error:
        raise BackendError(
            f"onnxruntime {onnxruntime.__version__} cannot run the graph ({error}); use backend='pytorch'"
        ) from error


def run_session(session: Any, outputs: Sequence[str], batch: TokenBatch) -> list[FloatArray]:
    """The named outputs of a graph for a batch. Raises `BackendError` for tokens that the graph has no rows for."""
    inputs = {"ids": batch.ids.astype(np.int32), "mask": batch.mask.astype(np.int32)}
    try:
        values: list[FloatArray] = session.run(list(outputs), inputs)
    except _list_faults() as error:
        raise BackendError(
            f"onnxruntime cannot run the graph on these tokens ({error}); tokenizer and weights may be of two models: "
            "restore the checkpoint"
        ) from error
    return values


def choose_threads(environment: Mapping[str, str] = os.environ) -> Choice:
    """One thread a physical core that this process may use; OMP_NUM_THREADS sets a lower number.

    Two threads on one core share the units that multiply, so counting them twice gains nothing.
    """
    cores = count_cores()
    wanted = environment.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and 1 <= int(wanted) < cores:
        return Choice(wanted, f"OMP_NUM_THREADS asks for it; there are {cores} cores")
    return Choice(str(cores), "one a physical core that this process may use")


def count_cores() -> int:
    """Physical cores among the processors of this process, or as many as its container may keep busy, if fewer.

    All processors where the system does not tell.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = set()
    for processor in os.sched_getaffinity(0):
        siblings = _TOPOLOGY / f"cpu{processor}" / "topology" / "thread_siblings_list"
        cores.add(siblings.read_text(encoding="ascii") if siblings.is_file() else str(processor))
    return min(len(cores), _read_quota() or len(cores))


def _list_faults() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as faults

    return (
        faults.Fail,
        faults.InvalidArgument,
        faults.InvalidGraph,
        faults.InvalidProtobuf,
        faults.NotImplemented,
        faults.RuntimeException,
    )


def _read_quota() -> int | None:
    """Processors' worth of time that a container is given, rounded up; None for no limit (cgroup version 2)."""
    wanted, _, period = (_QUOTA.read_text(encoding="ascii") if _QUOTA.is_file() else "").partition(" ")
    return -(-int(wanted) // int(period)) if wanted.isdigit() else None


def choose_int8(machine: str | None = None, cpu_facts: str | None = None) -> tuple[int, Choice]:
    """Largest weight of int8 that this CPU multiplies exactly, and the choice in words.

    An x86 CPU without VNNI adds pairs of products in 16 bits, which overflow in silence with full weights; weights of
    7 bits never do. `machine` and `cpu_facts` stand in for this machine's name and /proc/cpuinfo.
    """
    machine = (machine or platform.machine()).lower()
    if machine in {"arm64", "aarch64"}:
        return FULL_STEPS, Choice("int8", "ARM multiplies int8 exactly")
    if cpu_facts is None:
        cpu_facts = _CPU_FACTS.read_text(encoding="utf-8", errors="replace") if _CPU_FACTS.is_file() else ""
    flags = set(cpu_facts.split())
    found = [name for name in _DOT_PRODUCTS if name in flags]
    if found:
        return FULL_STEPS, Choice("int8", f"the CPU multiplies int8 exactly ({', '.join(found)})")
    cause = "the CPU has no VNNI" if flags else "the system does not tell whether the CPU has VNNI"
    return REDUCED_STEPS, Choice("int8-reduced", f"{cause}: int8 is exact there with weights of 7 bits only")
