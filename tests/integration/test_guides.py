"""The tutorial and the how-tos are walked: files written, commands run, Python executed, in their order."""

import json
import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import newsacts
from newsacts.cli import app
from newsacts.training.config import load_config
from tests import tiny

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
read_steps = runpy.run_path(str(ROOT / "scripts" / "walk_document.py"))["read_steps"]


def walk(name: str) -> list[str]:
    """Do all steps of a page in the current folder; what the commands printed."""
    printed = []
    for step in read_steps((DOCS / name).read_text(encoding="utf-8")):
        if step.kind == "file":
            Path(step.file).write_text(step.text, encoding="utf-8")
        elif step.kind == "program":
            exec(step.text, {})  # noqa: S102 - our own page
        else:
            done = CliRunner().invoke(app, shlex.split(step.text)[1:])
            assert done.exit_code == 0, f"{step.text}: {done.output} {done.exception}"
            printed.append(done.output)
    return printed


def write_rows(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_tutorial_leads_to_a_corrected_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = walk("tutorial.md")
    assert "denial" in printed[0]
    written = {path.name for path in tmp_path.iterdir()}
    assert {"story.html", "labelled", "report.html", "sheet.review.json", "corrected.html"} <= written
    assert "Brandt ferry line" in (tmp_path / "story.html").read_text(encoding="utf-8")


def test_the_tutorial_installs_as_the_readme_does() -> None:
    """The README's lines are those that CI runs, by `make`."""
    readme, page = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/tutorial.md"))
    install = re.findall(r"\.venv/bin/pip install .*", page)
    assert len(install) == 2
    assert install[0].partition(" --index-url")[0] in readme
    assert install[1].removesuffix(" .") in readme


@pytest.mark.parametrize("page", ["howto/archive.md", "howto/thresholds.md"])
def test_a_how_to_on_the_shipped_model_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    row = {"text": "The bank denied the theft. Rain fell.", "date": "2020-05-01", "section": "city"}
    write_rows("archive/may.jsonl", [row | {"id": str(number)} for number in range(6)])
    walk(page)


def test_labels_of_ones_own_are_trained_as_the_page_says(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"accusation": "blame", "regret": "praise"}
    lines = [
        f"{number},{text},{'|'.join(names[label] for label in labels if label in names)}"
        for number, (text, labels) in enumerate(tiny.SENTENCES)
    ]
    Path("mine.csv").write_text("\n".join(["id,text,labels", *lines]))
    base = ["--set", f"model.base={tiny_base}", "--set", "model.max_tokens=32", "--set", "optimization.epochs=1"]
    for step in read_steps((DOCS / "howto/own-labels.md").read_text(encoding="utf-8")):
        if step.kind == "file":
            Path(step.file).write_text(step.text, encoding="utf-8")
        else:
            words = shlex.split(step.text)[1:]
            done = CliRunner().invoke(app, [*words, *base] if words[0] == "train" else words)
            assert done.exit_code == 0, done.output
    assert "| praise |" in Path("runs/praise/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["own-labels", "own-model", "add-a-label"])
def test_the_configs_of_the_how_tos_are_valid(page: str, tmp_path: Path) -> None:
    files = [step for step in read_steps((DOCS / f"howto/{page}.md").read_text("utf-8")) if step.kind == "file"]
    assert files
    for step in files:
        (tmp_path / step.file).write_text(step.text)
        assert load_config(tmp_path / step.file).name


def test_every_command_in_the_guides_has_options_that_exist() -> None:
    """Also in those blocks that are shown and not run."""
    import typer

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for page in [DOCS / "tutorial.md", *(DOCS / "howto").glob("*.md")]:
        for line in re.findall(r"^newsacts .*$", page.read_text(encoding="utf-8"), re.MULTILINE):
            words = shlex.split(line, comments=True)[1:]
            command, rest = commands[words[0]], words[1:]
            if hasattr(command, "commands"):
                command, rest = command.commands[rest[0]], rest[1:]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in rest if word.startswith("--")} <= known, line


def test_every_public_name_has_an_entry_in_the_api_pages() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    for name in newsacts.__all__:
        assert re.search(rf":: newsacts\.{name}\n", pages), name
