"""The plan of a run: the settings that decide its rows, the files it reads, and the shards that it cuts them into.

A plan is data (`plan.json`), and its id a hash of everything that may change a row: settings, checkpoint, precision
and version. A shard is a stretch of articles in reading order; its id is a hash of the plan's id and of all that it
holds. So a shard that was done need not be done again, wherever and by whomever the corpus is read again, and what
has changed since is found even if names and sizes are the same.

The rows of a shard depend on the shard alone: repeated sentences are recognised inside a shard, not beyond it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from newsacts.base_models import hash_file
from newsacts.bulk.archives import INPUT_FORMATS
from newsacts.bulk.fields import FieldNames, FieldReader
from newsacts.bulk.meter import Meter
from newsacts.bulk.sources import Inputs, summarise
from newsacts.checkpoint import MANIFEST
from newsacts.classifier import Classifier
from newsacts.crosswalk import ONTOLOGIES
from newsacts.data.tables import Reject
from newsacts.errors import UsageError
from newsacts.records import Article

PLAN_PROTOCOL = 1
SHARD_CHARACTERS = 2_000_000
"""A shard ends early with so much text, so that long documents do not make it large."""
SHARD_REJECTS = 10_000

OutputFormat = Literal["parquet", "jsonl", "csv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSettings:
    """Everything that decides the rows of a run, beside input and checkpoint. Raises `UsageError` for nonsense.

    `keep` names columns to pass through; `separator` is the line that parts documents of text files; `articles` asks
    for the article table, `near_duplicates` for clusters of nearly equal articles; `codes` ("cameo" or "plover")
    for a column of codes of that event ontology; `limit` ends after so many articles.
    """

    fields: FieldNames = field(default_factory=FieldNames)
    keep: tuple[str, ...] = ()
    input_format: str | None = None
    separator: str | None = None
    output_format: OutputFormat = "parquet"
    articles: bool = False
    near_duplicates: bool = False
    codes: str | None = None
    limit: int | None = None
    shard_articles: int = 100

    def __post_init__(self) -> None:
        if self.input_format is not None and self.input_format not in INPUT_FORMATS:
            raise UsageError(f"input format {self.input_format!r} is unknown; expected {', '.join(INPUT_FORMATS)}")
        if self.output_format not in get_args(OutputFormat):
            raise UsageError(f"format {self.output_format!r} is unknown; expected {', '.join(get_args(OutputFormat))}")
        if self.codes is not None and self.codes not in ONTOLOGIES:
            raise UsageError(f"codes of {self.codes!r} are unknown; expected {', '.join(ONTOLOGIES)}")
        if self.shard_articles < 1 or (self.limit is not None and self.limit < 1):
            raise UsageError(f"expected at least 1 article, got limit {self.limit}, {self.shard_articles} a shard")
        if len(set(self.keep)) < len(self.keep):
            raise UsageError(f"a column to keep is named twice: {', '.join(self.keep)}")

    def make_field_reader(self) -> FieldReader:
        """A fresh reader of fields, whose choices are those of one run."""
        return FieldReader(self.fields, self.keep, self.separator)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `plan.json` holds. `decisive` is all that decides rows; `files` is what was found to read."""

    decisive: Mapping[str, Any]
    files: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Hash of the decisive part."""
        return hashlib.sha256(json.dumps(self.decisive, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The plan as values that JSON can hold."""
        return {"protocol": PLAN_PROTOCOL, "id": self.id, **self.decisive, "input": dict(self.files)}


@dataclass(frozen=True, slots=True)
class Shard:
    """A stretch of the corpus. `position` counts the bytes of input used up when it was cut."""

    number: int
    id: str
    articles: tuple[Article, ...]
    rejects: tuple[Reject, ...]
    position: int

    @property
    def key(self) -> str:
        """How the files of the shard are named."""
        return f"{self.number:06}-{self.id[:12]}"


def make_plan(inputs: Inputs, settings: BulkSettings, classifier: Classifier) -> Plan:
    """The plan for these inputs, settings and classifier; looks at names and sizes, reads no content."""
    return Plan(describe_rows(settings, classifier), json.loads(json.dumps(summarise(inputs))))


def describe_rows(settings: BulkSettings, classifier: Classifier) -> dict[str, Any]:
    """All that decides what is made of an article, as JSON would give it back: equal for equal rows.

    Raises `UsageError` where the checkpoint of the classifier is gone.
    """
    from newsacts import __version__

    decisive_choices = ("backend", "dtype", "cascade")
    used = {name: choice.value for name, choice in classifier.choices.items() if name in decisive_choices}
    decisive = {
        "newsacts": __version__,
        "checkpoint": _hash_checkpoint(classifier.checkpoint.folder),
        **used,
        # Thresholds and prior may have been changed since the checkpoint was opened.
        "calibration": asdict(classifier.checkpoint.facts.calibration),
        "settings": asdict(settings),
    }
    values: dict[str, Any] = json.loads(json.dumps(decisive))
    return values


def _hash_checkpoint(folder: Path) -> str:
    try:
        return hash_file(folder / MANIFEST)
    except FileNotFoundError as error:
        raise UsageError(
            f"{folder}: the checkpoint of this classifier is gone, and a run names it; keep the folder until the run "
            "is done (NewsactsClassifier: keep the estimator, or give folder=)"
        ) from error


def explain_differences(stored: Mapping[str, Any], plan: Plan) -> list[str]:
    """What is not the same in a stored plan and this one, in words; empty where nothing is."""
    before, now = _flatten(stored), _flatten(plan.to_json())
    before_files, now_files = before.pop("input.first_files", []), now.pop("input.first_files", [])
    differences = [
        f"{name}: the folder was begun with {before.get(name)!r}, now it is {now.get(name)!r}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name) and name not in ("id", "input.digest")
    ]
    if before.get("input.digest") != now.get("input.digest"):
        differences += _compare_files(before_files, now_files)
    return differences


def cut_shards(rows: Iterable[Article | Reject], plan: Plan, settings: BulkSettings, meter: Meter) -> Iterator[Shard]:
    """Shards of at most `settings.shard_articles` articles, up to `settings.limit` articles in all."""
    number, total, characters = 0, 0, 0
    articles: list[Article] = []
    rejects: list[Reject] = []
    for row in rows:
        if isinstance(row, Article):
            articles.append(row)
            characters += len(row.text)
            total += 1
        else:
            rejects.append(row)
        full = len(articles) >= settings.shard_articles or characters >= SHARD_CHARACTERS
        if full or total == settings.limit or len(rejects) >= SHARD_REJECTS:
            yield _close_shard(number, plan, articles, rejects, meter)
            number, characters, articles, rejects = number + 1, 0, [], []
        if total == settings.limit:
            return
    if articles or rejects:
        yield _close_shard(number, plan, articles, rejects, meter)


def _close_shard(number: int, plan: Plan, articles: list[Article], rejects: list[Reject], meter: Meter) -> Shard:
    digest = hashlib.sha256(plan.id.encode())
    for article in articles:
        fields = [article.id, article.text, article.title, article.date, article.source, dict(article.extra)]
        digest.update(json.dumps(fields).encode())
    for reject in rejects:
        digest.update(json.dumps([reject.path, reject.row, reject.reason]).encode())
    return Shard(number, digest.hexdigest(), tuple(articles), tuple(rejects), meter.used)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _compare_files(before: Iterable[tuple[str, int | None]], now: Iterable[tuple[str, int | None]]) -> list[str]:
    sizes_before, sizes_now = dict(before), dict(now)
    differences = []
    for label in dict.fromkeys([*sizes_before, *sizes_now]):
        if label not in sizes_now:
            differences.append(f"input {label!r} was read, now it is not there")
        elif label not in sizes_before:
            differences.append(f"input {label!r} is new")
        elif sizes_before[label] != sizes_now[label]:
            differences.append(f"input {label!r} had {sizes_before[label]} bytes, now it has {sizes_now[label]}")
    return differences or ["input: the files have other names, sizes or another order"]
