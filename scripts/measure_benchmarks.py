"""Train the published benchmarks' recipes over several seeds and score each on its test file, once.

    python scripts/prepare_benchmarks.py
    python scripts/measure_benchmarks.py                        # all benchmarks, seeds 0, 1 and 2
    python scripts/measure_benchmarks.py plv_marked cameo --seeds 0 1

Trains by `configs/benchmarks/NAME.yaml` through `newsacts.training`, and scores through `newsacts.evaluation`, as
`newsacts train` and `newsacts evaluate` do. A seed whose scores are in the results for the same recipe is not measured
again. A changed recipe starts anew, and `recipes_tested` counts how many were ever scored on the test file: more than
one is a choice made on test, and has to be said. Recipes are chosen on held-out training sentences, for which
`newsacts train configs/benchmarks/NAME.yaml --set data.dev_fraction=0.2 --set seed=11` prints the score.

Beside all test rows, as published, stand the scores on the rows whose text is not in the training file.
"""

import hashlib
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np

from measure_checkpoints import read_commit
from newsacts import Classifier
from newsacts.base_models import hash_file
from newsacts.data.loaders import load_examples
from newsacts.evaluation.run import evaluate
from newsacts.training.config import TrainingConfig, load_config
from newsacts.training.machine import describe_machine
from newsacts.training.run import train

RESULTS = Path("benchmarks/results/benchmarks.json")
DATA = Path("build/benchmarks")
NOT_OF_THE_RECIPE = {"seed", "name", "output"}

PLV_PUBLISHED = {"ConfliBERT, supervised (110M)": 0.867, "ZSP (355M)": 0.824, "GPT-4": 0.615, "PETRARCH": 0.463}
PUBLISHED: dict[str, tuple[str, dict[str, float]]] = {
    "plv_marked": ("macro_f1", PLV_PUBLISHED),
    "plv_plain": ("macro_f1", {}),
    "india_police": ("example_f1", {"ConfliBERT (110M)": 0.661, "ModernBERT-base": 0.666}),
    "satp": ("example_f1", {"ConfliBERT (110M)": 0.894, "ModernBERT-base": 0.872}),
    "cameo": ("macro_f1", {"ConfliBERT (110M)": 0.895, "ModernBERT-base": 0.870}),
}
"""The published measure of each benchmark and what others reached by it; see shared/data/README.md."""

KEPT = ("sentences", "macro_f1", "macro_f1_interval", "micro_f1", "example_f1", "example_f1_interval", "exact_match")


def fingerprint(config: TrainingConfig) -> str:
    """Hash of all that makes a recipe: its training files, and what it sets to other than the default values.

    Seeds, names and folders aside. A key that a later newsacts adds leaves the recipe the same.
    """
    chosen = config.model_dump(mode="json", exclude_defaults=True)
    values = {name: value for name, value in chosen.items() if name not in NOT_OF_THE_RECIPE}
    files = [hash_file(Path(path)) for path in config.data.train]
    return hashlib.sha256(json.dumps([values, files], sort_keys=True).encode()).hexdigest()[:12]


def measure_seed(name: str, recipe: str, seed: int) -> dict[str, Any]:
    """Train one seed of a recipe and score it; the checkpoint stays in runs/benchmarks."""
    folder = f"runs/benchmarks/{name}-{recipe}-{seed}"
    config = load_config(f"configs/benchmarks/{name}.yaml", [f"seed={seed}", f"output.folder={folder}"])
    checkpoint = train(config, quiet=True)
    if checkpoint is None:
        sys.exit("run this script in one process, not under torchrun")
    run = checkpoint.facts.training["run"]
    return {
        "seed": seed,
        "dev": _keep(checkpoint.facts.scores["dev"]),
        "test": score_file(checkpoint.folder, f"{name}.test.jsonl"),
        "test_unseen": score_file(checkpoint.folder, f"{name}.test_unseen.jsonl"),
        "training": {key: run[key] for key in ("seconds", "peak_memory_gb", "steps", "precision")},
    }


def score_file(folder: Path, file: str) -> dict[str, Any]:
    """Scores of a checkpoint on a prepared file by what `auto` takes here, with F1 and number of rows of each label."""
    classifier = Classifier.from_pretrained(folder, device="cpu")
    report = evaluate(classifier, load_examples(DATA / file, classifier.scheme).examples, worst=0)
    rows = report.scores["labels"].items()
    labels = {label: {key: row[key] for key in ("support", "f1")} for label, row in rows}
    return _keep(report.scores) | {"labels": labels, "computed": report.model["computed"]}


def summarize(measure: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and deviation over seeds of the published measure."""
    values = [[row[part][measure] for row in seeds] for part in ("test", "test_unseen", "dev")]
    test, unseen, dev = values
    return {
        "test_mean": float(np.mean(test)),
        "test_deviation": float(np.std(test, ddof=1)) if len(test) > 1 else 0.0,
        "test_unseen_mean": float(np.mean(unseen)),
        "dev_mean": float(np.mean(dev)),
    }


def update(results: dict[str, Any], name: str, seeds: list[int]) -> None:
    """Measure what is missing of one benchmark, and write after every seed."""
    recipe = fingerprint(load_config(f"configs/benchmarks/{name}.yaml"))
    measure, published = PUBLISHED[name]
    entry = results["benchmarks"].get(name, {"recipes_tested": 0})
    if entry.get("recipe") != recipe:
        entry = {"recipe": recipe, "recipes_tested": entry["recipes_tested"] + 1, "seeds": []}
    done = {row["seed"] for row in entry["seeds"]}
    for seed in [seed for seed in seeds if seed not in done]:
        entry["seeds"] = sorted([*entry["seeds"], measure_seed(name, recipe, seed)], key=lambda row: int(row["seed"]))
        entry |= {"measure": measure, "published": published, "summary": summarize(measure, entry["seeds"])}
        entry |= {"commit": read_commit(), "machine": describe_machine(), "command": "python " + " ".join(sys.argv)}
        results["benchmarks"][name] = entry
        results["data"] = json.loads((DATA / "facts.json").read_text(encoding="utf-8"))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(name, json.dumps(entry.get("summary"), indent=1))


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help=f"of {', '.join(PUBLISHED)}; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    if unknown := set(options.benchmarks) - set(PUBLISHED):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; expected of {', '.join(PUBLISHED)}")
    if not (DATA / "facts.json").is_file():
        parser.error(f"{DATA} is empty; run scripts/prepare_benchmarks.py first")
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"benchmarks": {}}
    for name in options.benchmarks or PUBLISHED:
        update(before, name, options.seeds)


def _keep(scores: dict[str, Any]) -> dict[str, Any]:
    return {key: scores[key] for key in KEPT}


if __name__ == "__main__":
    main()
