"""Reading a finished run again: what it says of itself, and its sentences shard by shard, whatever their format.

A shard is read whole (it holds at most two million characters), so memory does not grow with the run. Probabilities
come back as stored; in CSV and JSONL they have six decimals, and the quote that CSV cells got in front is taken off.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from newsacts.bulk.folder import MANIFEST, PREFIXES
from newsacts.bulk.plan import OutputFormat
from newsacts.bulk.writers import STAGE_COLUMN, neutralise_cell
from newsacts.calibration import BoolArray, Calibration, FloatArray, decide_labels
from newsacts.errors import DataError, UsageError
from newsacts.labels import LabelScheme
from newsacts.scoring import FIRST, FULL
from newsacts.tally import Tally, tally_from_json

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run folder with its manifest. `thresholds` are those that decided; `kept` the columns passed through."""

    folder: Path
    scheme: LabelScheme
    thresholds: tuple[float, ...]
    kept: tuple[str, ...]
    output_format: str
    tally: Tally
    manifest: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Hash of what was run on what and with which outcome: two runs share it if their rows are the same."""
        facts = [self.manifest[name] for name in ("id", "input", "counts", "tally")]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def has_clusters(self) -> bool:
        """Whether near-duplicate articles were marked."""
        return self.manifest["counts"]["near_duplicates"] is not None

    @property
    def is_staged(self) -> bool:
        """Whether a cascade ran: then some sentences were discarded by its first stage."""
        return self.manifest.get("cascade") is not None

    def decide(self, part: "SentencePart", thresholds: Sequence[float]) -> BoolArray:
        """Which labels apply at these thresholds, bool (n, k); none, at any, to a sentence that was discarded."""
        size = len(self.scheme)
        calibration = Calibration((1.0,) * size, (0.0,) * size, tuple(thresholds))
        return decide_labels(part.probabilities, self.scheme, calibration) & ~part.discarded[:, None]


@dataclass(frozen=True, slots=True)
class SentencePart:
    """The sentences of one shard, in reading order, n of them of m articles.

    `owners` (n,) is the article of each sentence, counted inside the part; `starts` (m,) the first sentence of each
    article; `first_of_cluster` (m,) whether an article is the first of its near-duplicates, all True without clusters.
    `discarded` (n,) tells which the first stage of a cascade kept from the model, none without a cascade: their
    probabilities are its estimates. `columns` holds the columns that were asked for, as lists.
    """

    probabilities: FloatArray
    owners: IntArray
    starts: IntArray
    first_of_cluster: BoolArray
    discarded: BoolArray
    columns: Mapping[str, list[Any]]


def open_run(folder: str | Path) -> FinishedRun:
    """A finished run by its folder. Raises `DataError` where it is none, or is not finished."""
    path = Path(folder)
    if not (path / MANIFEST).is_file():
        raise DataError(
            f"no {MANIFEST} here, expected the folder of a finished newsacts bulk run; if the run was stopped, run the "
            "same command again to finish it",
            path=path,
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        model = manifest["model"]
        scheme = LabelScheme(tuple(model["labels"]), exclusive=model["exclusive"])
        settings, tally = manifest["settings"], tally_from_json(manifest["tally"])
        _require_facts(manifest)
        thresholds, kept = tuple(model["thresholds"]), tuple(settings["keep"])
        return FinishedRun(path, scheme, thresholds, kept, settings["output_format"], tally, manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"not a manifest of this version of newsacts ({type(error).__name__}: {error}); run the corpus again"
        raise DataError(reason, path=path / MANIFEST) from error


def read_parts(run: FinishedRun, columns: Sequence[str] = ()) -> Iterator[SentencePart]:
    """The sentences of a run, shard by shard in reading order, with these columns beside the probabilities.

    Raises `UsageError` for a column that the run does not have, `DataError` for a file that cannot be read, and at the
    end where there were not as many sentences as the manifest says.
    """
    known = ("article_id", "date", "source", "sentence_index", "start", "end", "text", *run.kept)
    if unknown := [name for name in columns if name not in known]:
        raise UsageError(f"the run has no column {unknown[0]!r}; it has {', '.join(known)}")
    staged = [STAGE_COLUMN] if run.is_staged else []
    wanted = list(dict.fromkeys(["article_id", "sentence_index", *staged, *columns]))
    articles = sentences = 0
    for path in _list_parts(run, "sentences"):
        table = _read_table(path, run, [*wanted, *(f"p_{name}" for name in run.scheme.names)])
        clusters = _read_clusters(run, path)
        yield _make_part(table, run, columns, (clusters, articles))
        articles += 0 if clusters is None else len(clusters[0])
        sentences += len(table)
    if sentences != (expected := run.manifest["counts"]["sentences"]):
        reason = f"expected {expected:,} sentences, found {sentences:,}: files are missing or strange; restore them"
        raise DataError(reason, path=run.folder / "sentences")


def _require_facts(manifest: Mapping[str, Any]) -> None:
    """Raise `KeyError` or `ValueError` where a fact is missing that readers of a run ask for later."""
    facts = {
        "counts": ("articles", "sentences", "rejected", "near_duplicates"),
        "timings": ("ended",),
        "settings": ("output_format",),
    }
    for section, names in facts.items():
        for name in names:
            manifest[section][name]
    for name in ("id", "input", "checkpoint", "newsacts"):
        manifest[name]
    if (ending := manifest["settings"]["output_format"]) not in get_args(OutputFormat):
        raise ValueError(f"unknown output format {ending!r}")


def _make_part(
    table: Any, run: FinishedRun, columns: Sequence[str], clusters: tuple[tuple[list[str], IntArray] | None, int]
) -> SentencePart:
    identities = table["article_id"].to_pylist()
    indexes = table["sentence_index"].to_numpy()
    # Ids may repeat from article to article, but then sentences begin to count anew.
    begins = [
        place == 0 or identity != identities[place - 1] or indexes[place] <= indexes[place - 1]
        for place, identity in enumerate(identities)
    ]
    starts = np.flatnonzero(begins)
    owners = np.cumsum(begins, dtype=np.int64) - 1
    values = [table[f"p_{name}"].to_numpy().astype(np.float32) for name in run.scheme.names]
    probabilities = np.stack(values, axis=1)
    firsts = _mark_firsts([identities[start] for start in starts], run, *clusters)
    kept = {name: table[name].to_pylist() for name in columns}
    return SentencePart(probabilities, owners, starts, firsts, _find_discarded(table, run), kept)


def _find_discarded(table: Any, run: FinishedRun) -> BoolArray:
    if not run.is_staged:
        return np.zeros(len(table), dtype=np.bool_)
    stages = table[STAGE_COLUMN].to_pylist()
    if strange := set(stages) - {FIRST, FULL}:
        reason = f"column {STAGE_COLUMN} holds {strange.pop()!r}, expected {FIRST} or {FULL}; restore the files"
        raise DataError(reason, path=run.folder / "sentences")
    return np.asarray([stage == FIRST for stage in stages], dtype=np.bool_)


def _mark_firsts(
    identities: Sequence[str], run: FinishedRun, clusters: tuple[list[str], IntArray] | None, offset: int
) -> BoolArray:
    """A cluster is named by the place of its first article in the run, so an article is that one or is a copy."""
    if clusters is None:
        return np.ones(len(identities), dtype=np.bool_)
    names, numbers = clusters
    firsts = np.empty(len(identities), dtype=np.bool_)
    place = -1
    for row, identity in enumerate(identities):
        # Articles without a sentence stand among the clusters and not among the sentences.
        try:
            place = names.index(identity, place + 1)
        except ValueError as error:
            reason = (
                f"article {identity!r} stands in sentences and not here; restore the files, or run the corpus again"
            )
            raise DataError(reason, path=run.folder / "clusters") from error
        firsts[row] = numbers[place] == offset + place
    return firsts


def _list_parts(run: FinishedRun, kind: str) -> list[Path]:
    found = (run.folder / kind).glob(f"{PREFIXES[kind]}*.{run.output_format}")
    # By the number of the shard: behind the millionth it has a digit more.
    return sorted(found, key=lambda path: (len(path.name), path.name))


def _read_clusters(run: FinishedRun, sentences: Path) -> tuple[list[str], IntArray] | None:
    if not run.has_clusters:
        return None
    path = run.folder / "clusters" / sentences.name.replace(PREFIXES["sentences"], PREFIXES["clusters"], 1)
    table = _read_table(path, run, ["article_id", "cluster"])
    return table["article_id"].to_pylist(), table["cluster"].to_numpy().astype(np.int64)


def _read_table(path: Path, run: FinishedRun, columns: Sequence[str]) -> Any:
    import pyarrow as pa

    try:
        if run.output_format == "parquet":
            from pyarrow import parquet

            return parquet.read_table(path, columns=list(columns))
        return _read_csv(path, run, columns) if run.output_format == "csv" else _read_jsonl(path, run, columns)
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise DataError(f"cannot be read ({error!r}); restore the file, or run the corpus again", path=path) from error


def _column_type(name: str, run: FinishedRun) -> Any:
    import pyarrow as pa

    if name.startswith("p_") and name.removeprefix("p_") in run.scheme.names:
        return pa.float32()
    return pa.int64() if name in ("sentence_index", "start", "end", "cluster") else pa.string()


def _read_csv(path: Path, run: FinishedRun, columns: Sequence[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    convert = csv.ConvertOptions(
        include_columns=[neutralise_cell(name) for name in columns],
        column_types={neutralise_cell(name): _column_type(name, run) for name in columns},
        strings_can_be_null=True,
        null_values=[""],
        quoted_strings_can_be_null=False,
    )
    # A quoted cell must not end beyond its block, so the file is one block.
    read = csv.ReadOptions(block_size=path.stat().st_size + 1)
    parse = csv.ParseOptions(newlines_in_values=True)
    table = csv.read_csv(path, read, parse, convert).rename_columns(list(columns))
    plain = {name: _undo_quotes(table[name]) if table.schema.field(name).type == pa.string() else table[name]
             for name in columns}  # fmt: skip
    return pa.table(plain)


def _undo_quotes(column: Any) -> Any:
    import pyarrow as pa

    values = [
        value[1:] if value and value[0] == "'" and neutralise_cell(value[1:]) == value else value
        for value in column.to_pylist()
    ]
    return pa.array(values, type=pa.string())


def _read_jsonl(path: Path, run: FinishedRun, columns: Sequence[str]) -> Any:
    import pyarrow as pa

    with path.open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return pa.table({name: pa.array([row[name] for row in rows], type=_column_type(name, run)) for name in columns})
