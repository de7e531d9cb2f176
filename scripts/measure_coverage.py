"""Do the intervals of corrected rates hold the truth as often as they say? Counted on invented corpora.

    python scripts/measure_coverage.py            # some minutes on one core

A corpus is 2,000 articles of about ten sentences. Each article leans to the label or away from it, each sentence has a
chance to carry it, and the classifier sees that chance through noise; in some worlds its probabilities are too high as
well, or it errs more than on the sentences it was judged on. The truth is the rate of the world that corpora are drawn
from. For each world the script counts how often each interval of 95 % holds it, over many corpora.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.labels import LabelScheme
from newsacts.prevalence import (
    Estimate,
    Population,
    Sample,
    adjust_count,
    count_rates,
    draw_binomial_errors,
    draw_sampled_errors,
    estimate_ratio,
    power_rate,
)
from newsacts.review.strata import allocate, assign_strata

ROOT = Path(__file__).parents[1]
SCHEME = LabelScheme(("act",))
ARTICLES, SENTENCES, THRESHOLD, JUDGED = 2_000, 10, 0.4, 1_500
ESTIMATORS = ("counted", "averaged", "adjusted from dev", "adjusted from the sheet", "powered")

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    """What corpora are drawn from. `centre` is the log-odds of the label, `lift` what is added to those that the
    classifier sees, `noise` how blurred it sees them; `judged_noise` is that of the sentences it was judged on."""

    name: str
    centre: float
    lift: float = 0.0
    noise: float = 1.0
    judged_noise: float = 1.0


WORLDS = (
    World("rare", -7.0),
    World("common", -4.0),
    World("rare, probabilities too low", -7.0, lift=-1.5),
    World("common, probabilities too low", -4.0, lift=-1.5),
    World("rare, probabilities too high", -7.0, lift=1.0),
    World("common, probabilities too high", -4.0, lift=1.0),
    World("common, errs more than where it was judged", -4.0, noise=2.5),
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences with the article of each, truth, and the probability that the classifier gives."""

    owners: IntArray
    truth: BoolArray
    probabilities: FloatArray


def main() -> None:
    """Count for all worlds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--checked", type=int, default=300)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "coverage.json")
    options = parser.parse_args()
    result = {
        "command": "python scripts/measure_coverage.py",
        "repeats": options.repeats,
        "checked": options.checked,
        "articles": ARTICLES,
        "sentences_an_article": SENTENCES,
        "judged": JUDGED,
        "worlds": [measure_world(world, options.repeats, options.checked) for world in WORLDS],
    }
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def measure_world(world: World, repeats: int, checked: int) -> dict[str, Any]:
    """For each estimator: how often its interval holds the truth, its mean error and mean width."""
    truth = float(np.mean([draw_corpus(world, 10_000 + seed).truth.mean() for seed in range(100)]))
    found: dict[str, list[Estimate]] = {name: [] for name in ESTIMATORS}
    for seed in range(repeats):
        for name, estimate in estimate_all(world, seed, checked).items():
            found[name].append(estimate)
    return {"world": asdict(world), "truth": truth, "estimators": {
        name: summarise(estimates, truth) for name, estimates in found.items()
    }}  # fmt: skip


def summarise(estimates: list[Estimate], truth: float) -> dict[str, float]:
    """Coverage, bias and width over the estimates that have an interval, and the share of those."""
    whole = [(one.value, one.low, one.high) for one in estimates if one.low is not None]
    values, low, high = np.asarray(whole, dtype=np.float64).reshape(-1, 3).T
    return {
        "coverage": round(float(((low <= truth) & (truth <= high)).mean()), 4),
        "bias": round(float(values.mean() - truth), 5),
        "width": round(float((high - low).mean()), 5),
        "given": round(len(whole) / len(estimates), 4),
    }


def estimate_all(world: World, seed: int, checked: int) -> dict[str, Estimate]:
    """All estimates from one corpus, one judged set and one sheet."""
    corpus = draw_corpus(world, seed)
    decided = corpus.probabilities >= THRESHOLD
    articles = int(corpus.owners.max()) + 1
    sizes = np.bincount(corpus.owners, minlength=articles).astype(np.float64)
    columns = (decided, corpus.probabilities)
    amounts = np.stack([np.bincount(corpus.owners, column).astype(np.float64) for column in columns], axis=1)
    cells = np.zeros(articles, dtype=np.int64)
    rates, draws = count_rates(amounts, sizes, cells, cell_count=1, seed=seed)
    found = {}
    for place, name in enumerate(("counted", "averaged")):
        low, high = estimate_ratio(float(rates[0, place]), draws[:, 0, place]) or (None, None)
        found[name] = Estimate(name, float(rates[0, place]), low, high)
    found["adjusted from dev"] = adjust_count(float(rates[0, 0]), draws[:, 0, 0], judge(world, seed))
    sample, population = check_by_hand(corpus, checked, seed)
    errors = draw_sampled_errors(sample.predictions >= THRESHOLD, sample, population, seed=seed)
    found["adjusted from the sheet"] = (
        adjust_count(float(rates[0, 0]), draws[:, 0, 0], errors) if errors else Estimate("adjusted", None, None, None)
    )
    found["powered"] = power_rate(sample, population)
    return found


def draw_corpus(world: World, seed: int) -> Corpus:
    """A corpus of a world."""
    generator = np.random.default_rng(seed)
    sizes = 1 + generator.poisson(SENTENCES - 1, ARTICLES)
    owners = np.repeat(np.arange(ARTICLES), sizes)
    log_odds = world.centre + generator.normal(0, 1.0, ARTICLES)[owners] + generator.normal(0, 3.0, len(owners))
    truth = generator.random(len(owners)) < 1 / (1 + np.exp(-log_odds))
    seen = log_odds + world.lift + generator.normal(0, world.noise, len(owners))
    return Corpus(owners, truth, 1 / (1 + np.exp(-seen)))


def judge(world: World, seed: int) -> Any:
    """Sensitivity and specificity from judged sentences, drawn so that a third of them carry the label."""
    easier = World(world.name, world.centre, world.lift, world.judged_noise)
    corpus = draw_corpus(easier, 500_000 + seed)
    generator = np.random.default_rng(seed)
    places = [
        generator.permutation(np.flatnonzero(corpus.truth == carries))[:count]
        for carries, count in ((True, JUDGED // 3), (False, JUDGED - JUDGED // 3))
    ]
    decided = [corpus.probabilities[chosen] >= THRESHOLD for chosen in places]
    hits, rejections = int(decided[0].sum()), int((~decided[1]).sum())
    return draw_binomial_errors(hits, len(places[0]), rejections, len(places[1]), seed=seed)


def check_by_hand(corpus: Corpus, checked: int, seed: int) -> tuple[Sample, Population]:
    """A sheet as `newsacts review sample` draws it, filled without a mistake."""
    generator = np.random.default_rng(1_000_000 + seed)
    values = corpus.probabilities
    bands = assign_strata(values[:, None].astype(np.float32), [THRESHOLD], SCHEME)
    sizes = np.bincount(bands, minlength=3)
    doubts = np.bincount(bands, values * (1 - values), 3)
    wanted = allocate(sizes, doubts / np.maximum(sizes, 1), checked)
    rows = np.concatenate([
        generator.permutation(np.flatnonzero(bands == band))[: wanted[band]] for band in range(3)
    ])  # fmt: skip
    by_article = np.bincount(corpus.owners, values) - values.mean() * np.bincount(corpus.owners)
    population = Population(
        sizes.astype(np.float64),
        np.bincount(bands, values, 3).astype(np.float64),
        doubts.astype(np.float64),
        float((by_article**2).sum() / len(values) ** 2),
    )
    weights = (sizes / np.maximum(wanted, 1))[bands[rows]]
    return Sample(bands[rows], corpus.owners[rows], weights, values[rows], corpus.truth[rows]), population


if __name__ == "__main__":
    main()
