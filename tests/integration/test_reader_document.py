"""docs/reader.md is run: its Python, its commands, and what the comments say comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reader.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHELL_LINES = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_the_python_of_the_page_runs_and_says_what_comes_out(block: str) -> None:
    names: dict[str, object] = {}
    exec(block, names)  # noqa: S102 - our own page
    for code, said in re.findall(r"^(\S.*?)  # ('.*')$", block, re.MULTILINE):
        assert repr(eval(code, names)) == said  # noqa: S307 - our own page


def test_the_commands_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    """In one shell, in a folder that has the paths which the commands name."""
    (tmp_path / "src").symlink_to(ROOT / "src")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    script = "set -e\n" + "\n".join(SHELL_LINES)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "build").iterdir()) == ["article.html", "why.html"]
    assert "denied +" in done.stdout
