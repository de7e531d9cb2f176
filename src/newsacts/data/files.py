"""From a path to text: finds a file, undoes gzip or Zstandard, decodes UTF-8; every fault is a `DataError`.

A file is held in memory as a whole. Labelled data is small, and only so can a wrong encoding be named with
its byte before the first row is used. Corpora for bulk runs do not come through here.
"""

import gzip
import zlib
from difflib import get_close_matches
from pathlib import Path

from newsacts.errors import DataError, UsageError

TEXT_FORMATS = (".jsonl", ".csv", ".tsv")
COMPRESSIONS = (".gz", ".zst")
PARQUET = ".parquet"


def require_existing(path: Path) -> None:
    """Raise `DataError` naming similar files in the folder where `path` does not exist."""
    if path.exists():
        return
    if not path.parent.is_dir():
        raise DataError(f"no such file, and the folder {str(path.parent)!r} does not exist", path=path)
    near = get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), n=3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise DataError(f"no such file in {str(path.parent)!r}{hint}", path=path)


def recognise_format(path: Path) -> tuple[str, str]:
    """Format and compression by file name: `(".csv", ".gz")`, or `(".jsonl", "")`; case does not matter."""
    name = path.name.lower()
    compression = next((ending for ending in COMPRESSIONS if name.endswith(ending)), "")
    stem = name.removesuffix(compression)
    for known in TEXT_FORMATS if compression else (*TEXT_FORMATS, PARQUET):
        if stem.endswith(known):
            return known, compression
    flat = ", ".join(TEXT_FORMATS)
    raise DataError(
        f"unknown kind of file, expected a name that ends in {flat} (each may be followed by "
        f"{' or '.join(COMPRESSIONS)}) or {PARQUET}",
        path=path,
    )


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. An empty one is an error: it is more often an accident than a wish."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
    if not content:
        raise DataError("the file is empty, expected at least one row", path=path)
    return content


def read_text(path: Path, compression: str) -> str:
    """The text of a UTF-8 file, without its byte order mark, line ends as they are."""
    content = read_bytes(path)
    if compression == ".gz":
        content = _undo_gzip(content, path)
    elif compression == ".zst":
        content = _undo_zstandard(content, path)
    text = decode_text(content, path)
    if not text.strip():
        raise DataError("the file holds nothing but white space, expected at least one row", path=path)
    return text


def _undo_gzip(content: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the gzip data is cut off or damaged ({error}), fetch it anew", path=path) from error


def _undo_zstandard(content: bytes, path: Path) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise UsageError("reading .zst files needs a package: pip install zstandard") from error
    parts = []
    while content:
        # One object a frame: the stream reader of this package takes a cut-off frame for a whole one.
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            parts.append(frame.decompress(content))
        except zstandard.ZstdError as error:
            raise DataError(f"the Zstandard data is damaged ({error}), fetch it anew", path=path) from error
        if not frame.eof:
            raise DataError("the Zstandard data is cut off, fetch it anew", path=path)
        content = frame.unused_data
    return b"".join(parts)


def decode_text(content: bytes, path: Path) -> str:
    """The text of UTF-8 bytes without a byte order mark. Raises `DataError` naming row and byte."""
    # UTF-16 without a mark is valid UTF-8 full of NULs, with which no JSON line and no header begins.
    nul_pattern = tuple(byte == 0 for byte in content[:4])
    if nul_pattern in ((False, True, False, True), (True, False, True, False)):
        raise DataError("expected UTF-8, but from byte 0 on this looks like UTF-16; convert it", path=path)
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        got = f"got byte 0x{content[error.start]:02x} at byte offset {error.start} ({error.reason})"
        message = f"expected UTF-8, {got}; {_guess_encoding(content, error.start)}"
        raise DataError(message, path=path, row=row) from error


def _guess_encoding(content: bytes, offset: int) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it looks like UTF-16; convert it with: iconv -f UTF-16 -t UTF-8"
    following = content[offset + 1 : offset + 2]
    if following and following.isascii():
        return "it looks like Latin-1 or Windows-1252; convert it with: iconv -f WINDOWS-1252 -t UTF-8"
    return "the file is damaged there, or in an encoding that could not be guessed"
