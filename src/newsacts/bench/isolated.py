"""One contender, or one command, in a process of its own: `python -m newsacts.bench.isolated` with a task to read.

Prints one line of JSON. The peak is that of this process alone: what the system tells a parent of its child counts the
parent in.
"""

import json
import runpy
import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")


def read_peak() -> float:
    """The largest resident set of this process so far, in MB."""
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3
    from newsacts.training.machine import measure_peak_memory

    return measure_peak_memory() * 1e3


def main() -> None:
    """Read the task, do it, print what it took."""
    task = json.load(sys.stdin)
    if "command" in task:
        _run_command(task["command"])
        print(json.dumps({"peak_mb": read_peak()}))
        return
    from newsacts.bench.run import CONTENDERS
    from newsacts.bench.setting import BenchSetting

    start = time.perf_counter()
    judge = CONTENDERS[task["contender"]].open(BenchSetting(**task["setting"]))
    opened = time.perf_counter()
    judge(task["texts"][:1])
    first = time.perf_counter()
    judge(task["texts"])
    print(
        json.dumps({"open_seconds": opened - start, "first_seconds": first - opened, "peak_mb": read_peak()}),
    )


def _run_command(arguments: list[str]) -> None:
    """What `newsacts …` runs; a failure ends this process as it would end that one."""
    sys.argv = ["newsacts", *arguments]
    try:
        runpy.run_module("newsacts", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
