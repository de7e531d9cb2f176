"""The whole bench: contenders in turns, alone, against gold labels, and what limits newsacts."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsacts.backends.onnx_session import choose_threads
from newsacts.bench.limits import measure_growth, measure_limit, profile_parts
from newsacts.bench.ours import OURS
from newsacts.bench.peers import PEERS, REFERENCE
from newsacts.bench.setting import BenchSetting, Contender, Judge, NotRun
from newsacts.bench.timing import Note, Timed, compare_rounds, run_alone, run_command, time_in_turns
from newsacts.checkpoint import open_checkpoint
from newsacts.classifier import Classifier
from newsacts.errors import UsageError
from newsacts.evaluation.run import build_targets
from newsacts.evaluation.score import find_f1
from newsacts.labels import LabelScheme
from newsacts.records import Example
from newsacts.training.export import export_transformers
from newsacts.training.machine import describe_machine

CONTENDERS: dict[str, Contender] = {one.name: one for one in (*PEERS, *OURS)}
FIRST_SENTENCE = "We regret this."
_ALONE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What to measure. `names` picks contenders; `growth` are the two sizes of a run that should cost the same each."""

    model: Path
    texts: Sequence[str]
    train: str
    data: Sequence[Example] | None = None
    names: Sequence[str] = tuple(CONTENDERS)
    rounds: int = 5
    round_seconds: float = 20.0
    growth: tuple[int, int] = (1_000, 100_000)
    alone: bool = True

    def __post_init__(self) -> None:
        if unknown := [name for name in self.names if name not in CONTENDERS]:
            raise UsageError(f"contender {unknown[0]!r} is unknown; expected {', '.join(CONTENDERS)}")
        if not self.texts or self.rounds < 1:
            raise UsageError(f"expected sentences and at least one round, got {len(self.texts)} and {self.rounds}")


def run_bench(options: BenchOptions, note: Note) -> dict[str, Any]:
    """Measure everything; the result is what JSON can hold. `note` is told how far it is."""
    checkpoint = open_checkpoint(options.model)
    with tempfile.TemporaryDirectory() as folder:
        setting = BenchSetting(str(options.model), str(Path(folder) / "plain"), options.train)
        export_transformers(checkpoint, Path(setting.plain))
        judges, missing = _open_all(options.names, setting, note)
        # Processes of their own come first and alone, so that nothing else takes memory or time.
        alone = _run_all_alone(judges, setting, options, note)
        timed = time_in_turns(judges, options.texts, rounds=options.rounds, seconds=options.round_seconds, note=note)
        scores = _score_all(judges, options.data, checkpoint.facts.scheme, note)
    profile = profile_parts(checkpoint, options.texts)
    note("profile is measured")
    classifier = Classifier.from_pretrained(options.model, device="cpu")
    threads = int(choose_threads().value)
    return {
        "contenders": {name: _describe(name, timed, scores, alone) for name in judges},
        "not_run": missing,
        "reference": REFERENCE if REFERENCE in judges else None,
        "sentences": len(options.texts),
        "labelled_sentences": None if options.data is None else len(options.data),
        "rounds": options.rounds,
        "command_line": run_command(
            ["classify", "--model", str(options.model), FIRST_SENTENCE], repeats=options.rounds
        ),
        "growth": measure_growth(classifier, options.texts, options.growth),
        "profile": profile,
        "limit": measure_limit(checkpoint, tokens=profile["tokens_a_sentence"], threads=threads),
        "threads": threads,
        "machine": describe_machine(),
    }


def _open_all(names: Sequence[str], setting: BenchSetting, note: Note) -> tuple[dict[str, Judge], dict[str, str]]:
    judges, missing = {}, {}
    for name in names:
        try:
            judges[name] = CONTENDERS[name].open(setting)
            note(f"{name}: opened")
        except NotRun as reason:
            missing[name] = str(reason)
            note(f"{name}: not run, {reason}")
    return judges, missing


def _run_all_alone(
    judges: dict[str, Judge], setting: BenchSetting, options: BenchOptions, note: Note
) -> dict[str, dict[str, float]]:
    found = {}
    for name in judges if options.alone else ():
        found[name] = run_alone(name, setting, options.texts[:_ALONE])
        note(f"{name}: {found[name]['peak_mb']:.0f} MB, {found[name]['whole_seconds']:.1f} s alone")
    return found


def _score_all(
    judges: dict[str, Judge], data: Sequence[Example] | None, scheme: LabelScheme, note: Note
) -> dict[str, float | None]:
    if data is None:
        return {}
    truth, texts = build_targets(data, scheme), [example.text for example in data]
    scores: dict[str, float | None] = {}
    for name, judge in judges.items():
        decided = judge(texts[:1])
        if decided is None:
            scores[name] = None
            continue
        decided = np.asarray(judge(texts))
        events = np.stack([truth & decided, ~truth & decided, truth & ~decided], axis=-1)
        scores[name] = float(np.nanmean(find_f1(events.sum(axis=0, dtype=np.float64))))
        note(f"{name}: macro-F1 {scores[name]:.3f}")
    return scores


def _describe(
    name: str, timed: dict[str, Timed], scores: dict[str, float | None], alone: dict[str, dict[str, float]]
) -> dict[str, Any]:
    one = timed[name]
    return {
        "about": CONTENDERS[name].about,
        "ours": CONTENDERS[name].ours,
        "ratio": compare_rounds(one, timed[REFERENCE]) if REFERENCE in timed else None,
        "sentences_a_second": one.median,
        "rates": list(one.rates),
        "sentences_a_round": one.sentences,
        "macro_f1": scores.get(name),
        "peak_mb": alone[name]["peak_mb"] if name in alone else None,
        "cold_start_seconds": alone[name]["whole_seconds"] if name in alone else None,
    }
