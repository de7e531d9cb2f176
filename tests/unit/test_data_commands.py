"""`newsacts data`: what is printed, and with which exit code."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from newsacts.cli import main
from newsacts.data.standoff import hash_text

DENIAL = "The harbour board denied that it had hidden the report."
FERRY = "The ferry runs twice a day."


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `newsacts data ...` and return exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["newsacts", "data", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return run_command


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def make_label(text: str, **changes: Any) -> dict[str, Any]:
    digest = hash_text(text)
    place = {"id": digest, "dataset": "plv", "document": digest, "start": 0, "end": len(text)}
    return {**place, "labels": [], "stratum": "random", "read": 1, "split": "train", **changes}


def test_check_finds_a_leak_and_fails_only_under_strict(tmp_path: Path, run: Any) -> None:
    files = [write(tmp_path / name, {"text": DENIAL, "labels": ["denial"]}) for name in ("train.jsonl", "dev.jsonl")]
    code, out, _ = run("check", *files)
    assert code == 0
    assert "text in two splits" in out
    assert "train.jsonl row 1, dev.jsonl row 1" in out
    assert run("check", *files, "--strict")[0] == 1


def test_check_of_clean_data_says_so_and_passes_strict(tmp_path: Path, run: Any) -> None:
    code, out, _ = run("check", write(tmp_path / "a.jsonl", {"text": DENIAL, "labels": ["denial"]}), "--strict")
    assert (code, "1 rows, nothing found" in out) == (0, True)


def test_check_prints_one_json_object_a_finding(tmp_path: Path, run: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"text": DENIAL, "labels": ["denail"]}, {"text": "No.", "labels": []})
    _, out, _ = run("check", path, "--format", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["kind"], row["fault"], row["places"]) for row in rows] == [
        ("unknown label", True, ["a.jsonl row 1"]),
        ("tiny row", False, ["a.jsonl row 2"]),
    ]


def test_check_compares_foreign_tables_without_header(tmp_path: Path, run: Any) -> None:
    (tmp_path / "train.tsv").write_text(f"{DENIAL}\t0\n{FERRY}\t1\n", encoding="utf-8")
    (tmp_path / "bench.tsv").write_text(f"3\t{FERRY}\n", encoding="utf-8")
    options = ("--text-column", 1, "--labels-column", 2, "--any-label")
    code, out, _ = run(
        "check", tmp_path / "train.tsv", *options, "--against", tmp_path / "bench.tsv", "--against-column", 2
    )
    assert code == 0
    assert "bench.tsv shares 1 texts: 1 rows here, 1 rows there" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--any-label", "--labels", "a,b"), "without --labels"),
        (("--exclusive",), "give them, parted by commas"),
        (("--near", "2"), "at most 1"),
    ],
)
def test_senseless_options_are_wrong_use(tmp_path: Path, run: Any, options: tuple[str, ...], message: str) -> None:
    code, _, err = run("check", write(tmp_path / "a.jsonl", {"text": FERRY, "labels": []}), *options)
    assert (code, message in err) == (2, True)


def test_a_missing_file_is_bad_input(tmp_path: Path, run: Any) -> None:
    assert run("check", tmp_path / "nothing.jsonl")[0] == 3


def test_labels_of_another_task_are_taken_from_the_option(tmp_path: Path, run: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"text": FERRY, "labels": ["praise"]}, {"text": DENIAL, "labels": []})
    assert run("check", path, "--labels", "praise,blame", "--strict")[0] == 0
    assert run("check", path, "--labels", "praise, blame", "--exclusive", "--strict")[0] == 1


def test_stats_counts_labels_and_reports_bad_rows(tmp_path: Path, run: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"text": DENIAL, "labels": ["denial"], "split": "train"}, {"text": FERRY})
    code, out, err = run("stats", path, "--format", "jsonl")
    (part,) = [json.loads(line) for line in out.splitlines()]
    assert (code, part["part"], part["labels"]["denial"]) == (0, "train", 1)
    assert "row 2" in err
    assert run("stats", path, "--strict")[0] == 1
    assert "1 (100.0%)" in run("stats", path)[1]


def test_join_writes_what_matched_and_reports_the_rest(tmp_path: Path, run: Any) -> None:
    labels = write(tmp_path / "labels.jsonl", make_label(DENIAL, labels=["denial"]), make_label(FERRY))
    texts = write(tmp_path / "pool.jsonl", {"id": "1", "text": DENIAL})
    output, unjoined = tmp_path / "joined.jsonl", tmp_path / "missing.jsonl"
    arguments = ("join", labels, "--from", texts, "--output", output, "--unjoined", unjoined, "--format", "jsonl")
    code, out, err = run(*arguments)
    assert code == 0
    assert json.loads(out) == {"dataset": "plv", "labels": 2, "matched": 1, "missing": 1, "mismatched": 0}
    assert "1 labels: no text has the hash of the sentence" in err
    assert [json.loads(line)["text"] for line in output.read_text(encoding="utf-8").splitlines()] == [DENIAL]
    assert json.loads(unjoined.read_text(encoding="utf-8"))["id"] == hash_text(FERRY)
    assert run(*arguments, "--strict")[0] == 1


def test_join_that_matches_nothing_is_bad_input_and_writes_nothing(tmp_path: Path, run: Any) -> None:
    labels = write(tmp_path / "labels.jsonl", make_label(DENIAL))
    texts = write(tmp_path / "pool.jsonl", {"text": FERRY})
    code, _, err = run("join", labels, "--from", texts, "--output", tmp_path / "joined.jsonl")
    assert (code, "none of 1 labels" in err) == (3, True)
    assert not (tmp_path / "joined.jsonl").exists()


def test_join_reads_the_shipped_labels_by_name_and_refuses_a_dataset_they_lack(tmp_path: Path, run: Any) -> None:
    texts = write(tmp_path / "pool.jsonl", {"text": FERRY})
    arguments = ("--from", texts, "--output", tmp_path / "joined.jsonl")
    assert "labels found its text" in run("join", "real_train", *arguments)[2]
    assert run("join", "real_trian", *arguments)[0] == 2
    only_plv = write(tmp_path / "labels.jsonl", make_label(DENIAL))
    assert run("join", only_plv, *arguments, "--dataset", "isot")[0] == 2


def test_the_same_label_in_two_files_is_refused(tmp_path: Path, run: Any) -> None:
    files = [write(tmp_path / name, make_label(FERRY)) for name in ("a.jsonl", "b.jsonl")]
    texts = write(tmp_path / "pool.jsonl", {"text": FERRY})
    code, _, err = run("join", *files, "--from", texts, "--output", tmp_path / "joined.jsonl")
    assert (code, "stands in" in err) == (3, True)


@pytest.mark.parametrize("command", ["check", "stats", "join"])
def test_help_has_worked_examples(run: Any, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert out.count(f"newsacts data {command}") >= 3
