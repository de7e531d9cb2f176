"""`newsacts bulk` in a process of its own, with a backend that needs no torch; it can kill itself at a step.

    python -m tests.integration.bulk_driver [--slow SECONDS] [--kill STEP:NAME] [--file-bytes N] [--real] INPUT... \
        --output DIR

STEP is "half" (half of a file is written), "written" (it is written, not renamed) or "renamed" (it is in its place);
NAME is a part of the file's name. No file may grow beyond --file-bytes. --real takes the model and not the fake.
Prints the peak of the resident set in KiB on standard error when it ends.
"""

import argparse
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from newsacts.backends.fake import FakeBackend
from newsacts.bulk import folder
from newsacts.checkpoint import open_checkpoint
from newsacts.classifier import Classifier


class SlowBackend(FakeBackend):
    """Takes a while for each batch, so that there is a moment to kill it in."""

    seconds = 0.0

    def logits(self, batch: Any) -> Any:
        time.sleep(self.seconds)
        return super().logits(batch)


def open_fake(source: str, **_: Any) -> Classifier:
    checkpoint = open_checkpoint(Path(source))
    return Classifier(checkpoint, SlowBackend(len(checkpoint.facts.scheme)))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(step: str, name: str) -> None:
    write, sync = folder._write_durably, folder._sync_folder
    last = Path()

    def write_or_die(path: Path, content: bytes) -> None:
        nonlocal last
        last = path
        if step == "half" and name in path.name:
            path.write_bytes(content[: len(content) // 2])
            die()
        write(path, content)
        if step == "written" and name in path.name:
            die()

    def sync_or_die(path: Path) -> None:
        if step == "renamed" and name in last.name:
            die()
        sync(path)

    folder._write_durably, folder._sync_folder = write_or_die, sync_or_die


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--kill")
    parser.add_argument("--file-bytes", type=int)
    parser.add_argument("--real", action="store_true")
    options, rest = parser.parse_known_args()
    if options.file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_bytes, options.file_bytes))
    SlowBackend.seconds = options.slow
    if not options.real:
        Classifier.from_pretrained = open_fake  # type: ignore[method-assign, assignment]
    if options.kill:
        kill_at(*options.kill.split(":"))
    from newsacts.cli import main as run

    sys.argv = ["newsacts", "bulk", *rest]
    try:
        run()
    finally:
        status = Path("/proc/self/status")
        if status.exists():
            peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            print(peak, file=sys.stderr)


if __name__ == "__main__":
    main()
