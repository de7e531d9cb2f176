"""The output folder: who may write to it, what is in it, and how a file comes to be there whole or not at all.

    plan.json                         what is being done, written first
    sentences/part-NNNNNN-ID.parquet  rows, one file a shard
    articles/articles-…               the article table, if asked for
    sketches/article-sketches-…       numbers to find near-duplicate articles by, if asked for
    clusters/article-clusters-…       near-duplicate articles, if asked for, written when all shards are done
    rejects/rejects-NNNNNN-ID.jsonl   rows that could not be used, if any
    done/NNNNNN-ID.json               the done-mark of a shard, written when its files are on the disk
    manifest.json                     what was done, written last

A file is written under `.aside`, flushed to the disk and renamed. What has no done-mark is removed when a run starts,
so that killing a run at any moment loses the shards in flight and leaves nothing behind.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from newsacts.bulk.plan import Plan, Shard, explain_differences
from newsacts.errors import DataError, NewsactsError, UsageError

PLAN, MANIFEST, LOCK, ASIDE, DONE = "plan.json", "manifest.json", ".lock", ".aside", "done"
PREFIXES = {
    "sentences": "part-",
    "articles": "articles-",
    "rejects": "rejects-",
    "sketches": "article-sketches-",
    "clusters": "article-clusters-",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """A folder that is locked and holds the files of one plan. `done` maps shard numbers to keys."""

    path: Path
    done: dict[int, str]

    def write_file(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. Raises `NewsactsError` where the disk is full or fails."""
        aside = self.path / ASIDE / name.replace("/", "-")
        target = self.path / name
        try:
            target.parent.mkdir(exist_ok=True)
            _write_durably(aside, content)
            aside.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise _explain_disk_error(target, error) from error

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write values as a JSON file, whole or not at all."""
        self.write_file(name, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())

    def write_shard(self, shard: Shard, files: Mapping[str, bytes], mark: Mapping[str, Any]) -> None:
        """Write the files of a shard, by their path, and its done-mark behind them."""
        for name, content in files.items():
            self.write_file(name, content)
        sizes = {name: len(content) for name, content in files.items()}
        self.write_json(f"{DONE}/{shard.key}.json", {"shard": shard.id, "files": sizes, **mark})
        self.done[shard.number] = shard.key

    def is_done(self, shard: Shard) -> bool:
        """Whether a shard is done. Raises `UsageError` where one of its number, and other content, is."""
        key = self.done.get(shard.number)
        if key is not None and key != shard.key:
            first = f"article {shard.articles[0].id!r}" if shard.articles else "rejected rows"
            raise UsageError(
                f"{self.path}: the input has changed since this folder was begun: shard {shard.number}, from {first} "
                "on, has other content now; restore the input, or choose a new folder"
            )
        return key is not None

    def require_no_more(self, count: int) -> None:
        """Raise `UsageError` where more shards are done than the input has."""
        if len(self.done) > count:
            raise UsageError(
                f"{self.path}: the input is shorter than when this folder was begun: it has {count} shards now and "
                f"{len(self.done)} are done; restore the input, or choose a new folder"
            )

    def read_mark(self, number: int) -> dict[str, Any]:
        """The done-mark of a shard."""
        return _read_json(self.path / DONE / f"{self.done[number]}.json")

    def remove_leftovers(self) -> None:
        """Remove what a killed run left aside."""
        shutil.rmtree(self.path / ASIDE, ignore_errors=True)


@contextmanager
def open_folder(path: Path, plan: Plan) -> Iterator[OutputFolder]:
    """Lock a folder for one plan, new or begun before, and clear away what a killed run left.

    Raises `UsageError` where another run writes to it, where it was begun by another plan, or where it holds
    something else.
    """
    with lock_folder(path):
        _claim(path, plan)
        folder = OutputFolder(path, {})
        folder.remove_leftovers()
        try:
            (path / ASIDE).mkdir()
        except OSError as error:
            raise _explain_disk_error(path, error) from error
        try:
            if not (path / PLAN).exists():
                folder.write_json(PLAN, plan.to_json())
            folder.done.update(_find_done(path))
            _remove_undone(path, set(folder.done.values()))
            yield folder
        except UsageError:
            if not folder.done:  # nothing is lost, and the folder stays free for what was meant
                (path / PLAN).unlink(missing_ok=True)
            raise
        finally:
            folder.remove_leftovers()


@contextmanager
def lock_folder(path: Path) -> Iterator[None]:
    """Hold a folder against other runs; the lock ends with the process, however that ends."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            f"{path}: another run is writing to this folder; wait for it, or choose another folder"
        ) from error
    except OSError as error:
        raise _explain_disk_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


def shard_file(kind: str, key: str, ending: str) -> str:
    """The path of a shard's file below the output folder, such as sentences/part-000000-0123456789ab.parquet."""
    return f"{kind}/{PREFIXES[kind]}{key}.{ending}"


def _claim(path: Path, plan: Plan) -> None:
    if (path / PLAN).is_file():
        if differences := explain_differences(_read_json(path / PLAN), plan):
            raise UsageError(
                f"{path}: this folder was begun by another plan. {'. '.join(differences[:4])}. "
                "Run what it was begun with, or choose a new folder"
            )
        return
    strange = sorted(entry.name for entry in path.iterdir() if entry.name not in (LOCK, ASIDE))
    if strange:
        raise UsageError(f"{path}: expected a new or empty folder, or one of an earlier run; found {strange[0]!r}")


def _find_done(path: Path) -> dict[int, str]:
    """Shards whose mark and files are there. A mark without its files is removed, so that the shard is done anew.

    So is the manifest then.
    """
    done = {}
    for entry in sorted(os.scandir(path / DONE), key=lambda entry: entry.name) if (path / DONE).is_dir() else []:
        key = entry.name.removesuffix(".json")
        files = _read_json(Path(entry.path))["files"]
        if all((path / name).is_file() and (path / name).stat().st_size == size for name, size in files.items()):
            done[int(key.partition("-")[0])] = key
        else:
            # What the manifest tells is no longer there. It goes first, so that no kill leaves it behind.
            (path / MANIFEST).unlink(missing_ok=True)
            Path(entry.path).unlink()
    return done


def _remove_undone(path: Path, keys: set[str]) -> None:
    for kind, prefix in PREFIXES.items():
        for entry in os.scandir(path / kind) if (path / kind).is_dir() else []:
            if entry.name.startswith(prefix) and entry.name.removeprefix(prefix).partition(".")[0] not in keys:
                Path(entry.path).unlink()


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as JSON ({error}); remove the folder and run again", path=path) from error
    return values


def _explain_disk_error(path: Path, error: OSError) -> NewsactsError:
    if error.errno in _FULL:
        return NewsactsError(
            f"{path}: no space left on the disk; all finished shards are safe: make room, then run the same command "
            "again to go on"
        )
    return NewsactsError(f"{path}: cannot be written: {error.strerror or error}; mend that, then run it again to go on")
