"""The worst errors by cause, as `scripts/measure_errors.py` measured them and readers explained them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from rendering.results import read_result

UNREAD = "not read yet"


def render_causes() -> str:
    """How many of the worst errors each cause has, and which labels they miss or add."""
    result = read_result("errors")
    causes = Counter(_tell_cause(row) for row in result["worst"])
    rows = ["| cause | errors | labels missed | labels too many |", "|---|---|---|---|"]
    for cause, count in causes.most_common():
        here = [row for row in result["worst"] if _tell_cause(row) == cause]
        missed = Counter(name for row in here for name in row["gold"] if name not in row["said"])
        added = Counter(name for row in here for name in row["said"] if name not in row["gold"])
        rows.append(f"| {cause} | {count} | {_list_counts(missed)} | {_list_counts(added)} |")
    machine = result["machine"]
    told = (
        f"The worst {len(result['worst'])} of {result['errors']} errors in {result['sentences']} real sentences, "
        f"calibration cross-fitted; `{result['command']}`, commit `{result['commit'][:12]}`, {machine['processor']}, "
        f"{machine['cores']} cores."
    )
    return "\n".join([*rows, "", told])


def render_worst() -> str:
    """The errors one by one, by id."""
    rows = ["| sentence | gold | said | loss, nats | cause |", "|---|---|---|---|---|"]
    for row in read_result("errors")["worst"]:
        labels = (" ".join(row[key]) or "none" for key in ("gold", "said"))
        rows.append(f"| `{row['id']}` | {' | '.join(labels)} | {row['loss']:.2f} | {_tell_cause(row)} |")
    return "\n".join(rows)


def _tell_cause(row: dict[str, Any]) -> str:
    return row["cause"] or UNREAD


def _list_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


RENDERERS: dict[str, Callable[[], str]] = {"error-causes": render_causes, "worst-errors": render_worst}
PAGES = ("docs/errors.md",)
