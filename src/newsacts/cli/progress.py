"""How a long run shows that it is alive: a bar on a terminal, now and then a line anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from newsacts.cli.output import tell

if TYPE_CHECKING:
    from newsacts.bulk import Progress as BulkProgress

LOG_SECONDS = 30.0


@contextmanager
def show_progress(
    names: tuple[str, ...], *, log_seconds: float = LOG_SECONDS
) -> Iterator[Callable[["BulkProgress"], None]]:
    """A function that shows how far a bulk run is; `names` are the labels."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def log(progress: "BulkProgress") -> None:
            nonlocal last
            if time.monotonic() - last >= log_seconds:
                last = time.monotonic()
                tell(describe_progress(progress, names))

        yield log
        return
    share, description = TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.description}")
    columns = (BarColumn(bar_width=10), share, TimeElapsedColumn(), description)
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("reading", total=None)

        def show(progress: "BulkProgress") -> None:
            total = progress.bytes_total or None
            bar.update(task, total=total, completed=progress.bytes_used, description=_describe_briefly(progress))

        yield show


def describe_progress(progress: "BulkProgress", names: tuple[str, ...]) -> str:
    """Articles, sentences, labels found, rate and time left, in one line."""
    found = ", ".join(f"{name} {count:,}" for name, count in zip(names, progress.counts.labels, strict=True))
    parts = [f"{progress.articles:,} articles, {progress.counts.sentences:,} sentences ({found})"]
    if progress.rejected:
        parts.append(f"{progress.rejected:,} rejected")
    fresh = progress.articles - progress.resumed
    if fresh and progress.seconds:
        parts.append(f"{fresh / progress.seconds:,.1f} articles a second")
    if (left := progress.seconds_left) is not None:
        parts.append(f"{format_duration(left)} left")
    return "; ".join(parts)


def format_duration(seconds: float) -> str:
    """A time for people: "40 s", "12 min", "3.5 h", "2.1 days"."""
    for limit, size, unit, digits in ((90, 1, "s", 0), (5400, 60, "min", 0), (172_800, 3600, "h", 1)):
        if seconds < limit:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def _describe_briefly(progress: "BulkProgress") -> str:
    """The same for a terminal of 80 columns: what matters most comes first, the rest may be cut."""
    left = "" if progress.seconds_left is None else f"{format_duration(progress.seconds_left)} left, "
    rate = (progress.articles - progress.resumed) / progress.seconds if progress.seconds else 0.0
    labels = sum(progress.counts.labels)
    sentences = progress.counts.sentences
    return f"{left}{progress.articles:,} articles ({rate:,.1f}/s), {sentences:,} sentences, {labels:,} labels"
