"""newsacts itself, by backend, precision and cascade."""

from collections.abc import Sequence

from newsacts.bench.setting import BenchSetting, Contender, Judge, NotRun
from newsacts.calibration import BoolArray
from newsacts.classifier import Classifier
from newsacts.errors import BackendError, UsageError


def open_ours(setting: BenchSetting, *, backend: str, dtype: str, cascade: str = "off") -> Judge:
    """A classifier as a judge; what this machine or checkpoint does not have is not run."""
    try:
        classifier = Classifier.from_pretrained(
            setting.model_folder, backend=backend, device="cpu", dtype=dtype, cascade=cascade
        )
    except (BackendError, UsageError) as error:
        raise NotRun(str(error)) from error

    def judge(texts: Sequence[str]) -> BoolArray:
        return classifier.score(texts).decided

    return judge


def open_gpu(setting: BenchSetting) -> Judge:
    """PyTorch on a CUDA GPU in the precision that auto takes there."""
    try:
        classifier = Classifier.from_pretrained(setting.model_folder, backend="pytorch", device="cuda")
    except BackendError as error:
        raise NotRun(str(error)) from error
    return lambda texts: classifier.score(texts).decided


def _make(name: str, about: str, *, backend: str, dtype: str, cascade: str = "off") -> Contender:
    def opener(setting: BenchSetting) -> Judge:
        return open_ours(setting, backend=backend, dtype=dtype, cascade=cascade)

    return Contender(name, about, ours=True, open=opener)


OURS = (
    _make("newsacts-pytorch-float32", "newsacts, PyTorch, float32", backend="pytorch", dtype="float32"),
    _make("newsacts-pytorch-bfloat16", "newsacts, PyTorch, bfloat16", backend="pytorch", dtype="bfloat16"),
    _make("newsacts-onnx-float32", "newsacts, onnxruntime, float32", backend="onnx", dtype="float32"),
    _make("newsacts-onnx-int8", "newsacts, onnxruntime, int8", backend="onnx", dtype="int8"),
    _make("newsacts-safe", "newsacts, int8, cascade safe", backend="onnx", dtype="int8", cascade="safe"),
    _make("newsacts-fast", "newsacts, int8, cascade fast", backend="onnx", dtype="int8", cascade="fast"),
    Contender("newsacts-gpu", "newsacts, PyTorch, CUDA GPU", ours=True, open=open_gpu),
)
DEFAULT = "newsacts-onnx-int8"
