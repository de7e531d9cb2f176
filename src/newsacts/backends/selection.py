"""Which backend runs a checkpoint: what was asked for, or the fastest right one, with the reason.

On a CPU that is onnxruntime in int8, where the encoder has a graph. A GPU, a precision that was asked for, or another
encoder make it PyTorch. An explicit request that cannot be met is an error and never replaced.
"""

import sys
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path

from newsacts.backends.base import Backend
from newsacts.backends.onnx_graphs import explain_obstacle
from newsacts.checkpoint import Checkpoint
from newsacts.errors import BackendError, UsageError

BACKENDS = ("auto", "pytorch", "onnx")
_GPU_FILES = ("/dev/nvidiactl", "/dev/nvmap", "/dev/dxg", "/dev/kfd")


def open_backend(
    checkpoint: Checkpoint, *, backend: str = "auto", device: str = "auto", dtype: str = "auto"
) -> Backend:
    """Load a checkpoint into a runtime. Raises `UsageError` for an unknown name, `BackendError` for what cannot be."""
    check_backend_name(backend)
    wants_onnx = backend == "onnx" or (backend == "auto" and dtype == "int8")
    obstacle = None if backend == "pytorch" else find_obstacle(checkpoint, device=device, dtype=dtype, asked=wants_onnx)
    if wants_onnx and obstacle:
        wanted = "backend 'onnx'" if backend == "onnx" else "dtype 'int8'"
        raise BackendError(f"{wanted} was asked for, and {obstacle}; use backend='pytorch'")
    if wants_onnx or (backend == "auto" and not obstacle):
        from newsacts.backends.onnx_cpu import OnnxBackend

        reason = "asked for" if wants_onnx else "auto: the fastest on a CPU for this encoder"
        return OnnxBackend(checkpoint, dtype=dtype, reason=reason)
    from newsacts.backends.pytorch import PytorchBackend  # heavy: loads torch

    reason = "asked for" if backend == "pytorch" else f"auto: {obstacle}"
    return PytorchBackend(checkpoint, device=device, dtype=dtype, reason=reason)


def check_backend_name(backend: str) -> None:
    """Raises `UsageError` for a name that is not in `BACKENDS`."""
    if backend not in BACKENDS:
        raise UsageError(f"backend {backend!r} is unknown; expected one of {', '.join(BACKENDS)}")


def find_obstacle(checkpoint: Checkpoint, *, device: str, dtype: str, asked: bool) -> str | None:
    """Why the onnx backend is not the one to use, or None. `asked`: it was named, so only what hinders it counts."""
    if device not in {"auto", "cpu"}:
        return f"device {device!r} is not the CPU"
    if not asked and dtype != "auto":
        return f"dtype {dtype!r} was asked for, and what onnx is for is int8"
    if find_spec("onnxruntime") is None:
        return "onnxruntime is not installed (pip install onnxruntime)"
    if not asked and device == "auto" and (name := find_gpu()):
        return f"PyTorch can use a GPU here ({name})"
    return explain_obstacle(checkpoint)


def find_gpu() -> str | None:
    """The GPU that PyTorch can use. Torch is loaded only where a driver's file says that there may be one."""
    hints = sys.platform == "darwin" or any(Path(name).exists() for name in _GPU_FILES)
    if not hints and not (sys.platform == "win32" and find_library("nvcuda")):
        return None
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "Apple MPS" if torch.backends.mps.is_available() else None
