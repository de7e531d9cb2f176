"""Claims about bulk runs on pipes, which can be stopped while they wait, and about mistyped columns."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.errors import UsageError
from tests.integration.test_bulk_resume import count_done, finish, start

pytestmark = pytest.mark.timeout(600)
ROW = {"text": "Rain fell.", "date": "2017-05-01", "outlet": "Wire", "section": "City"}
LINE = json.dumps(ROW) + "\n"


def wait_until_stopped(process: "subprocess.Popen[str]", *, stop: Any) -> tuple[int, str]:
    """Exit code and messages of a process whose standard input stays open; `stop` is called once it waits for more."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(("format:", "text:")):
            break
    stop()
    process.wait(timeout=60)
    rest = process.stderr.read()
    assert process.stdin is not None
    process.stdin.close()
    process.stderr.close()
    return process.returncode, " ".join(rest.split())


@pytest.mark.parametrize("signals", [1, 2])
def test_a_run_that_waits_for_a_pipe_can_be_stopped(signals: int, tmp_path: Path, tiny_checkpoint: Checkpoint) -> None:
    process = start(Path("-"), tmp_path / "out", tiny_checkpoint.folder, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(LINE)
    process.stdin.flush()

    def interrupt() -> None:
        for _ in range(signals):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                time.sleep(0.3)

    code, message = wait_until_stopped(process, stop=interrupt)
    assert (code, "Fatal" in message, "Traceback" in message) == (130, False, False)
    assert "run the same command again to go on" in message


def test_a_run_on_a_pipe_keeps_the_shards_that_were_done_and_goes_on(
    tmp_path: Path, tiny_checkpoint: Checkpoint
) -> None:
    output, model = tmp_path / "out", tiny_checkpoint.folder
    process = start(Path("-"), output, model, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(LINE * 100)
    process.stdin.flush()

    def interrupt() -> None:
        while not count_done(output):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)

    assert wait_until_stopped(process, stop=interrupt)[0] == 130
    done = count_done(output)
    assert done >= 1
    (tmp_path / "again.jsonl").write_text(LINE * 100)
    with (tmp_path / "again.jsonl").open() as stream:
        code, _ = finish(start(Path("-"), output, model, stdin=stream))
    assert (code, count_done(output)) == (0, 5)


def test_a_mistyped_column_is_wrong_use_and_leaves_the_folder_free(tmp_path: Path, tiny_checkpoint: Checkpoint) -> None:
    (tmp_path / "in.jsonl").write_text(LINE)
    command = ["bulk", str(tmp_path / "in.jsonl"), "--model", str(tiny_checkpoint.folder), "--output"]
    command += [str(tmp_path / "out"), "--source-field"]
    for option in ([], ["--dry-run"]):
        wrong = CliRunner().invoke(app, [*command, "outlt", *option])
        assert isinstance(wrong.exception, UsageError)
        assert "no column 'outlt' (--source-field); it has 'text', 'date', 'outlet'" in str(wrong.exception)
    assert CliRunner().invoke(app, [*command, "outlet"]).exit_code == 0
