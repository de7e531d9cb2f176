"""The command line as a user meets it: a process, its output, its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsacts.checkpoint import Checkpoint
from tests import tiny

NEWSACTS = Path(sys.executable).with_name("newsacts")


def newsacts(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    command = [str(NEWSACTS), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, env=environment, check=False)


def read_rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Checkpoint) -> Path:
    return tiny_checkpoint.folder


def test_classify_keeps_order_and_passes_ids_through(model: Path) -> None:
    stdin = 'We regret this.\n{"text": "Rain fell.", "id": "row-9"}\n{"text": "Snow 😀 fell.", "id": 4}\n'
    rows = read_rows(newsacts("classify", "--input", "-", "--format", "jsonl", "--model", model, stdin=stdin))
    assert [row["id"] for row in rows] == ["1", "row-9", 4]
    assert [row["text"] for row in rows] == ["We regret this.", "Rain fell.", "Snow 😀 fell."]
    for row in rows:
        assert list(row) == ["id", "text", "labels", "primary", "probabilities"]
        assert list(row["probabilities"]) == ["accusation", "denial", "regret", "sanction"]  # type: ignore[call-overload]


def test_article_rows_rebuild_the_file(model: Path, tmp_path: Path) -> None:
    text = "The mayor denied the claim. Rain fell.\r\n\r\n“We regret this,” he said. \n"
    file = tmp_path / "story.txt"
    file.write_bytes(text.encode())
    rows = read_rows(newsacts("article", file, "--format", "jsonl", "--model", model))
    assert len(rows) == 3
    assert all(text[int(str(row["start"])) : int(str(row["end"]))] == row["text"] for row in rows)
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert {row["article_id"] for row in rows} == {str(file)}


def test_messages_go_to_standard_error_and_data_to_standard_output(model: Path) -> None:
    done = newsacts("classify", "We regret this.", "--format", "jsonl", "--model", model, "--verbose")
    assert len(read_rows(done)) == 1
    assert "device: " in done.stderr
    assert "(" in done.stderr


def test_a_bad_row_stops_with_code_three_and_its_place(model: Path) -> None:
    done = newsacts("classify", "--input", "-", "--model", model, stdin="Rain.\n\nSnow.\n")
    assert (done.returncode, done.stdout) == (3, "")
    assert "standard input: row 2: the row is blank" in done.stderr


def test_a_skipped_row_is_told_and_strict_makes_it_code_one(model: Path) -> None:
    options = ("classify", "--input", "-", "--model", model, "--on-error", "skip", "--format", "jsonl")
    done = newsacts(*options, stdin="Rain.\n\nSnow.\n")
    assert len(read_rows(done)) == 2
    assert "left out: standard input: row 2" in done.stderr
    assert newsacts(*options, "--strict", stdin="Rain.\n\nSnow.\n").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["classify"], 2, "give sentences as arguments"),
        (["classify", " "], 2, "expected more than white space"),
        (["classify", "x", "--model", "/nowhere/at/all"], 3, "no such checkpoint folder"),
        (["classify", "x", "--on-error", "shrug"], 2, "expected raise or skip"),
        (["classify", "x", "--format", "xml"], 2, "xml"),
        (["article", "/nowhere.txt"], 3, "no such file"),
        (["article", "."], 3, "this is a folder"),
        (["train", "/nowhere.yaml"], 2, "cannot be read"),
        (["evaluate", "--data", "/nowhere.csv", "--model", "MODEL"], 3, "no such file"),
        (["nonsense"], 2, "nonsense"),
        (["classify", "x", "--device", "meta", "--model", "MODEL"], 2, "not supported"),
        (["evaluate", "--data", "README.md", "--output", "README.md"], 2, "expected a folder"),
    ],
)
def test_wrong_use_and_bad_input_have_their_codes_and_one_clear_line(
    arguments: list[str], code: int, message: str, model: Path
) -> None:
    done = newsacts(*[str(model) if argument == "MODEL" else argument for argument in arguments])
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = tiny.write_tiny_checkpoint(tmp_path / "checkpoint").folder
    tiny.change_byte(folder / "model.safetensors")
    done = newsacts("classify", "x", "--model", folder)
    assert done.returncode == 3
    assert "the file was changed or damaged" in done.stderr


def test_evaluate_writes_scores_errors_and_rejects(model: Path, tmp_path: Path) -> None:
    data = tiny.write_labelled(tmp_path / "data.jsonl")
    data.write_text(data.read_text() + '{"text": "Odd.", "labels": ["praise"], "id": "bad"}\n')
    output = tmp_path / "scores"
    options = ("evaluate", "--data", data, "--model", model, "--output", output, "--on-error", "skip")
    done = newsacts(*options)
    assert done.returncode == 0, done.stderr
    scores = json.loads((output / "scores.json").read_text())
    assert scores["sentences"] == len(tiny.SENTENCES)
    assert "macro-F1" in done.stdout
    computed = json.loads((output / "evaluation.json").read_text())["model"]["computed"]
    assert f"computed by {computed}" in " ".join(done.stderr.split())
    errors = [json.loads(line) for line in (output / "worst_errors.jsonl").read_text().splitlines()]
    assert {error["error"] for error in errors} <= {"missed", "invented"}
    assert "praise" in (output / "rejects.jsonl").read_text()
    strict = newsacts(*options, "--strict", "--backend", "pytorch")
    assert strict.returncode == 1
    assert "computed by pytorch in float32" in " ".join(strict.stderr.split())
    missing = newsacts(*options, "--split", "test")
    assert missing.returncode == 3
    assert "no row of split 'test'" in missing.stderr
    assert newsacts("evaluate", "--data", data, "--model", model).returncode == 3


def test_train_then_classify_then_export(tiny_base: Path, tmp_path: Path) -> None:
    """The whole path in the user's order, each step a process of its own."""
    train, dev = tiny.write_labelled(tmp_path / "train.jsonl", copies=2), tmp_path / "dev.jsonl"
    dev.write_text('{"text": "The bank denied all.", "labels": ["denial"]}\n{"text": "Snow.", "labels": []}\n')
    config = tmp_path / "config.yaml"
    model = f"{{base: {tiny_base}, max_tokens: 32}}"
    config.write_text(f"name: x\ndata: {{train: [{train}], dev: [{dev}]}}\nmodel: {model}\n")
    out = tmp_path / "out"
    trained = newsacts("train", config, "--set", "optimization.epochs=1", "--set", f"output.folder={out}")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.strip() == str(out)
    assert "macro-F1 on dev" in trained.stderr
    assert len(read_rows(newsacts("classify", "Rain fell.", "--model", out, "--format", "jsonl"))) == 1
    exported = newsacts("export", "--model", out, "--output", tmp_path / "plain")
    assert exported.returncode == 0, exported.stderr
    assert "largest difference in probability" in exported.stderr


def test_the_reader_of_a_pipe_may_leave_early(model: Path) -> None:
    lines = "The mill makes paper.\n" * 3000
    command = f"{NEWSACTS} classify --input - --format jsonl --model {model} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], input=lines, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert (done.returncode, done.stderr) == (0, "")
