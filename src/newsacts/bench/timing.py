"""Rates of contenders that take turns, and processes of their own for memory and cold start."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from newsacts.bench.setting import BenchSetting, Judge
from newsacts.errors import NewsactsError

ROUND_SECONDS = 20.0
"""A contender that would take longer for all sentences gets so many, evenly spaced, as fit."""
_PROBE = 32

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timed:
    """Sentences a second in each round, and how many sentences a round had."""

    sentences: int
    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the rates."""
        return statistics.median(self.rates)


def pick_evenly(texts: Sequence[str], count: int) -> list[str]:
    """`count` of the texts, evenly spaced, so that lengths are those of all; all where there are no more."""
    if count >= len(texts):
        return list(texts)
    return [texts[number * len(texts) // count] for number in range(count)]


def time_in_turns(
    judges: Mapping[str, Judge], texts: Sequence[str], *, rounds: int, seconds: float = ROUND_SECONDS, note: Note
) -> dict[str, Timed]:
    """Warm every judge up, then let all of them take turns for `rounds` rounds; even rounds go backwards."""
    mine: dict[str, list[str]] = {}
    for name, judge in judges.items():
        probe = pick_evenly(texts, _PROBE)
        judge(probe)
        rate = len(probe) / _clock(judge, probe)
        mine[name] = pick_evenly(texts, max(_PROBE, int(rate * seconds)))
        note(f"{name}: warm, about {rate:.0f} sentences a second, {len(mine[name])} a round")
    rates: dict[str, list[float]] = {name: [] for name in judges}
    for number in range(rounds):
        for name in list(judges)[:: 1 if number % 2 == 0 else -1]:
            rates[name].append(len(mine[name]) / _clock(judges[name], mine[name]))
        note(f"round {number + 1} of {rounds} is done")
    return {name: Timed(len(mine[name]), tuple(values)) for name, values in rates.items()}


def compare_rounds(timed: Timed, reference: Timed) -> float:
    """How many times as fast: the median over rounds of the ratio inside a round."""
    return statistics.median(one / other for one, other in zip(timed.rates, reference.rates, strict=True))


def run_alone(name: str, setting: BenchSetting, texts: Sequence[str]) -> dict[str, float]:
    """Peak memory and the seconds to load and to label the first text, of a contender in a process of its own."""
    task = {"contender": name, "setting": asdict(setting), "texts": list(texts)}
    return _run_child(task)


def run_command(arguments: Sequence[str], *, repeats: int) -> dict[str, float]:
    """The same of the command line `newsacts …`: median seconds of the whole process, and its peak memory."""
    runs = [_run_child({"command": list(arguments)}) for _ in range(repeats)]
    return {
        "seconds": statistics.median(run["whole_seconds"] for run in runs),
        "peak_mb": statistics.median(run["peak_mb"] for run in runs),
    }


def _run_child(task: Mapping[str, object]) -> dict[str, float]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "newsacts.bench.isolated"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    whole = time.perf_counter() - start
    if done.returncode:
        raise NewsactsError(f"a contender failed in a process of its own: {done.stderr.strip()[-500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found | {"whole_seconds": whole}


def _clock(judge: Judge, texts: Sequence[str]) -> float:
    start = time.perf_counter()
    judge(texts)
    return time.perf_counter() - start
