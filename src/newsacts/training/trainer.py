"""The HF Trainer, fitted to newsacts: our network, losses, learning rates by depth, dev macro-F1.

Only extension points of `transformers.Trainer` are overridden. Devices, precision, accumulation, length
grouping, checkpoints and resumption are the Trainer's own work.
"""

import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.integrations.integration_utils import get_reporting_integration_callbacks
from transformers.trainer_pt_utils import get_length_grouped_indices

from newsacts.calibration import sigmoid
from newsacts.errors import ConfigError
from newsacts.training.config import OptimizationSection, TrainingConfig
from newsacts.training.losses import compute_loss

_logger = logging.getLogger("newsacts")
Row = Mapping[str, Any]
_LAYER = re.compile(r"\.layer\.(\d+)\.|\.layers\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows of `input_ids` and `labels` to padded tensors."""

    padding_id: int

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), self.padding_id, dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for number, row in enumerate(rows):
            ids[number, : len(row["input_ids"])] = torch.tensor(row["input_ids"])
            mask[number, : len(row["input_ids"])] = 1
        labels = torch.tensor(np.stack([row["labels"] for row in rows]), dtype=torch.float32)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class NewsactsTrainer(Trainer):
    """A Trainer that knows the config of the run and the weights of the classes."""

    # The configured losses are batch means; the Trainer divides them by the accumulation steps.
    loss_is_scaled_for_ga = False

    def __init__(self, config: TrainingConfig, class_weights: Tensor | None, **options: Any) -> None:
        super().__init__(**options)
        self._config = config
        self._class_weights = class_weights

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the Trainer's signature
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The configured loss; with `return_outputs` also {"logits": (n, k)}."""
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        weights = None if self._class_weights is None else self._class_weights.to(logits.device)
        loss = compute_loss(
            logits,
            inputs["labels"],
            self._config.optimization.loss,
            weights=weights,
            exclusive=self._config.scheme.exclusive,
        )
        return (loss, {"logits": logits}) if return_outputs else loss

    def _get_train_sampler(self, train_dataset: Any = None) -> "EpochSampler":
        """Order by seed and epoch alone. The library's own sampler draws from the global generator, which
        stands elsewhere after a resumption, so a resumed run would see other batches."""
        section = self._config.optimization
        group = section.batch_size * section.accumulation if section.group_by_length else None
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        return EpochSampler([len(row["input_ids"]) for row in rows], seed=self._config.seed, group=group)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW with one group of parameters for every learning rate and decay."""
        if self.optimizer is None:
            groups = group_parameters(cast(nn.Module, model or self.model), self._config.optimization)
            # One kernel for all tensors: the plain loop takes a tenth of a step on a CPU.
            self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer


class EpochSampler(Sampler[int]):
    """A new order every epoch, a function of seed and epoch; with `group`, runs of that many of like length."""

    def __init__(self, lengths: list[int], *, seed: int, group: int | None) -> None:
        self._lengths, self._seed, self._group = lengths, seed, group
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate at the start of every epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + 1_000_003 * self._epoch)
        if self._group is None:
            return iter(torch.randperm(len(self), generator=generator).tolist())
        order: list[int] = get_length_grouped_indices(self._lengths, self._group, generator=generator)  # type: ignore[no-untyped-call]
        # The library leaves its batches from long to short; shuffled, no stretch of training is all of one length.
        whole = len(order) // self._group
        places = torch.randperm(whole, generator=generator).tolist()
        starts = [place * self._group for place in places] + [whole * self._group]
        return iter([index for start in starts for index in order[start : start + self._group]])


def group_parameters(network: nn.Module, section: OptimizationSection) -> list[dict[str, Any]]:
    """Parameter groups: head and pooling at the head's rate, encoder layers decayed from the top down."""
    named = [(name, value) for name, value in network.named_parameters() if value.requires_grad]
    top = max((_find_layer(name) for name, _ in named), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        decay = section.weight_decay if parameter.ndim > 1 else 0.0
        depth = top - _find_layer(name)
        in_body = name.startswith("encoder.")
        rate = section.body_learning_rate * section.layer_decay**depth if in_body else section.head_learning_rate
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()]


def build_arguments(config: TrainingConfig, *, state_folder: Path, quiet: bool) -> TrainingArguments:
    """The Trainer's arguments for a config. Raises `ConfigError` for what is not there: float16, a tracker."""
    section, output = config.optimization, config.output
    precision = choose_precision(section.precision)
    _require_trackers(output.report_to)
    watching = section.early_stopping is not None
    steps = output.save_every
    return TrainingArguments(
        output_dir=str(state_folder),
        num_train_epochs=section.epochs,
        per_device_train_batch_size=section.batch_size,
        per_device_eval_batch_size=64,
        gradient_accumulation_steps=section.accumulation,
        learning_rate=section.body_learning_rate,
        warmup_steps=section.warmup,
        lr_scheduler_type=section.schedule,
        max_grad_norm=section.gradient_clip,
        bf16=precision == "bfloat16",
        fp16=precision == "float16",
        eval_strategy="steps" if steps and watching else "epoch",
        eval_steps=steps if watching else None,
        save_strategy="steps" if steps else "epoch",
        save_steps=steps or 500,
        save_total_limit=2,
        load_best_model_at_end=watching,
        metric_for_best_model="macro_f1" if watching else None,
        greater_is_better=True if watching else None,
        logging_steps=output.log_every,
        report_to=list(output.report_to) or "none",
        disable_tqdm=quiet,
        seed=config.seed,
        data_seed=config.seed,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not has_accelerator(),
        ddp_find_unused_parameters=False,
    )


def require_evaluation(config: TrainingConfig, *, rows: int, processes: int) -> None:
    """Raises `ConfigError` where early stopping would never look at dev: it does so where steps are saved."""
    section, every = config.optimization, config.output.save_every
    if section.early_stopping is None or every is None:
        return
    batches = math.ceil(rows / (section.batch_size * processes))
    steps = math.ceil(section.epochs * math.ceil(batches / section.accumulation))
    if every > steps:
        raise ConfigError(
            f"output.save_every is {every} and the run takes {steps} steps: optimization.early_stopping would never "
            "look at dev; write a smaller save_every, or leave it out for once an epoch"
        )


def has_accelerator() -> bool:
    """Whether PyTorch sees a GPU that the Trainer can use."""
    return bool(torch.cuda.is_available() or torch.backends.mps.is_available())


def choose_precision(wanted: str) -> str:
    """ "auto": bfloat16 where the GPU, or the CPU's own instructions, compute it; else float32.

    Raises `ConfigError` for "float16" without a GPU: the Trainer would compute in float32.
    """
    if wanted == "float16" and not has_accelerator():
        raise ConfigError(
            "optimization.precision float16 needs a GPU, and PyTorch sees none; write auto, float32 or bfloat16"
        )
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    # Without AVX-512 BF16 or AMX a CPU emulates bfloat16, slower than float32.
    native = torch.backends.cpu.get_cpu_capability().startswith("AVX512") and _has_native_bfloat16()
    return "bfloat16" if native else "float32"


class LogToLogger(TrainerCallback):
    """Losses and scores to the library's logger: standard output is for data."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """One line a log, from the first process only."""
        if not state.is_world_process_zero:
            return
        figures = ", ".join(f"{name} {value}" for name, value in (logs or {}).items() if name != "epoch")
        _logger.info("step %d of %d: %s", state.global_step, state.max_steps, figures)


class BarOnly(ProgressCallback):
    """The Trainer's progress bar without the log lines that it prints to standard output."""

    def on_log(self, *_: Any, **__: Any) -> None:
        """Nothing: `LogToLogger` tells."""


def arrange_callbacks(trainer: Trainer, config: TrainingConfig, *, quiet: bool) -> None:
    """Logs through the logger, a bar on a terminal, and early stopping where the config asks for it."""
    for usual in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(usual)
    trainer.add_callback(LogToLogger())
    if not quiet:
        trainer.add_callback(BarOnly())
    if config.optimization.early_stopping is not None:
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=config.optimization.early_stopping))


def measure_dev(prediction: EvalPrediction, *, exclusive: bool) -> dict[str, float]:
    """Macro-F1 at threshold 0.5 (or of the most probable label), before calibration."""
    logits, truth = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    if exclusive:
        score = f1_score(truth.argmax(axis=1), logits.argmax(axis=1), average="macro", zero_division=0)
    else:
        decided = sigmoid(logits.astype(np.float64)) >= 0.5  # noqa: PLR2004 - the customary threshold
        score = f1_score(truth, decided, average="macro", zero_division=0)
    return {"macro_f1": float(score)}


def balance_classes(targets: np.ndarray[Any, np.dtype[np.float32]], *, exclusive: bool) -> Tensor:
    """Weights (k,): the square root of negatives over positives, or of mean over class frequency."""
    positives = np.maximum(targets.sum(axis=0), 1)
    ratio = len(targets) / (targets.shape[1] * positives) if exclusive else (len(targets) - positives) / positives
    return torch.tensor(np.sqrt(ratio), dtype=torch.float32)


def _require_trackers(names: Sequence[str]) -> None:
    """Raises `ConfigError` for a tracker that transformers does not know, or whose package is not installed."""
    for name in names:
        if name in {"all", "none"}:
            continue
        try:
            for tracker in get_reporting_integration_callbacks([name]):  # type: ignore[no-untyped-call]
                tracker()
        except ValueError as error:
            raise ConfigError(f"output.report_to: {error}") from error
        except (RuntimeError, ImportError) as error:
            raise ConfigError(
                f"output.report_to: the package of {name} is not installed ({error}); install it, for instance by "
                f"`pip install {name.replace('_', '-')}`, or leave it out"
            ) from error


def _find_layer(name: str) -> int:
    found = _LAYER.search(name)
    return int(found.group(1) or found.group(2)) + 1 if found else 0


def _has_native_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and bool(re.search(r"\b(avx512_bf16|amx_bf16)\b", flags.read_text(errors="replace")))
