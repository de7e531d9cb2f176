"""The training config: one YAML file, every key typed, an unknown key refused with the nearest name.

`load_config(path, overrides)` reads the file, applies dotted overrides ("optimization.epochs=2", the value in
YAML) and validates. Paths in it are relative to the folder the command runs in. The resolved config is stored
in the checkpoint. Nothing here imports torch.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from newsacts.base_models import DEFAULT_BASE
from newsacts.errors import ConfigError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.weights import ENCODERS

LEAST_GROUPS = 2
"""Dev articles that cross-fitting needs: a fold and the rest."""

_NO_TARGET = 0.5


class Section(BaseModel):
    """Base of all sections: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SchemeSection(Section):
    """The labels, in column order."""

    names: tuple[str, ...] = DEFAULT_SCHEME.names
    exclusive: bool = False
    codebook: str | None = None

    def to_scheme(self) -> LabelScheme:
        """The label scheme that this section declares."""
        return LabelScheme(self.names, self.exclusive)


class DataSection(Section):
    """Which labelled files; see docs/data-format.md for what a file may be, or "corpus:sentences" and its like for
    the written corpus inside the package.

    Rows that name a split are used only where it is "train" among the training files, "dev" or "validation" among
    the dev files.
    """

    train: tuple[str, ...]
    dev: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    """Files of sentences with probabilities of a teacher in place of labels; see `training.soft_targets`."""
    dev_fraction: float = Field(0.15, gt=0, lt=1)
    """Where `dev` is empty: the share of the training articles that is set aside."""
    on_error: Literal["raise", "skip"] = "raise"
    drop_repeated: bool = True
    """Drop training sentences that repeat a dev sentence or an earlier training sentence, and count them."""


class LoraSection(Section):
    """Low-rank adaptation through peft; merged into the weights when training ends."""

    rank: int = Field(32, ge=1)
    alpha: int = Field(64, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("query", "key", "value", "dense")


class ModelSection(Section):
    """The network."""

    base: str = DEFAULT_BASE
    layers: tuple[int, ...] | None = Field(None, min_length=1)
    """Encoder layers of the base to keep, counted from 0 at the embeddings, the others are left out; None keeps all.

    A kept layer starts from its weights in the base: Sanh et al. 2019 (DistilBERT) keep one of two.
    """
    pooling: Literal["mean", "cls", "max", "mean_max", "attention"] = "mean"
    dropout: float = Field(0.1, ge=0, lt=1)
    max_tokens: int = Field(256, ge=8)
    freeze_embeddings: bool = True
    freeze_layers: int = Field(0, ge=0)
    """How many encoder layers, of those kept, counted from the embeddings, are not trained."""
    lora: LoraSection | None = None

    @model_validator(mode="after")
    def _check_layers(self) -> "ModelSection":
        layers = self.layers or ()
        if list(layers) != sorted(set(layers)) or any(layer < 0 for layer in layers):
            raise ValueError(
                f"layers must be numbers of encoder layers from 0 on, each once and rising, got {list(layers)}; "
                "write for instance [0, 2, 5]"
            )
        return self

    @model_validator(mode="after")
    def _check_lora(self) -> "ModelSection":
        if self.lora is not None and not self.freeze_embeddings:
            raise ValueError(
                "freeze_embeddings is false, and with a LoRA nothing but its factors is trained; leave "
                "freeze_embeddings or lora out"
            )
        return self


class LossSection(Section):
    """What is minimised. The defaults are plain binary (or categorical) cross-entropy.

    focal: Lin et al. 2017, `gamma`. asymmetric: Ridnik et al. 2021, `gamma` for negatives and `clip`; not for
    exclusive labels.
    """

    kind: Literal["cross_entropy", "focal", "asymmetric"] = "cross_entropy"
    gamma: float = Field(2.0, ge=0)
    clip: float = Field(0.05, ge=0, lt=1)
    smoothing: float = Field(0.0, ge=0, lt=0.5)
    class_weights: Literal["none", "balanced"] = "none"


class OptimizationSection(Section):
    """How it is minimised."""

    epochs: float = Field(4, gt=0)
    batch_size: int = Field(16, ge=1)
    accumulation: int = Field(1, ge=1)
    body_learning_rate: float = Field(1e-4, gt=0)
    head_learning_rate: float = Field(2e-3, gt=0)
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Each layer below the top learns at this times the rate of the one above."""
    weight_decay: float = Field(0.01, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    gradient_clip: float = Field(1.0, gt=0)
    group_by_length: bool = True
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    early_stopping: int | None = Field(None, ge=1)
    """Stop after this many evaluations without a better dev macro-F1, and keep the best; None: train to the end."""
    loss: LossSection = LossSection()


class AugmentationSection(Section):
    """Copies added to the training sentences."""

    wire_share: float = Field(0.0, ge=0, le=1)
    """Share of the training sentences that are added again as lower-cased tokenised wire copy."""


class CalibrationSection(Section):
    """Fitted on the dev sentences after training; see `training.calibrate_fit`.

    Exclusive labels have no thresholds, so that policy and target must be left at their defaults there.
    """

    method: Literal["platt", "none"] = "platt"
    policy: Literal["f1", "precision", "recall", "fixed"] = "f1"
    target: float = Field(_NO_TARGET, gt=0, lt=1)
    """The threshold of "fixed", or the wanted value of "precision" and "recall". "f1" ignores it."""
    folds: int = Field(5, ge=LEAST_GROUPS)


class OutputSection(Section):
    """What is written, and where."""

    folder: str = "runs/newsacts"
    weight_format: str = "full"
    rank: int = Field(32, ge=1)
    """Rank of the factors of the weight format "delta-low-rank"."""
    report_to: tuple[str, ...] = ()
    log_every: int = Field(50, ge=1)
    save_every: int | None = Field(None, ge=1)
    """Steps between resumable training checkpoints; None: once an epoch."""

    @model_validator(mode="after")
    def _check_format(self) -> "OutputSection":
        if self.weight_format not in ENCODERS:
            raise ValueError(f"weight_format must be one of {', '.join(ENCODERS)}, got {self.weight_format!r}")
        return self


class TrainingConfig(Section):
    """A whole training run."""

    name: str
    seed: int = Field(0, ge=0, lt=2**32)
    scheme: SchemeSection = SchemeSection()
    data: DataSection
    model: ModelSection = ModelSection()
    optimization: OptimizationSection = OptimizationSection()
    augmentation: AugmentationSection = AugmentationSection()
    calibration: CalibrationSection = CalibrationSection()
    output: OutputSection = OutputSection()

    @model_validator(mode="after")
    def _check_exclusive(self) -> "TrainingConfig":
        if not self.scheme.exclusive:
            return self
        section = self.calibration
        if self.optimization.loss.kind == "asymmetric":
            raise ValueError(
                "optimization.loss.kind asymmetric weighs each label by itself, and exclusive labels share one loss; "
                "expected cross_entropy or focal"
            )
        if section.policy != "f1" or section.target != _NO_TARGET:
            raise ValueError(
                f"calibration.policy {section.policy} (target {section.target:g}) chooses thresholds, and an exclusive "
                "scheme has none: its most probable label wins; leave policy and target out"
            )
        return self

    @model_validator(mode="after")
    def _check_pairs(self) -> "TrainingConfig":
        try:
            self.scheme.to_scheme()
        except UsageError as error:
            raise ValueError(str(error)) from error
        lora, output = self.model.lora, self.output
        if lora is not None and output.weight_format == "delta-int8":
            raise ValueError(
                "a LoRA is stored exactly by output.weight_format delta-low-rank (or full), not delta-int8"
            )
        if lora is not None and output.weight_format == "delta-low-rank" and output.rank < lora.rank:
            raise ValueError(f"output.rank {output.rank} would cut off a LoRA of rank {lora.rank}; make it as large")
        return self


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> TrainingConfig:
    """Read, override and validate. Raises `ConfigError` naming the file, the key and the nearest known key."""
    place = Path(path)
    try:
        values = yaml.safe_load(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place}: cannot be read: {error}; expected a YAML training config") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{place}: not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{place}: expected a mapping of sections at the top, got {type(values).__name__}")
    for override in overrides:
        _apply_override(values, override)
    return parse_config(values, origin=str(place))


def parse_config(values: Mapping[str, Any], *, origin: str = "config") -> TrainingConfig:
    """Validate a mapping. Raises `ConfigError` with one line for each fault."""
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        faults = [_describe(dict(fault)) for fault in error.errors()]
        raise ConfigError(f"{origin}: " + "; ".join(faults)) from error


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"override {override!r}: expected KEY=VALUE with a dotted key, e.g. optimization.epochs=2")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: the value is not valid YAML: {error}") from error
    *sections, last = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        if inner is None:
            inner = values[section] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"override {override!r}: {section!r} is a value, not a section")
        values = inner
    values[last] = value


def _describe(fault: dict[str, Any]) -> str:
    location = [str(part) for part in fault["loc"]]
    key = ".".join(location) or "config"
    if fault["type"] == "value_error":
        # From a check of a whole section: its message says what was got, and the section need not be shown.
        return f"{key}: {fault['msg'].removeprefix('Value error, ')}"
    if fault["type"] != "extra_forbidden":
        return (
            f"{key}: {fault['msg']} (got {fault.get('input')!r})" if fault["type"] != "missing" else f"{key} is missing"
        )
    near = get_close_matches(location[-1], list(_known_keys(location[:-1])), n=1)
    hint = f", did you mean {near[0]!r}?" if near else f", expected one of {', '.join(_known_keys(location[:-1]))}"
    return f"unknown key {key!r}{hint}"


def _known_keys(sections: list[str]) -> tuple[str, ...]:
    model: Any = TrainingConfig
    for section in sections:
        annotation = model.model_fields[section].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next(kind for kind in candidates if isinstance(kind, type) and issubclass(kind, Section))
    return tuple(model.model_fields)
