"""Finding the files of a corpus: files, folders, globs, standard input, and URLs where fsspec is installed.

Folders are walked in sorted order without holding the list, so a million files cost no memory. Each file gets a label
that does not change with the working folder: its path below the folder that all inputs share. Hidden files, and those
that begin with "_", are left out of folders. Files of unknown kinds are left out of folders and of what patterns match,
and are counted.
"""

import glob
import hashlib
import io
import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from newsacts.bulk.archives import Kind, make_printable, recognise
from newsacts.data.dataset_folders import is_dataset_folder
from newsacts.data.files import require_existing
from newsacts.data.inputs import STANDARD_INPUT
from newsacts.errors import DataError, UsageError

URL_MARK = "://"
STREAM_LABEL = "standard input"
LISTED_FILES = 200
"""So many files are listed one by one in a plan; of more, the plan keeps number, bytes and a digest."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file. `size` is in bytes, None for a stream; `kind` is None where only the content can tell."""

    label: str
    location: str
    size: int | None
    kind: Kind | None

    def open(self) -> BinaryIO:
        """The bytes, unbuffered by us. Raises `DataError` where the file cannot be opened."""
        if self.location == STANDARD_INPUT:
            return _open_standard_input()
        try:
            if URL_MARK in self.location:
                return cast(BinaryIO, _import_fsspec().open(self.location, "rb").open())
            return Path(self.location).open("rb")
        except OSError as error:
            raise DataError(f"cannot be opened: {error.strerror or error}", path=self.label) from error


@dataclass(slots=True)
class Inputs:
    """What the user named, checked to exist. `walk` finds the files anew each time it is called."""

    names: tuple[str, ...]
    input_format: str | None = None
    exclude: Path | None = None
    base: Path = field(init=False)
    unknown: int = 0
    streams: int = 0

    def __post_init__(self) -> None:
        if not self.names:
            raise UsageError("no input given; expected files, folders, globs, or - for standard input")
        local = [Path(match).absolute() for name in self.names for match in _expand(name)]
        _refuse_repeats(local, self.names)
        parents = {str(path if path.is_dir() else path.parent) for path in local}
        self.base = Path(os.path.commonpath(parents)) if parents else Path.cwd()

    def walk(self) -> Iterator[Source]:
        """Every file, in an order that depends on names alone. `unknown` counts what was passed over."""
        self.unknown = self.streams = 0
        for name in self.names:
            if name == STANDARD_INPUT:
                yield self._make_stream(STANDARD_INPUT)
            elif URL_MARK in name:
                yield from self._walk_url(name)
            else:
                named = self._takes_any(pattern=_is_pattern(name))
                for match in _expand(name):
                    yield from self._walk_path(Path(match), named=named)

    def _walk_path(self, path: Path, *, named: bool) -> Iterator[Source]:
        if path.is_dir():
            excluded = self.exclude is not None and path.resolve() == self.exclude.resolve()
            if not excluded and not _leads_back(path):
                yield from self._walk_folder(path)
        elif named and not path.is_file():
            # A pipe, such as <(zcat a.gz): read once, front to back, like standard input.
            yield self._make_stream(str(path))
        else:
            kind = self._recognise_named(path.name) if named else recognise(path.name)
            if kind is None or not path.is_file():
                self.unknown += 1
                return
            yield Source(self._label(path), str(path), path.stat().st_size, kind)

    def _walk_folder(self, folder: Path) -> Iterator[Source]:
        if is_dataset_folder(folder):
            for path in _list_dataset(folder):
                yield Source(self._label(path), str(path), path.stat().st_size, Kind("arrow"))
            return
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not entry.name.startswith((".", "_")):
                yield from self._walk_path(Path(entry.path), named=False)

    def _walk_url(self, name: str) -> Iterator[Source]:
        fsspec = _import_fsspec()
        try:
            system, path = fsspec.core.url_to_fs(name)
            pattern = glob.has_magic(path)
            paths = _match_remote(system, path) if pattern else [path]
            if not paths or not system.exists(paths[0]):
                raise DataError("nothing is there", path=name)
            for found in paths:
                yield from self._walk_remote(system, found, named=self._takes_any(pattern=pattern))
        except (OSError, ValueError, ImportError) as error:
            raise DataError(f"cannot be listed: {error}; check the address and the access", path=name) from error

    def _walk_remote(self, system: Any, path: str, *, named: bool) -> Iterator[Source]:
        folder = system.isdir(path)
        named = named and not folder
        for found in sorted(system.find(path)) if folder else [path]:
            kind = self._recognise_named(found) if named else recognise(found)
            if kind is None:
                self.unknown += 1
                continue
            address = system.unstrip_protocol(found)
            yield Source(make_printable(address), address, system.info(found).get("size"), kind)

    def _takes_any(self, *, pattern: bool) -> bool:
        """Whether a file is meant whatever its name says: its format was named, or it was itself, by no pattern."""
        return self.input_format is not None or not pattern

    def _make_stream(self, location: str) -> Source:
        # By its place among the streams, since the shell gives a pipe another path each time.
        self.streams += 1
        label = STREAM_LABEL if self.streams == 1 else f"{STREAM_LABEL} {self.streams}"
        return Source(label, location, None, self._recognise_named(None))

    def _recognise_named(self, name: str | None) -> Kind | None:
        kind = None if name is None else recognise(name)
        if self.input_format is not None:
            compression = "" if kind is None else kind.compression
            return Kind(self.input_format, compression, "" if kind is None else kind.archive)
        if kind is None and name is not None:
            raise DataError(
                "unknown kind of file by its name; expected .jsonl, .csv, .tsv, .parquet, .arrow or .txt, plain or "
                "compressed (.gz .zst .bz2 .xz), .zip or .tar; or name the format: --input-format jsonl",
                path=name,
            )
        return kind

    def _label(self, path: Path) -> str:
        return make_printable(path.absolute().relative_to(self.base).as_posix())


def summarise(inputs: Inputs) -> dict[str, Any]:
    """The files of a plan: number, bytes and a digest of labels and sizes, and a list while it is short."""
    digest = hashlib.sha256()
    files, total, listed = 0, 0, []
    for source in inputs.walk():
        files += 1
        total += source.size or 0
        digest.update(json.dumps([source.label, source.size]).encode())
        if files <= LISTED_FILES:
            listed.append([source.label, source.size])
    if not files:
        raise DataError(
            f"no file to read in {', '.join(inputs.names)}: {inputs.unknown} files of unknown kinds; give files by "
            "name or pattern and name their format, for example: --input-format jsonl"
        )
    return {"files": files, "bytes": total, "digest": digest.hexdigest(), "first_files": listed}


def _expand(name: str) -> list[str]:
    if name == STANDARD_INPUT or URL_MARK in name:
        return []
    if _is_pattern(name):
        matches = sorted(set(glob.iglob(name, recursive=True)))  # noqa: PTH207 - Path.glob has no absolute patterns
        if not matches:
            raise DataError("no file matches this pattern", path=name)
        if "**" in name:  # only such a pattern matches a folder and what lies in it
            matches = _keep_outermost(matches, {match for match in matches if Path(match).is_dir()})
        return matches
    require_existing(Path(name))
    return [name]


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not Path(name).exists()


def _match_remote(system: Any, pattern: str) -> list[str]:
    matches = system.glob(pattern, detail=True)
    return _keep_outermost(sorted(matches), {path for path, facts in matches.items() if facts["type"] == "directory"})


def _keep_outermost(paths: Sequence[str], folders: Collection[str]) -> list[str]:
    """The paths that lie in none of the folders: those that do are found by walking it."""
    outer = {PurePosixPath(Path(folder).as_posix()) for folder in folders}
    return [path for path in paths if outer.isdisjoint(PurePosixPath(Path(path).as_posix()).parents)]


def _open_standard_input() -> BinaryIO:
    """Standard input with a buffer of our own: a thread that waits for it holds no lock that Python needs to end."""
    import sys

    try:
        number = sys.stdin.fileno()
    except io.UnsupportedOperation:  # the host of newsacts has put a stream of its own there
        return sys.stdin.buffer
    return open(number, "rb", closefd=False)


def _leads_back(path: Path) -> bool:
    """Whether a link points to a folder it lies in, so that following it would not end."""
    return path.is_symlink() and path.resolve() in [parent.resolve() for parent in path.absolute().parents]


def _refuse_repeats(paths: Sequence[Path], names: Sequence[str]) -> None:
    known = set(paths)
    if len(known) < len(paths) or len(set(names)) < len(names):
        raise UsageError("the same input is named twice, so its articles would count twice; name it once")
    for path in paths:
        if outer := next((parent for parent in path.parents if parent in known), None):
            raise UsageError(f"{path} lies in {outer}, which is an input too; its articles would count twice")


def _list_dataset(folder: Path) -> Iterator[Path]:
    try:
        if (folder / "dataset_dict.json").is_file():
            for part in json.loads((folder / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]:
                yield from _list_dataset(folder / part)
        else:
            for entry in json.loads((folder / "state.json").read_text(encoding="utf-8"))["_data_files"]:
                yield folder / Path(entry["filename"]).name
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"not a readable datasets folder ({error!r}); save it again", path=folder) from error


def _import_fsspec() -> Any:
    try:
        import fsspec
        import fsspec.core
    except ImportError as error:
        raise UsageError("reading URLs needs a package: pip install 'newsacts[remote]'") from error
    return fsspec
