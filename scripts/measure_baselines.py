"""Score the baselines on real_dev: keyword rules, TF-IDF and frozen sentence vectors with logistic regression.

    python scripts/measure_baselines.py --output benchmarks/results/baselines.json

They are trained on the labelled sentences of `configs/default.yaml`, without the repeats of dev sentences; its soft
labels are not for them. Scores get calibration and thresholds cross-fitted over articles, as those of a checkpoint do;
the keyword rules have none to fit. The strength of the penalty is chosen by cross-validation over articles of the
training sentences. Only figures are written, never a text.
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold

from measure_checkpoints import read_commit
from newsacts import Example
from newsacts.baselines.keywords import KeywordClassifier
from newsacts.baselines.linear import Features, LinearBaseline, fit_on_features, fit_tfidf, make_embedder
from newsacts.calibration import BoolArray
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import Judged, score_predictions
from newsacts.labels import LabelScheme
from newsacts.training.calibrate_fit import DevSet, cross_fit
from newsacts.training.config import CalibrationSection, load_config
from newsacts.training.dataset import load_training_data
from newsacts.training.machine import describe_machine

PENALTIES = (1.0, 0.3, 0.1, 0.03)

Fit = Callable[[Sequence[Example], LabelScheme, float], LinearBaseline]


def score_keywords(dev: Sequence[Example], scheme: LabelScheme) -> dict[str, Any]:
    """Scores of the keyword rules, which learn nothing."""
    started = time.monotonic()
    decided = KeywordClassifier().decide([example.text for example in dev])
    seconds = time.monotonic() - started
    groups = [example.group for example in dev]
    judged = Judged(build_targets(dev, scheme), decided.astype(np.float32), decided, groups)
    return {"penalty": None, "seconds": round(seconds, 1), "scores": _score(judged, scheme)}


def score_linear(fit: Fit, train: Sequence[Example], dev: Sequence[Example], scheme: LabelScheme) -> dict[str, Any]:
    """Scores of a linear baseline with the penalty that cross-validation inside train prefers."""
    started = time.monotonic()
    penalty = max(PENALTIES, key=lambda candidate: cross_validate(fit, train, scheme, candidate))
    logits = fit(train, scheme, penalty).logits([example.text for example in dev])
    groups = [example.group for example in dev]
    fitted = cross_fit(DevSet(logits, build_targets(dev, scheme), groups), scheme, CalibrationSection())
    judged = Judged(build_targets(dev, scheme), fitted.probabilities, fitted.decided, groups)
    seconds = time.monotonic() - started
    return {"penalty": penalty, "seconds": round(seconds, 1), "scores": _score(judged, scheme)}


def cross_validate(fit: Fit, train: Sequence[Example], scheme: LabelScheme, penalty: float) -> float:
    """Mean over labels of average precision, three folds of whole articles; it needs no threshold."""
    truth: BoolArray = build_targets(train, scheme)
    logits = np.zeros(truth.shape, dtype=np.float32)
    folds = GroupKFold(n_splits=3, shuffle=True, random_state=0)
    for rest, held in folds.split(truth, groups=[example.group for example in train]):
        model = fit([train[row] for row in rest], scheme, penalty)
        logits[held] = model.logits([train[row].text for row in held])
    return float(
        np.mean([average_precision_score(truth[:, column], logits[:, column]) for column in range(len(scheme))])
    )


def remember(embed: Features, texts: Sequence[str]) -> Features:
    """The same features, each text embedded once."""
    distinct = list(dict.fromkeys(texts))
    known = dict(zip(distinct, embed(distinct), strict=True))
    return lambda wanted: np.stack([known[text] for text in wanted])


def main() -> None:
    """Read, fit, score, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="configs/default.yaml")
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    config = load_config(options.config)
    scheme, data = config.scheme.to_scheme(), load_training_data(config)
    dev = [replace(example, split=None) for example in data.dev]
    embed = remember(make_embedder(config.model.base), [example.text for example in [*data.train, *dev]])
    rows = {
        "keyword rules": score_keywords(dev, scheme),
        "TF-IDF and logistic regression": score_linear(
            lambda examples, names, penalty: fit_tfidf(examples, names, penalty=penalty), data.train, dev, scheme
        ),
        "frozen MiniLM and logistic regression": score_linear(
            lambda examples, names, penalty: fit_on_features(examples, names, embed, penalty=penalty),
            data.train, dev, scheme,
        ),
    }  # fmt: skip
    result = {
        "command": "python " + " ".join(sys.argv), "commit": read_commit(), "machine": describe_machine(),
        "train": len(data.train), "sentences": len(dev), "baselines": rows,
    }  # fmt: skip
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: row["scores"]["macro_f1"] for name, row in rows.items()}, indent=1))


def _score(judged: Judged, scheme: LabelScheme) -> dict[str, Any]:
    scores = score_predictions(judged, scheme)
    labels = {name: {key: row[key] for key in ("precision", "recall", "f1")} for name, row in scores["labels"].items()}
    return {key: scores[key] for key in ("macro_f1", "macro_f1_interval", "micro_f1")} | {"labels": labels}


if __name__ == "__main__":
    main()
