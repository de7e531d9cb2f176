"""Claims about the scripts of the published benchmarks, on tables of our own in the published form."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from newsacts.data.loaders import load_examples
from newsacts.labels import LabelScheme
from newsacts.training.config import load_config

ROOT = Path(__file__).parents[2]
NAMES = ("plv_marked", "plv_plain", "india_police", "satp", "cameo")
NEAR = ("The ministry of the northern island accused its southern rival of theft on Monday.",
        "The ministry of the northern island accused its southern rival of theft on Friday.")  # fmt: skip


def write_tables(folder: Path) -> None:
    """Every table of the suite, with a near-duplicate pair, a repeat of train in test, and a blank test row."""
    folder.mkdir()
    others = ["Rain fell on the mill again.", "The union praised a new bridge.", "Two clubs met in the capital."]
    sentences = [*NEAR, *others]
    for part in ("train", "test"):
        header = "sentence_id\tsentence\tmarked_sentence\tgold_root"
        rows = [
            f"{row}\t{text} {part}\t<s>{text[:12]}</s>{text[12:]} <t>{part}</t>\tACCUSE"
            for row, text in enumerate(sentences)
        ]
        (folder / f"PLV_{part}.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        lines = [f"{text}\t{row % 5}" for row, text in enumerate(sentences)]
        (folder / f"conflibert_cameo_class_{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, width in (("IndiaPoliceEvents_sents", 5), ("satp_relevant", 4)):
        flags = "\t".join(["1", *["0"] * (width - 1)])
        nothing = "\t".join(["0"] * width)
        for part, texts in (("train", sentences), ("dev", ["A dev row."]), ("test", [sentences[2], "", "New."])):
            rows = [f"{text}\t{flags if text in NEAR else nothing}" for text in texts]
            (folder / f"conflibert_{name}_{part}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    write_tables(folder / "source")
    source, out = str(folder / "source"), str(folder / "out")
    command = [sys.executable, "scripts/prepare_benchmarks.py", "--source", source, "--output", out]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder / "out"


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_prepared_files_are_labelled_data_of_the_configs_scheme(name: str, prepared: Path) -> None:
    scheme = load_config(ROOT / f"configs/benchmarks/{name}.yaml").scheme.to_scheme()
    for part in ("train", "test"):
        assert load_examples(prepared / f"{name}.{part}.jsonl", scheme).examples


def test_near_duplicates_are_of_one_group_and_others_are_not(prepared: Path) -> None:
    groups = [row["group"] for row in read(prepared / "plv_plain.train.jsonl")]
    assert groups[0] == groups[1]
    assert groups[0] not in groups[2:]


def test_every_published_test_row_is_kept_in_its_order(prepared: Path) -> None:
    rows = read(prepared / "india_police.test.jsonl")
    assert [row["text"] for row in rows] == ["Rain fell on the mill again.", "\u200b", "New."]
    assert rows[0]["labels"] == []
    facts = json.loads((prepared / "facts.json").read_text(encoding="utf-8"))["india_police"]["test"]
    assert facts == {"rows": 3, "without text, kept": 1, "text stands in train": 1}


def test_unseen_rows_are_those_whose_text_is_not_in_train(prepared: Path) -> None:
    assert [row["text"] for row in read(prepared / "satp.test_unseen.jsonl")] == ["\u200b", "New."]
    assert read(prepared / "cameo.test_unseen.jsonl") == []


def test_markers_become_single_tokens(prepared: Path) -> None:
    assert read(prepared / "plv_marked.train.jsonl")[2]["text"] == "@ Rain fell on @ the mill again. # train #"


def test_a_blank_row_is_read_as_no_words_by_the_tokenizer() -> None:
    from newsacts.base_models import find_base_model
    from newsacts.batching import WindowTokenizer

    tokenizer = WindowTokenizer(find_base_model().tokenizer_file, max_tokens=32)
    assert tokenizer.tokenize(["\u200b"]).ids == tokenizer.tokenize([""]).ids


def test_a_scheme_of_names_is_that_of_the_prepared_labels(prepared: Path) -> None:
    scheme = LabelScheme(("kill", "arrest", "any_action", "fail", "force"))
    examples = load_examples(prepared / "india_police.train.jsonl", scheme).examples
    assert [example.labels for example in examples[:3]] == [("kill",), ("kill",), ()]
