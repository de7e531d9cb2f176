"""docs/interop.md is run: its Python and its commands."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from newsacts.cli import app
from newsacts.crosswalk import load_crosswalk
from tests import tiny

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def run(words: str, *, instead: tuple[str, str] = ("", "")) -> dict[str, Any]:
    (block,) = [block for block in BLOCKS if words in block]
    assert instead[0] in block
    names: dict[str, Any] = {}
    exec(block.replace(*instead) if instead[0] else block, names)  # noqa: S102 - our own page
    return names


def test_the_estimator_of_the_page_learns_and_predicts_on_a_tiny_base(tiny_base: Path) -> None:
    call = "NewsactsClassifier(labels="
    settings = {"model.max_tokens": tiny.MAX_TOKENS}
    tiny_call = f"NewsactsClassifier(base={str(tiny_base)!r}, settings={settings}, labels="
    check_estimator_of_the_page(run(call, instead=(call, tiny_call))["model"])


@pytest.mark.slow
def test_the_estimator_of_the_page_learns_and_predicts_as_it_stands() -> None:
    check_estimator_of_the_page(run("NewsactsClassifier")["model"])


def check_estimator_of_the_page(model: Any) -> None:
    predicted = model.predict(["The envoy denied everything."])
    assert predicted.shape == (1, 1)
    assert np.isfinite(model.predict_proba(["The envoy denied everything."])).all()


def test_the_pipeline_of_the_page_labels_its_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("spacy")
    doc = run("import spacy")["doc"]
    assert [span.label_ for span in doc.spans["newsacts"]] == ["denial"]
    assert "denial" in capsys.readouterr().out


def test_the_data_set_of_the_page_gets_its_labels() -> None:
    labelled = run("from datasets import")["labelled"]
    assert labelled["primary"][:] == ["regret", "accusation"]
    assert labelled["labels"][:] == [["regret"], ["accusation"]]


def test_the_codes_of_the_page_are_those_of_the_crosswalk() -> None:
    (block,) = [block for block in BLOCKS if "find_labels" in block]
    names: dict[str, Any] = {}
    lines = block.splitlines()
    exec("\n".join(line for line in lines if line.startswith("from ")), names)  # noqa: S102 - our own page
    claims = [line.split("#", 1) for line in lines if "#" in line]
    assert len(claims) == 3
    for expression, claim in claims:
        assert str(eval(expression, names)) == claim.strip().partition(":")[0]  # noqa: S307 - our own page


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("newsacts ")])
def test_the_commands_of_the_page_print_codes(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
    assert done.exit_code == 0
    ontology = "cameo" if "cameo" in line else "plover"
    codes = load_crosswalk().codes["denial"][ontology]["lead"]
    assert ontology in done.stdout
    assert codes[0] in done.stdout
