"""One training run, from config to checkpoint: read, encode, train, calibrate, score, save.

    config -> examples -> token rows -> HF Trainer -> dev logits -> calibration -> checkpoint folder

The output folder becomes the checkpoint; the Trainer's resumable state stands in `<folder>.training` beside
it (see `training.claim`). A run that was killed goes on from its last saved step with `resume=True`.
"""

import json
import logging
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from transformers import set_seed

from newsacts.backends.base import tell_choices
from newsacts.backends.network import SentenceNetwork, dump_state
from newsacts.backends.onnx_graphs import explain_obstacle, ship_activations
from newsacts.base_models import BaseModel, find_base_model
from newsacts.batching import WindowTokenizer
from newsacts.calibration import identity_calibration
from newsacts.checkpoint import (
    CARD,
    CONFIG,
    TOKENIZER,
    Checkpoint,
    ModelFacts,
    load_base_tensors,
    open_checkpoint,
    write_checkpoint,
)
from newsacts.classifier import Classifier
from newsacts.data.loaders import write_rejects
from newsacts.errors import ModelError
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.training.calibrate_fit import DevSet, cross_fit, fit_calibration
from newsacts.training.card import render_model_card
from newsacts.training.claim import CONFIG_NOTE, DRAFT, claim_output, find_last_step, find_state_folder, keep_data_note
from newsacts.training.config import TrainingConfig
from newsacts.training.dataset import TrainingData, encode_rows, encode_soft_rows, load_training_data
from newsacts.training.machine import describe_machine, measure_peak_memory
from newsacts.training.networks import describe_encoder, merge_adapter, prepare_network
from newsacts.training.operating_fit import measure_curves
from newsacts.training.trainer import (
    Collator,
    NewsactsTrainer,
    arrange_callbacks,
    balance_classes,
    build_arguments,
    has_accelerator,
    measure_dev,
    require_evaluation,
)
from newsacts.weights import Tensors, encode_weights

_logger = logging.getLogger("newsacts")


@dataclass(frozen=True, slots=True)
class _Start:
    base: BaseModel
    tokenizer: WindowTokenizer


@dataclass(frozen=True, slots=True)
class _Options:
    resume: bool
    quiet: bool


def train(config: TrainingConfig, *, resume: bool = False, quiet: bool = False) -> Checkpoint | None:
    """Run a config. Returns the checkpoint, or None in the helper processes of a `torchrun`.

    Refuses an output folder that is in use: `UsageError` where it holds a checkpoint, or an unfinished run and
    `resume` is not set; `ConfigError` where `resume` is set and the unfinished run had another config or other data.
    Raises `ModelError` where training diverged.
    """
    processes = PartialState(cpu=not has_accelerator())
    unfinished = processes.is_main_process and claim_output(config, resume=resume)
    # The helpers of a torchrun must not look before the first process has made its claim.
    processes.wait_for_everyone()
    state_folder = find_state_folder(config)
    set_seed(config.seed)
    base = find_base_model(config.model.base)
    data = load_training_data(config)
    if processes.is_main_process:
        keep_data_note(config, data.facts["files"], unfinished=unfinished)
    if data.rejects and processes.is_main_process:
        write_rejects(data.rejects, state_folder / "rejects.jsonl")
        _logger.warning("%d rows were rejected, see %s", len(data.rejects), state_folder / "rejects.jsonl")
    tokenizer = WindowTokenizer(base.tokenizer_file, max_tokens=config.model.max_tokens)
    model = _Start(base, tokenizer)
    fitted = _fit(config, data, model, state_folder=state_folder, options=_Options(resume=resume, quiet=quiet))
    return None if fitted is None else _save(config, data, model, *fitted)


def _fit(
    config: TrainingConfig, data: TrainingData, model: _Start, *, state_folder: Path, options: _Options
) -> tuple[SentenceNetwork, dict[str, Any]] | None:
    scheme = config.scheme.to_scheme()
    rows = encode_rows(data.train, model.tokenizer, scheme)
    weights = None
    if config.optimization.loss.class_weights == "balanced":
        weights = balance_classes(np.stack([row["labels"] for row in rows]), exclusive=scheme.exclusive)
    rows += encode_soft_rows(data.soft, model.tokenizer)
    network = prepare_network(config, model.base)
    arguments = build_arguments(config, state_folder=state_folder, quiet=options.quiet)
    require_evaluation(config, rows=len(rows), processes=arguments.world_size)
    trainer = NewsactsTrainer(
        config,
        weights,
        model=network,
        args=arguments,
        train_dataset=rows,
        eval_dataset=encode_rows(data.dev, model.tokenizer, scheme),
        data_collator=Collator(model.tokenizer.padding_id),
        compute_metrics=partial(measure_dev, exclusive=scheme.exclusive),
    )
    arrange_callbacks(trainer, config, quiet=options.quiet)
    last = find_last_step(state_folder) if options.resume else None
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=last)
    if not trainer.is_world_process_zero():
        return None
    facts = {
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_gb": measure_peak_memory(),
        "steps": trainer.state.global_step,
        "resumed_from": None if last is None else Path(last).name,
        "precision": "bfloat16" if arguments.bf16 else "float16" if arguments.fp16 else "float32",
        "machine": describe_machine(),
    }
    return merge_adapter(network), facts


def _save(
    config: TrainingConfig, data: TrainingData, model: _Start, network: SentenceNetwork, run: dict[str, Any]
) -> Checkpoint:
    """Write the weights, calibrate what was written (rounding included), score it, and put it in place."""
    scheme, output = config.scheme.to_scheme(), config.output
    base = load_base_tensors(model.base, layers=config.model.layers)
    state = dump_state(network)
    _refuse_divergence(config, state)
    weights = encode_weights(state, base, output.weight_format, rank=output.rank)
    texts = {
        CONFIG: json.dumps(describe_encoder(network), indent=2) + "\n",
        TOKENIZER: model.base.tokenizer_file.read_text(encoding="utf-8"),
    }
    facts = ModelFacts(
        scheme=scheme,
        calibration=identity_calibration(len(scheme)),
        pooling=config.model.pooling,
        max_tokens=config.model.max_tokens,
        weight_format=output.weight_format,
        base_source=model.base.source,
        base_revision=model.base.revision,
        base_sha256=model.base.sha256,
        base_layers=config.model.layers,
        codebook=config.scheme.codebook,
        training={"config": json.loads(config.model_dump_json()), "data": data.facts, "run": run},
    )
    draft = find_state_folder(config) / DRAFT
    raw = write_checkpoint(draft, facts, weights=weights, texts=texts)
    facts = _calibrate(config, data, raw)
    texts[CARD] = render_model_card(facts, name=config.name)
    finished = write_checkpoint(draft, facts, weights=weights, texts=texts)
    if explain_obstacle(finished) is None:
        # Measured once here, so that the first use of the checkpoint on a machine is quick.
        ship_activations(finished, draft)
    draft.rename(output.folder)
    # Without its note the state folder no longer counts as an unfinished run.
    (find_state_folder(config) / CONFIG_NOTE).unlink()
    return open_checkpoint(Path(output.folder))


def _calibrate(config: TrainingConfig, data: TrainingData, raw: Checkpoint) -> ModelFacts:
    scheme, section = config.scheme.to_scheme(), config.calibration
    classifier = Classifier.from_pretrained(raw.folder, dtype="float32")
    logits = classifier.predict_logits([example.text for example in data.dev])
    _refuse_divergence(config, {"logits": logits})
    dev = DevSet(logits, build_targets(data.dev, scheme), [example.group for example in data.dev])
    fitted = cross_fit(dev, scheme, section)
    judged = Judged(dev.truth, fitted.probabilities, fitted.decided, dev.groups)
    scores = {
        "dev": score_predictions(judged, scheme),
        "how": f"calibration cross-fitted, {fitted.folds} folds{_tell_stopping(config)}; computed by "
        f"{tell_choices(classifier.choices)}",
        "choices": {name: choice.value for name, choice in classifier.choices.items()},
    }
    calibration = fit_calibration(logits, dev.truth, scheme, section)
    return replace(raw.facts, calibration=calibration, scores=scores, curves=measure_curves(dev, scheme, section))


def _tell_stopping(config: TrainingConfig) -> str:
    if config.optimization.early_stopping is None:
        return ""
    return ", but early stopping chose the epoch on these same sentences, so that the scores are a little lucky"


def _refuse_divergence(config: TrainingConfig, values: Tensors) -> None:
    if all(np.isfinite(tensor).all() for tensor in values.values()):
        return
    section = config.optimization
    raise ModelError(
        "training diverged: the model holds or gives numbers that are not finite. Lower "
        f"optimization.body_learning_rate ({section.body_learning_rate:g}) or optimization.head_learning_rate "
        f"({section.head_learning_rate:g}), or choose another optimization.loss (kind {section.loss.kind}, gamma "
        f"{section.loss.gamma:g}); then remove {find_state_folder(config)} or choose another output.folder"
    )
