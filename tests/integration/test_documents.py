"""What the documents say is run: README code and commands, and the figures and pages that scripts make."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from newsacts.training.config import parse_config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL_LINES = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_readme_python_runs_as_it_stands(block: str) -> None:
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


def test_readme_python_says_what_comes_out() -> None:
    """The comments of the example are claims about values."""
    names: dict[str, object] = {}
    exec(PYTHON_BLOCKS[0].split("article = ")[0], names)  # noqa: S102 - our own README
    prediction = names["prediction"]
    assert getattr(prediction, "labels") == ("denial",)  # noqa: B009 - the type is not known here
    assert getattr(prediction, "primary") == "denial"  # noqa: B009


@pytest.mark.parametrize("line", [line for line in SHELL_LINES if re.match(r"newsacts (classify|article)", line)])
def test_readme_commands_run_as_they_stand(line: str) -> None:
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=ROOT, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_readme_names_the_commands_that_ci_calls() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert "pytest -m 'not slow and not gpu'" in makefile
    assert ".venv/bin/python -m pytest -m 'not slow and not gpu'" in SHELL_LINES


@pytest.mark.parametrize("page", ["docs/training.md", "src/newsacts/data/corpus/README.md"])
def test_configs_in_the_documents_are_valid(page: str) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    parse_config(yaml.safe_load(block))


def test_figures_and_command_pages_are_in_step_with_their_sources() -> None:
    command = [sys.executable, "scripts/render_docs.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


def test_links_in_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("data/*/README.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
