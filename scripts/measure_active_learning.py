"""Does `newsacts review sample --for training` find better sentences to label than chance? Played on labelled data.

    python scripts/measure_active_learning.py            # minutes on two free cores

Begins with 300 sentences of real_train drawn at random, labels 300 more a round, chosen by chance or as
`newsacts.review.informative` chooses (uncertainty with diversity), and scores each round on real_dev. The learner is a
cheap stand-in, so that a hundred trainings take minutes: a logistic regression a label on the frozen base model's
mean-pooled vectors. It is not the shipped classifier, and absolute scores are lower. The rule was chosen on real_dev,
so the gain is somewhat optimistic. The vectors are computed once and kept in build/. Needs the texts in
../shared/data; none of them is written.
"""

import argparse
import hashlib
import json
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from newsacts.base_models import find_base_model
from newsacts.data.loaders import load_examples
from newsacts.evaluation.run import build_targets
from newsacts.labels import DEFAULT_SCHEME
from newsacts.records import Example
from newsacts.review.informative import choose_informative, measure_uncertainty

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
START = STEP = 300
ROUNDS = 9
SEEDS = 6
THRESHOLD = 0.35
STRATEGIES = ("random", "uncertain and diverse")

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


def main() -> None:
    """Play both strategies for all seeds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "active_learning.json")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    options = parser.parse_args()
    began = time.perf_counter()
    train = load_examples(DATA / "real_train.jsonl", DEFAULT_SCHEME).examples
    dev = load_examples(DATA / "real_dev.jsonl", DEFAULT_SCHEME).examples
    vectors, dev_vectors = embed(train), embed(dev)
    pool = (train, vectors, build_targets(train, DEFAULT_SCHEME))
    judged = (dev_vectors, build_targets(dev, DEFAULT_SCHEME))
    games = list(product(STRATEGIES, range(SEEDS)))
    with ProcessPoolExecutor(options.workers) as workers:
        played = list(workers.map(play, *zip(*games, strict=True), [pool] * len(games), [judged] * len(games)))
    scores = {
        strategy: [score for score, (name, _) in zip(played, games, strict=True) if name == strategy]
        for strategy in STRATEGIES
    }
    result = {
        "command": "python scripts/measure_active_learning.py",
        "learner": f"logistic regression a label (C = 10, threshold {THRESHOLD}) on frozen mean-pooled MiniLM vectors",
        "sentences": {"pool": len(train), "dev": len(dev)},
        "labelled": [START + STEP * number for number in range(ROUNDS + 1)],
        "seeds": SEEDS,
        "strategies": {strategy: summarise(np.asarray(values)) for strategy, values in scores.items()},
        "difference": summarise(np.asarray(scores[STRATEGIES[1]]) - np.asarray(scores[STRATEGIES[0]])),
        "seconds": round(time.perf_counter() - began),
        "machine": platform.processor() or platform.machine(),
    }
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def play(
    strategy: str, seed: int, pool: tuple[list[Example], FloatArray, BoolArray], judged: tuple[FloatArray, BoolArray]
) -> list[float]:
    """Macro-F1 on dev after each round; both strategies begin with the same sentences."""
    with threadpool_limits(1):
        return play_rounds(strategy, seed, pool, judged)


def play_rounds(
    strategy: str, seed: int, pool: tuple[list[Example], FloatArray, BoolArray], judged: tuple[FloatArray, BoolArray]
) -> list[float]:
    """The game itself, with as many threads as it likes."""
    examples, vectors, targets = pool
    generator = np.random.default_rng(seed)
    labelled = generator.permutation(len(examples))[:START]
    scores = []
    for number in range(ROUNDS + 1):
        models = [fit(vectors[labelled], targets[labelled, column]) for column in range(targets.shape[1])]
        decided = predict(models, judged[0]) >= THRESHOLD
        scores.append(float(f1_score(judged[1], decided, average="macro", zero_division=0)))
        if number == ROUNDS:
            break
        rest = np.setdiff1d(np.arange(len(examples)), labelled)
        if strategy == STRATEGIES[0]:
            chosen = generator.permutation(len(rest))[:STEP]
        else:
            unsure = measure_uncertainty(predict(models, vectors[rest]), [THRESHOLD] * len(models), exclusive=False)
            chosen = choose_informative([examples[place].text for place in rest], unsure, STEP, seed=seed + number)
        labelled = np.concatenate([labelled, rest[chosen]])
    return scores


def fit(vectors: FloatArray, targets: BoolArray) -> LogisticRegression | float:
    """The learner of one label; a rate where all sentences agree."""
    if targets.all() or not targets.any():
        return float(targets.mean())
    return LogisticRegression(C=10, max_iter=1000).fit(vectors, targets)


def predict(models: list[Any], vectors: FloatArray) -> FloatArray:
    """Probabilities, (n, labels)."""
    columns = [
        np.full(len(vectors), model) if isinstance(model, float) else model.predict_proba(vectors)[:, 1]
        for model in models
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def summarise(values: npt.NDArray[np.float64]) -> list[dict[str, float]]:
    """Mean over seeds at each round, and its 95 % interval by Student's t."""
    from scipy.stats import t

    size = len(values)
    spread = t.ppf(0.975, size - 1) * values.std(axis=0, ddof=1) / np.sqrt(size)
    means = values.mean(axis=0)
    return [
        {"mean": round(float(mean), 4), "low": round(float(mean - half), 4), "high": round(float(mean + half), 4)}
        for mean, half in zip(means, spread, strict=True)
    ]


def embed(examples: list[Example]) -> FloatArray:
    """Unit vectors of the frozen base model, mean over tokens; kept in build/."""
    digest = hashlib.sha256("\n".join(example.text for example in examples).encode()).hexdigest()[:16]
    path = ROOT / "build" / f"vectors-{digest}.npy"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        np.save(path, compute_vectors([example.text for example in examples]))
    stored: FloatArray = np.load(path, allow_pickle=False)
    return stored


def compute_vectors(texts: list[str]) -> FloatArray:
    """Mean-pooled vectors of the base model, in the order of the texts."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    base = find_base_model()
    tokenizer = Tokenizer.from_file(str(base.tokenizer_file))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()
    model = AutoModel.from_pretrained(base.folder).eval()
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
    for start in range(0, len(order), 32):
        places = order[start : start + 32]
        encoded = tokenizer.encode_batch([texts[place] for place in places])
        mask = torch.tensor([one.attention_mask for one in encoded])
        with torch.inference_mode():
            hidden = model(torch.tensor([one.ids for one in encoded]), attention_mask=mask).last_hidden_state
        pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        vectors[places] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    return vectors


if __name__ == "__main__":
    main()
