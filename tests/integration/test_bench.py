"""The bench on the tiny world: it runs, misses nothing, and says what is not there."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from newsacts.bench.run import CONTENDERS, BenchOptions
from newsacts.bench.timing import Timed, compare_rounds, pick_evenly, time_in_turns
from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.cli.bench import QUICK
from newsacts.errors import UsageError
from tests import tiny

ROW = {"about", "ours", "ratio", "sentences_a_second", "rates", "sentences_a_round", "macro_f1", "peak_mb",
       "cold_start_seconds"}  # fmt: skip
RESULT = {"contenders", "not_run", "reference", "sentences", "labelled_sentences", "rounds", "command_line", "growth",
          "profile", "limit", "threads", "machine"}  # fmt: skip


def test_a_quick_bench_of_a_tiny_model_gives_all_figures(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    data, target = tiny.write_labelled(tmp_path / "dev.jsonl"), tmp_path / "speed.json"
    command = ["bench", "--quick", "--model", str(tiny_checkpoint.folder), "--data", str(data), "--rounds", "1"]
    command += ["--output", str(target)]
    for name in ("pipeline-32-plain", "newsacts-onnx-int8", "newsacts-safe", "keywords", "newsacts-gpu"):
        command += ["--only", name]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    result = json.loads(target.read_text())
    assert set(result) == RESULT
    assert all(set(row) == ROW for row in result["contenders"].values())
    assert result["contenders"]["pipeline-32-plain"]["ratio"] == 1.0
    assert result["contenders"]["pipeline-32-plain"]["macro_f1"] is None
    assert 0 <= result["contenders"]["newsacts-onnx-int8"]["macro_f1"] <= 1
    assert all(row["peak_mb"] > 10 for row in result["contenders"].values())
    assert "has none" in result["not_run"]["newsacts-safe"]
    assert result["command_line"]["seconds"] > 0
    assert len(result["growth"]) == 2
    assert set(result["profile"]["microseconds"]) == {"tokenise", "first stage", "session", "rest"}
    assert result["limit"]["int8_sentences_a_second"] > 0


def test_contenders_are_named_once_and_the_quick_ones_are_among_them() -> None:
    assert set(QUICK) <= set(CONTENDERS)
    with pytest.raises(UsageError, match="'fastest' is unknown"):
        BenchOptions(model=Path(), texts=["Rain."], train="", names=["fastest"])
    with pytest.raises(UsageError, match="expected sentences"):
        BenchOptions(model=Path(), texts=[], train="")


def test_contenders_take_turns_in_both_directions() -> None:
    calls: list[str] = []
    judges = {name: (lambda texts, name=name: calls.append(name)) for name in ("a", "b")}
    timed = time_in_turns(judges, ["Rain."] * 40, rounds=3, seconds=0.0, note=lambda _: None)
    assert calls == ["a", "a", "b", "b", "a", "b", "b", "a", "a", "b"]
    assert all(len(one.rates) == 3 for one in timed.values())


def test_a_ratio_is_the_median_over_rounds_and_not_of_medians() -> None:
    slow, fast = Timed(10, (10.0, 5.0, 10.0)), Timed(10, (30.0, 15.0, 20.0))
    assert compare_rounds(fast, slow) == 3.0
    assert fast.median == 20.0


@pytest.mark.parametrize(("size", "count", "expected"), [(10, 5, [0, 2, 4, 6, 8]), (3, 5, [0, 1, 2]), (7, 2, [0, 3])])
def test_sentences_are_picked_evenly(size: int, count: int, expected: list[int]) -> None:
    assert pick_evenly([str(number) for number in range(size)], count) == [str(number) for number in expected]
