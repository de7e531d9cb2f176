"""What docs/report.md says is run, in a folder with a labelled run."""

import csv
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import classify_corpus
from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.prevalence import METHODS
from tests.integration.test_review import fill, write_archive

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def _labelled(tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    classify_corpus(
        [write_archive(tmp_path / "in.jsonl")], "labelled", classifier=Classifier(tiny_checkpoint, FakeBackend(4))
    )


@pytest.mark.usefixtures("_labelled")
def test_the_commands_of_the_page_run_in_their_order() -> None:
    for line in COMMANDS:
        words = shlex.split(line)
        result = CliRunner().invoke(app, words[1:])
        assert result.exit_code == 0, f"{line}: {result.output} {result.exception}"
        if "sample" in words:
            fill(Path(words[words.index("--output") + 1]), lambda row: "denial" if "denied" in row["text"] else "none")
    written = {path.name for path in Path().iterdir()}
    assert {"report.html", "corrected.html", "sheet.csv.design.json", "next.train.jsonl"} <= written
    with Path("next.csv").open(encoding="utf-8", newline="") as stream:
        assert next(csv.reader(stream, delimiter=";"))[:2] == ["row", "labels"]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.usefixtures("_labelled")
def test_the_code_of_the_page_runs_as_it_stands(block: str) -> None:
    exec(block, {})  # noqa: S102 - our own page


def test_the_page_names_every_estimate() -> None:
    for method in METHODS:
        assert f"| {method} |" in PAGE
