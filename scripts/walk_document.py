"""Walk a page as a reader would: write its files, run its commands and its Python in order, in a fresh folder; time it.

    python scripts/walk_document.py docs/tutorial.md --folder /tmp/walk --output benchmarks/results/tutorial.json

A fenced block marked `bash` is commands, `python` is a program, and any other block behind a paragraph that ends with a
name in backticks and a colon is a file of that name. `sh` blocks (installing) are left out: they need a network.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^(?:([^\n]*)\n\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`([\w-]+\.\w+)`:$")


@dataclass(frozen=True, slots=True)
class Step:
    """`kind` is "file", "command" or "program"; `file` is the name of a file, else empty."""

    kind: str
    text: str
    file: str = ""


def read_steps(page: str) -> Iterator[Step]:
    """What a page tells its reader to do, in order."""
    for before, language, body in _BLOCK.findall(page):
        if language == "bash":
            yield from (Step("command", line) for line in body.replace("\\\n", "").splitlines() if line)
        elif language == "python":
            yield Step("program", body)
        elif named := _FILE.search(before):
            yield Step("file", body, named[1])


def main() -> None:
    """Walk the page; the first step that fails ends the walk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--folder", type=Path, required=True, help="a new folder")
    parser.add_argument("--output", type=Path, help="where to write the times, as JSON")
    parser.add_argument("--install-seconds", type=float, help="what installing took, measured by hand")
    given = parser.parse_args()
    given.folder.mkdir(parents=True)
    steps = []
    for step in read_steps(given.page.read_text(encoding="utf-8")):
        started = time.monotonic()
        run_step(step, given.folder)
        steps.append({"kind": step.kind, "first": step.text.splitlines()[0], "seconds": time.monotonic() - started})
    result = {
        "command": f"python scripts/walk_document.py {given.page}",
        "install_seconds": given.install_seconds,
        "seconds": sum(step["seconds"] for step in steps if isinstance(step["seconds"], float)),
        "steps": steps,
        "machine": describe(),
    }
    text = json.dumps(result, indent=2) + "\n"
    if given.output:
        given.output.write_text(text, encoding="utf-8")
    print(text, end="")


def run_step(step: Step, folder: Path) -> None:
    """Do one step in a folder. A command sees the programs beside this Python."""
    if step.kind == "file":
        (folder / step.file).write_text(step.text, encoding="utf-8")
        return
    words = [sys.executable, "-c", step.text]
    if step.kind == "command":
        path = Path(sys.executable).parent
        words = ["bash", "-c", f'export PATH="{path}:$PATH"\n{step.text}']
    done = subprocess.run(words, cwd=folder, check=False)
    if done.returncode:
        sys.exit(f"exit code {done.returncode}: {step.text}")


def describe() -> dict[str, str]:
    """The machine of the walk."""
    from newsacts.training.machine import describe_machine

    return describe_machine()


if __name__ == "__main__":
    main()
