"""The PyTorch backend: CPU or GPU, float32 or half precision. The only backend that needs torch."""

from typing import Literal, get_args

import torch

from newsacts.backends.base import Choice
from newsacts.backends.network import open_network
from newsacts.batching import TokenBatch
from newsacts.calibration import FloatArray
from newsacts.checkpoint import Checkpoint
from newsacts.errors import BackendError, ModelError, UsageError

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
_TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class PytorchBackend:
    """A checkpoint on a torch device. Raises `BackendError` for a device or dtype that is not there."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str = "auto", dtype: str = "auto", reason: str = "asked for"
    ) -> None:
        self._backend_choice = Choice("pytorch", reason)
        self._device_choice = choose_device(device)
        self._device = torch.device(self._device_choice.value)
        self._dtype_choice = choose_dtype(dtype, self._device)
        self._dtype = _TORCH_DTYPES[self._dtype_choice.value]
        self._network = open_network(checkpoint).to(self._device)

    @property
    def network(self) -> torch.nn.Module:
        """The network, ready to compute on its device; for those who need its gradients."""
        return self._network

    @property
    def choices(self) -> dict[str, Choice]:
        """Backend, device and dtype, each with its reason."""
        return {
            "backend": self._backend_choice,
            "device": self._device_choice,
            "dtype": self._dtype_choice,
        }

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Logits in scheme order, float32 (n, k)."""
        ids = torch.from_numpy(batch.ids).to(self._device, non_blocking=True)
        mask = torch.from_numpy(batch.mask).to(self._device, non_blocking=True)
        half = self._dtype is not torch.float32
        try:
            with torch.inference_mode(), torch.autocast(self._device.type, dtype=self._dtype, enabled=half):
                logits: FloatArray = self._network(ids, mask).float().cpu().numpy()
        except IndexError as error:
            raise ModelError(
                f"the network has no embedding for a token or a place ({error}); tokenizer and weights may be of two "
                "models: restore the checkpoint"
            ) from error
        return logits


def choose_device(wanted: str) -> Choice:
    """The device to use, with the reason; "auto" prefers CUDA, then Apple's MPS, then the CPU."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return Choice("cuda", f"auto: a CUDA GPU is there ({torch.cuda.get_device_name()})")
        if torch.backends.mps.is_available():
            return Choice("mps", "auto: an Apple GPU is there")
        return Choice("cpu", "auto: PyTorch sees no GPU")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UsageError(f"device {wanted!r} is unknown; expected auto, cpu, cuda, cuda:0, ... or mps") from error
    if device.type not in {"cpu", "cuda", "mps"}:
        raise UsageError(f"device {wanted!r} is not supported; expected auto, cpu, cuda, cuda:0, ... or mps")
    if device.type == "cuda" and not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        raise BackendError(
            f"device {wanted!r} was asked for and PyTorch sees {torch.cuda.device_count()} CUDA GPUs; "
            "use device='cpu', or install a CUDA build of torch on a machine with a GPU"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise BackendError("device 'mps' was asked for and PyTorch sees no Apple GPU; use device='cpu'")
    return Choice(wanted, "asked for")


def choose_dtype(wanted: str, device: torch.device) -> Choice:
    """The precision of the encoder, with the reason; the pooling and the head are always float32."""
    if wanted not in get_args(Dtype):
        raise UsageError(
            f"dtype {wanted!r} is not one of the pytorch backend; expected one of {', '.join(get_args(Dtype))}, "
            "or use backend='onnx' for int8"
        )
    if wanted != "auto":
        if wanted == "float16" and device.type == "cpu":
            raise BackendError("dtype 'float16' is not usable on a CPU; use 'bfloat16' or 'float32'")
        return Choice(wanted, "asked for")
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return Choice("bfloat16", "auto: the GPU computes bfloat16, and it moves probabilities only a little")
    return Choice("float32", "auto: the same probabilities on every machine; 'bfloat16' is faster on CPUs that have it")
