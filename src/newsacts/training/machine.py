"""What a run was made with and what it took, for headers, cards and checkpoints."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("newsacts", "torch", "transformers", "datasets", "scikit-learn", "peft", "tokenizers")


def describe_machine() -> dict[str, str]:
    """Processor, cores, Python and the versions of the packages that shape a result."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {
        "platform": platform.platform(),
        "processor": _read_processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "python": platform.python_version(),
        **versions,
    }


def measure_peak_memory() -> float:
    """The largest resident set of this process so far, in GB."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e9 if sys.platform == "darwin" else 1e6), 2)


def _read_processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as stream:
            names = [line.partition(":")[2].strip() for line in stream if line.startswith("model name")]
    except OSError:
        return platform.processor() or "unknown"
    return names[0] if names else "unknown"
