"""Files that can be made again: a cache of graphs and measurements, each checked by its hash when it is read.

An artifact is a file named by its key and content, and a note `KEY.json` that names it and its SHA-256. The note
is written last and by renaming, so a reader sees a whole artifact or none, whoever else writes at that moment.
The same layout stands in the user's cache and in the `onnx/` folder of a checkpoint. The hash finds damage; it is no
signature: who may write to the folder is trusted, as with the checkpoint itself.
"""

import hashlib
import json
import logging
import os
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_logger = logging.getLogger("newsacts")


def find_cache_folder() -> Path | None:
    """$NEWSACTS_CACHE, or the folder "newsacts" in the user's cache ($XDG_CACHE_HOME, ~/.cache, ~/Library/Caches).

    None for a user without a home (a container that runs under a bare number, say): there is no place of their own.
    """
    home = {"win32": os.environ.get("LOCALAPPDATA", "~"), "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    own, root = os.environ.get("NEWSACTS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(own).expanduser() if own else Path(root or home).expanduser() / "newsacts"
    except RuntimeError:
        return None


def read_artifact(folders: Iterable[Path], key: str) -> tuple[bytes, Path] | None:
    """Content and folder of the first sound artifact of this key, or None.

    A damaged one, or one that may not be read, is named in the log and passed over: it can be made again.
    """
    for folder in folders:
        try:
            note = (folder / f"{key}.json").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            _logger.warning("%s cannot be used (%r); it is made anew", folder / f"{key}.json", error)
            continue
        if (content := _read_noted(folder, note)) is not None:
            return content, folder
    return None


def list_artifact(folder: Path, key: str) -> list[str]:
    """Names of the files of an artifact in a folder; none where it is not there or not sound."""
    if read_artifact([folder], key) is None:
        return []
    note = f"{key}.json"
    return [note, _name_file(json.loads((folder / note).read_text(encoding="utf-8")))]


def write_artifact(folder: Path, key: str, content: bytes, *, suffix: str) -> Path:
    """Write an artifact so that no reader ever sees a part of it; returns the file. Raises `OSError`."""
    digest = hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{key}-{digest[:16]}{suffix}"
    _replace(target, content)
    note = {"file": target.name, "sha256": digest, "bytes": len(content)}
    _replace(folder / f"{key}.json", (json.dumps(note, indent=2) + "\n").encode())
    return target


def keep_artifact(folder: Path | None, key: str, content: bytes, *, suffix: str) -> bool:
    """`write_artifact` where there is a cache that can be written; where not, that is said and costs the next start."""
    if folder is None:
        _logger.warning("there is no home folder for a cache; set NEWSACTS_CACHE to a folder of yours")
        return False
    try:
        write_artifact(folder, key, content, suffix=suffix)
    except OSError as error:
        _logger.warning("cache %s cannot be written (%s); set NEWSACTS_CACHE to a folder that can", folder, error)
        return False
    return True


def _read_noted(folder: Path, note: str) -> bytes | None:
    try:
        facts = json.loads(note)
        name, expected = _name_file(facts), str(facts["sha256"])
        content = (folder / name).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.warning("an artifact in %s cannot be used (%r); it is made anew", folder, error)
        return None
    if hashlib.sha256(content).hexdigest() == expected:
        return content
    _logger.warning("%s is damaged: its SHA-256 is not the noted one; it is made anew", folder / name)
    return None


def _name_file(facts: Any) -> str:
    """A note never leads out of its folder."""
    return Path(str(facts["file"])).name


def _replace(target: Path, content: bytes) -> None:
    unfinished = target.with_name(f".unfinished-{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
