"""From the bytes of a file to readable streams: undoes compression, and walks zip and tar archives member by member.

Everything is a stream; nothing is unpacked to disk but Parquet and Arrow members, which must be sought in and go to
an anonymous temporary file. A damaged file raises `DamagedFileError`, which ends that file and not the run; an error
of the disk or the network keeps its number (`OSError.errno`) and is for the run to stop at.
"""

import bz2
import gzip
import io
import lzma
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, Self, cast

KINDS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".txt": "txt", ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow",
}  # fmt: skip
INPUT_FORMATS = ("jsonl", "csv", "tsv", "txt", "parquet", "arrow")
SOUGHT = ("parquet", "arrow")
"""Formats that are not read front to back."""

_COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz")
_SHORT = {".tgz": ".tar.gz", ".tbz2": ".tar.bz2", ".txz": ".tar.xz", ".tzst": ".tar.zst"}
_COSTLY_TO_SEEK = (gzip.GzipFile, bz2.BZ2File, lzma.LZMAFile, zipfile.ZipExtFile, tarfile.ExFileObject)
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, UnicodeDecodeError)
_CHUNK = 1 << 16
_ZSTANDARD_CHUNK = 1 << 12
"""So few compressed bytes are undone at once, since each may stand for thousands."""


class DamagedFileError(Exception):
    """The rest of a file cannot be read; the message says why. Readers turn it into a reject."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name says of a file: format of the rows, compression (".gz" or ""), archive (".zip", ".tar" or "")."""

    format: str
    compression: str = ""
    archive: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One readable stream. `format` is None where only the content can tell."""

    label: str
    format: str | None
    stream: BinaryIO


def recognise(name: str) -> Kind | None:
    """The kind of a file by its name, or None. An archive's format is that of its members, each by its name."""
    lower = PurePosixPath(name).name.lower()
    for short, long in _SHORT.items():
        lower = lower.removesuffix(short) + long if lower.endswith(short) else lower
    compression = next((ending for ending in _COMPRESSIONS if lower.endswith(ending)), "")
    ending = PurePosixPath(lower.removesuffix(compression)).suffix
    if ending == ".tar" or (ending == ".zip" and not compression):
        return Kind("", compression, ending)
    found = KINDS.get(ending)
    return None if found is None or (compression and found in SOUGHT) else Kind(found, compression)


def make_printable(name: str) -> str:
    """The name of a file as text that can be written anywhere: bytes that are not UTF-8 become `\\xe9` and the like."""
    return name.encode("utf-8", sys.getfilesystemencodeerrors()).decode("utf-8", "backslashreplace")


def open_members(label: str, raw: BinaryIO, kind: Kind | None) -> Iterator[Member]:
    """The streams of a file, each valid until the next is asked for.

    Raises `DamagedFileError` for an archive that cannot be read on.
    """
    if kind is None:
        yield Member(label, None, raw)
    elif kind.archive == ".zip":
        yield from _open_zip(label, raw, kind)
    elif kind.archive == ".tar":
        yield from _open_tar(label, raw, kind)
    else:
        yield Member(label, kind.format, undo_compression(raw, kind.compression))


def undo_compression(raw: BinaryIO, compression: str) -> BinaryIO:
    """A stream of the plain bytes."""
    if compression == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if compression == ".bz2":
        return cast(BinaryIO, bz2.BZ2File(raw))
    if compression == ".xz":
        return cast(BinaryIO, lzma.LZMAFile(raw))
    if compression == ".zst":
        return io.BufferedReader(_ZstandardStream(raw), _CHUNK)
    return raw


@contextmanager
def map_damage() -> Iterator[None]:
    """Turn what decompressors raise for broken data into `DamagedFileError`; errors of disk and network pass."""
    try:
        yield
    except _DAMAGE as error:
        raise DamagedFileError(f"the compressed data is cut off or damaged ({error}); fetch the file anew") from error
    except (NotImplementedError, RuntimeError) as error:  # zipfile: unknown method, or a password is needed
        raise DamagedFileError(f"the archive member cannot be opened ({error})") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DamagedFileError(f"the data is damaged ({error}); fetch the file anew") from error


@contextmanager
def open_seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The stream itself where it can seek without cost, else a copy in an anonymous temporary file."""
    if not isinstance(stream, _COSTLY_TO_SEEK) and stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        with map_damage():
            shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(BinaryIO, copy)


def _open_zip(label: str, raw: BinaryIO, kind: Kind) -> Iterator[Member]:
    with map_damage():
        archive = zipfile.ZipFile(raw)
    for info in archive.infolist():
        if not info.is_dir():
            with map_damage():
                stream = archive.open(info)
            yield from _open_member(label, info.filename, stream, kind)


def _open_tar(label: str, raw: BinaryIO, kind: Kind) -> Iterator[Member]:
    with map_damage():
        plain = undo_compression(raw, kind.compression)
        archive = tarfile.open(fileobj=plain, mode="r|", tarinfo=_StrictHeader)  # noqa: SIM115 - closed by the opener
    entries = iter(archive)
    while True:
        with map_damage():
            entry = next(entries, None)
        if entry is None:
            return
        if entry.isfile() and (stream := archive.extractfile(entry)) is not None:
            yield from _open_member(label, entry.name, stream, kind)
        # tarfile keeps every entry it has met, which grows with the archive.
        archive.members = []  # type: ignore[attr-defined]


def _open_member(archive: str, name: str, stream: IO[bytes], outer: Kind) -> Iterator[Member]:
    if any(part.startswith((".", "_")) and part != ".." for part in PurePosixPath(name).parts):
        return
    label, kind = f"{archive}!{make_printable(name)}", recognise(name)
    if outer.format:
        kind = Kind(outer.format, "" if kind is None else kind.compression)
    if kind is None or kind.archive:
        yield Member(label, "unknown", cast(BinaryIO, stream))
    else:
        yield Member(label, kind.format, undo_compression(cast(BinaryIO, stream), kind.compression))


class _StrictHeader(tarfile.TarInfo):
    """A tar header that is refused when it is damaged. The package's own takes one behind the first for the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"a damaged header: {error}") from error


class _ZstandardStream(io.RawIOBase):
    """Plain bytes of Zstandard frames. The package's own stream reader takes a cut-off frame for a whole one."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: Any = None
        self._left = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if not self._decompress_more():
                return 0
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _decompress_more(self) -> bool:
        import zstandard

        chunk = self._left or self._raw.read(_ZSTANDARD_CHUNK)
        self._left = b""
        if not chunk:
            if self._frame is not None:
                raise EOFError("the Zstandard data ends inside a frame")
            return False
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            self._ready = memoryview(self._frame.decompress(chunk))
        except zstandard.ZstdError as error:
            raise EOFError(str(error)) from error
        if self._frame.eof:
            self._left, self._frame = self._frame.unused_data, None
        return True
