"""Export to plain `transformers`: a folder that `pipeline("text-classification")` opens without newsacts.

BERT's own classification class reads the vector of the first token, and newsacts averages over all tokens.
The two meet by one more BERT layer whose attention is uniform (queries and keys are zero), so that the first
token receives the mean over the sentence:

    attention   value rows = head weights; output puts +C z and -C z of each logit z on two places, and the
                constants +B and -B on two more (B >> C z >> the first token's own vector)
    layer norm  divides by a spread that is B's alone, up to (C z / B)^2: linear in z to about 1e-6
    feed-forward  zero
    pooler      half the difference of the two places, small enough that tanh is linear to 1e-6
    classifier  undoes all scaling

All in float32: a half-precision copy of the exported folder would be wrong. Only BERT encoders with mean or
first-token pooling can be exported.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

from newsacts.backends.network import SentenceNetwork, hush_transformers, open_network
from newsacts.calibration import compute_probabilities, identity_calibration
from newsacts.checkpoint import Checkpoint
from newsacts.classifier import Classifier
from newsacts.errors import ModelError, UsageError

PARITY_LIMIT = 1e-4
"""Largest allowed difference in probability between newsacts and the exported folder."""

_REPLACED_KEYS = {"model_type", "num_hidden_layers", "id2label", "label2id", "problem_type"}
_LOGIT_SCALE = 2.0**20
_ANCHOR = 2.0**34

PARITY_TEXTS = (
    "We regret this.",
    "The ministry denied that its ships had entered the bay.",
    "Brussels froze the assets of three generals and accused them of ordering the raid.",
    "the union said the mill had lied about the dust , and asked for an inquiry .",
    "Rain is expected in the north by Thursday.",
    "Élodie Martin's lawyer called the charge “baseless” 😀",
    " ".join(["The committee will meet again in March to discuss the harbour."] * 6),
)


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the exported folder is from newsacts, over `sentences` sentences, before calibration."""

    sentences: int
    largest_difference: float


def export_transformers(checkpoint: Checkpoint, folder: Path, *, texts: Sequence[str] = PARITY_TEXTS) -> Parity:
    """Write the folder, open it with the plain pipeline, compare, and report.

    Texts longer than the model reads are left out of the comparison: plain transformers cuts them.
    Raises `UsageError` for a folder in use or a network that has no such form, `ModelError` where the
    difference exceeds `PARITY_LIMIT`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: expected a new or empty folder to export to, found something there")
    facts = checkpoint.facts
    if facts.pooling not in {"mean", "cls"}:
        raise UsageError(f"pooling {facts.pooling!r} has no form in plain transformers; expected mean or cls")
    config = checkpoint.load_encoder_config()
    if config.get("model_type") != "bert":
        raise UsageError(f"only BERT encoders can be exported, this one is {config.get('model_type')!r}")
    network = open_network(checkpoint)
    with hush_transformers():
        _convert(network, config, checkpoint).save_pretrained(folder)
        _load_tokenizer(checkpoint).save_pretrained(folder)
        parity = measure_parity(checkpoint, folder, texts)
    if parity.largest_difference > PARITY_LIMIT:
        raise ModelError(
            f"{folder}: probabilities differ by up to {parity.largest_difference:.1e} from newsacts, allowed is "
            f"{PARITY_LIMIT:.0e}; do not use the folder, and report this with the checkpoint"
        )
    (folder / "newsacts_parity.json").write_text(
        json.dumps({"sentences": parity.sentences, "largest_difference": parity.largest_difference}) + "\n",
        encoding="utf-8",
    )
    return parity


def measure_parity(checkpoint: Checkpoint, folder: Path, texts: Sequence[str]) -> Parity:
    """Compare the plain pipeline on `folder` with newsacts on `checkpoint`, one text at a time."""
    classifier = Classifier.from_pretrained(checkpoint.folder, device="cpu", dtype="float32")
    scheme = classifier.scheme
    texts = [text for text in texts if classifier.count_windows(text) == 1]
    ours = compute_probabilities(classifier.predict_logits(texts), scheme, identity_calibration(len(scheme)))
    plain: Any = pipeline("text-classification", model=str(folder), device="cpu", top_k=None, truncation=True)
    # One text at a time, as most people call it, and so that no padding can hide a difference.
    answers = [{part["label"]: part["score"] for part in plain([text])[0]} for text in texts]
    theirs = np.array([[answer[name] for name in scheme.names] for answer in answers])
    return Parity(len(texts), float(np.abs(ours - theirs.reshape(ours.shape)).max(initial=0.0)))


def _convert(network: SentenceNetwork, config: dict[str, Any], checkpoint: Checkpoint) -> Any:
    facts = checkpoint.facts
    layers = int(config["num_hidden_layers"])
    kept = {name: value for name, value in config.items() if name not in _REPLACED_KEYS}
    target: Any = BertForSequenceClassification(
        BertConfig(
            **kept,
            num_hidden_layers=layers + (facts.pooling == "mean"),
            id2label=dict(enumerate(facts.scheme.names)),
            label2id={name: number for number, name in enumerate(facts.scheme.names)},
            problem_type="single_label_classification" if facts.scheme.exclusive else "multi_label_classification",
        )
    )
    target.eval()
    body = target.bert
    missing, unexpected = body.load_state_dict(network.encoder.state_dict(), strict=False)
    added = f"encoder.layer.{layers}."
    if unexpected or any(not name.startswith((added, "pooler.")) for name in missing):
        raise ModelError(f"the encoder does not fit BERT's classification class: {missing}, {unexpected}")
    with torch.no_grad():
        if facts.pooling == "mean":
            _fill_mean_layer(body.encoder.layer[layers], network.head)
            # The layer norm divides by the spread of +B and -B among all places.
            gain = _LOGIT_SCALE / _ANCHOR * math.sqrt(network.head.in_features / 2)
            _fill_top(target, _pick_pairs(network.head), squeeze=2.0**-4, gain=gain)
        else:
            _fill_top(target, network.head.weight, squeeze=2.0**-12, gain=1.0)
            target.classifier.bias.copy_(network.head.bias)
    return target


def _fill_mean_layer(layer: Any, head: nn.Linear) -> None:
    size, hidden = head.out_features, head.in_features
    if 2 * size + 2 > hidden:
        raise UsageError(f"{size} labels do not fit in {hidden} dimensions; at most {hidden // 2 - 1} can be exported")
    for parameter in layer.parameters():
        parameter.zero_()
    attention = layer.attention
    attention.self.value.weight[:size] = head.weight
    places = torch.arange(size)
    output = attention.output.dense
    output.weight[places, places] = _LOGIT_SCALE
    output.weight[size + places, places] = -_LOGIT_SCALE
    output.bias[:size] = _LOGIT_SCALE * head.bias
    output.bias[size : 2 * size] = -_LOGIT_SCALE * head.bias
    output.bias[2 * size], output.bias[2 * size + 1] = _ANCHOR, -_ANCHOR
    attention.output.LayerNorm.weight.fill_(1)
    layer.output.LayerNorm.weight.fill_(1)


def _pick_pairs(head: nn.Linear) -> Tensor:
    """Rows that read half the difference of the two places of each logit, made small for tanh."""
    size = head.out_features
    rows = torch.zeros(size, head.in_features)
    places = torch.arange(size)
    rows[places, places], rows[places, size + places] = 0.5, -0.5
    return rows


def _fill_top(target: Any, rows: Tensor, *, squeeze: float, gain: float) -> None:
    """Pooler and classifier that give `rows` times the first vector, divided by `gain`.

    `squeeze` keeps the pooler's tanh in its linear part.
    """
    places = torch.arange(len(rows))
    dense, classifier = target.bert.pooler.dense, target.classifier
    for parameter in (*dense.parameters(), *classifier.parameters()):
        parameter.zero_()
    dense.weight[: len(rows)] = squeeze * rows
    classifier.weight[places, places] = 1 / (squeeze * gain)


def _load_tokenizer(checkpoint: Checkpoint) -> PreTrainedTokenizerFast:
    specials = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(checkpoint.tokenizer_file), model_max_length=checkpoint.facts.max_tokens, **specials
    )
