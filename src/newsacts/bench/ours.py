"""newsacts itself, by backend, precision and cascade; and its fast student."""

from collections.abc import Sequence
from dataclasses import replace

from newsacts.bench.setting import BenchSetting, Contender, Judge, NotRun
from newsacts.calibration import BoolArray
from newsacts.checkpoint import open_checkpoint
from newsacts.classifier import Classifier, find_checkpoint_folder
from newsacts.errors import BackendError, ModelError, UsageError


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


def open_student(setting: BenchSetting) -> Judge:
    """The shipped "fast" as a judge, where it is there and has the labels of the model beside it."""
    try:
        folder = find_checkpoint_folder("fast")
    except ModelError as error:
        raise NotRun(str(error)) from error
    found, expected = (open_checkpoint(one).facts.scheme for one in (folder, setting.model_folder))
    if found != expected:
        raise NotRun(f"its labels are {', '.join(found.names)}, those of the model {', '.join(expected.names)}")
    return open_ours(replace(setting, model=str(folder)), backend="onnx", dtype="int8")


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
    Contender("newsacts-student", 'newsacts, the student "fast", int8', ours=True, open=open_student),
    Contender("newsacts-gpu", "newsacts, PyTorch, CUDA GPU", ours=True, open=open_gpu),
)
DEFAULT = "newsacts-onnx-int8"
