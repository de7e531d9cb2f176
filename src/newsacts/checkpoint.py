"""The checkpoint folder: what is written, what is checked, and how it is read. No torch, no pickle.

    newsacts.json      protocol, scheme, base model, calibration, training facts, scores, file hashes
    model.safetensors  weights, in one of the formats of `newsacts.weights`
    config.json        the encoder's configuration, as transformers writes it
    tokenizer.json     the tokenizer, as the `tokenizers` library writes it
    README.md          a model card

Everything that a reader needs to trust a checkpoint is checked when it is opened: the protocol number, the digest
of newsacts.json itself, the SHA-256 of every file it lists and, where the weights are a difference, the SHA-256 of
the base model. A listed path with a separator in it is refused. Files that are not listed are not looked at, but for
`onnx/`, whose files can be made again and are checked by hashes of their own (`backends.artifacts`).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from newsacts.base_models import BaseModel, find_base_model, hash_file
from newsacts.calibration import Calibration, format_calibration, parse_calibration
from newsacts.errors import IntegrityError, ModelError, ProtocolError
from newsacts.labels import LabelScheme
from newsacts.operating_points import OperatingCurves, format_curves, parse_curves
from newsacts.weights import Array, decode_weights

PROTOCOL = 2
"""Raised whenever an older newsacts could misread a new folder. Every protocol stays readable.

1: all layers of the base model. 2: some of them (`base_layers`), which a reader of 1 would take for the first ones. A
folder states the lowest number that says all of it.
"""

MANIFEST = "newsacts.json"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
DIGEST = "manifest_sha256"

_LONGEST_NAME = 255
_LAYER = re.compile(r"(encoder\.encoder\.layer\.)(\d+)(\..*)")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model is, apart from its weights. `training` and `scores` are facts for people and cards.

    `base_layers` are the encoder layers of the base that the model was made of, in order; None stands for all.
    `curves` are precision and recall by threshold, from which `--precision` and `--recall` are served; None in a
    checkpoint that was written without them.
    """

    scheme: LabelScheme
    calibration: Calibration
    pooling: str
    max_tokens: int
    weight_format: str
    base_source: str
    base_revision: str
    base_sha256: str
    base_layers: tuple[int, ...] | None = None
    codebook: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    curves: OperatingCurves | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An opened, verified checkpoint folder."""

    folder: Path
    facts: ModelFacts
    files: Mapping[str, str]

    @property
    def tokenizer_file(self) -> Path:
        """Path of tokenizer.json."""
        return self.folder / TOKENIZER

    def load_encoder_config(self) -> dict[str, Any]:
        """The encoder's configuration as a dictionary. Raises `ModelError`."""
        path = self.folder / CONFIG
        config = _read_json(path)
        if not isinstance(config, dict):
            raise ModelError(f"{path}: expected a JSON object, got {type(config).__name__}; restore the checkpoint")
        positions = config.get("max_position_embeddings")
        if isinstance(positions, int) and self.facts.max_tokens > positions:
            raise ModelError(
                f"{self.folder / MANIFEST}: max_tokens is {self.facts.max_tokens}, and the encoder reads at most "
                f"{positions} tokens ({CONFIG}); restore the checkpoint"
            )
        return config

    def load_weights(self) -> dict[str, Array]:
        """The full float32 state of the network, by tensor name.

        Opens and hash-checks the base model where the weights are a difference. Raises `ModelError`.
        """
        try:
            stored = load_file(self.folder / WEIGHTS)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{self.folder / WEIGHTS}: cannot be read as safetensors: {error}") from error
        if self.facts.weight_format == "full":
            return decode_weights(stored, {})
        facts = self.facts
        # A checkpoint may come from anywhere: it must not make the library use the network.
        base = find_base_model(
            facts.base_source, sha256=facts.base_sha256, revision=facts.base_revision, download=False
        )
        return decode_weights(stored, load_base_tensors(base, layers=facts.base_layers))


def load_base_tensors(base: BaseModel, *, layers: Sequence[int] | None = None) -> dict[str, Array]:
    """Tensors of a base model under the names that a newsacts network gives them ("encoder.…").

    Where only some `layers` are kept, these are counted anew from 0 and the tensors of the others are left out.
    """
    try:
        tensors = load_file(base.weights)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{base.weights}: cannot be read as safetensors: {error}") from error
    except TypeError as error:
        raise ModelError(f"{base.weights}: expected float32 or float16 weights, {error}; convert the model") from error
    # Poolers and stored position numbers have no place in a newsacts network.
    named = {
        f"encoder.{name.removeprefix('bert.')}": tensor
        for name, tensor in tensors.items()
        if "pooler." not in name and np.issubdtype(tensor.dtype, np.floating)
    }
    return named if layers is None else _renumber_layers(named, layers)


def _renumber_layers(tensors: Mapping[str, Array], layers: Sequence[int]) -> dict[str, Array]:
    places = {layer: place for place, layer in enumerate(layers)}
    renumbered = {}
    for name, tensor in tensors.items():
        found = _LAYER.fullmatch(name)
        if found is None:
            renumbered[name] = tensor
        elif int(found[2]) in places:
            renumbered[f"{found[1]}{places[int(found[2])]}{found[3]}"] = tensor
    return renumbered


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read and verify a folder. Raises `ModelError`, `ProtocolError` or `IntegrityError`."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such checkpoint folder; expected a folder that holds {MANIFEST}")
    if not (folder / MANIFEST).is_file():
        inside = ", ".join(sorted(path.name for path in folder.iterdir())[:6]) or "nothing"
        raise ModelError(f"{folder}: not a newsacts checkpoint: expected {MANIFEST} in it, found {inside}")
    manifest = _read_json(folder / MANIFEST)
    protocol = manifest.get("protocol") if isinstance(manifest, dict) else None
    if type(protocol) is not int or protocol < 1:
        raise ModelError(f"{folder / MANIFEST}: expected a protocol number of 1 or more, got {protocol!r}")
    if protocol > PROTOCOL:
        raise ProtocolError(
            f"{folder}: checkpoint protocol {protocol} is newer than this newsacts reads (up to {PROTOCOL}); "
            "upgrade: pip install --upgrade newsacts"
        )
    try:
        if manifest.get(DIGEST) != digest_manifest(manifest):
            raise IntegrityError(
                f"{folder / MANIFEST}: its content does not fit its own digest; it was edited or damaged: restore the "
                "checkpoint, or fit thresholds anew by training"
            )
        facts, files = _parse_manifest(manifest)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(f"{folder / MANIFEST}: incomplete or malformed ({error!r}); restore the checkpoint") from error
    _verify_files(folder, files)
    return Checkpoint(folder, facts, files)


def write_checkpoint(
    folder: Path, facts: ModelFacts, *, weights: Mapping[str, Array], texts: Mapping[str, str]
) -> Checkpoint:
    """Write a checkpoint and open it again. `texts` are the other files by name (config, tokenizer, card)."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in weights.items()}, folder / WEIGHTS)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_manifest(folder, facts, {name: hash_file(folder / name) for name in sorted([WEIGHTS, *texts])})
    return open_checkpoint(folder)


def write_manifest(folder: Path, facts: ModelFacts, files: Mapping[str, str]) -> None:
    """Write newsacts.json with its digest, for files whose hashes are known."""
    manifest = _format_manifest(facts, files)
    manifest[DIGEST] = digest_manifest(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _format_manifest(facts: ModelFacts, files: Mapping[str, str]) -> dict[str, Any]:
    # What an older writer did not know stays out where it is not known, so that old folders keep their bytes.
    curves = {} if facts.curves is None else {"operating_points": format_curves(facts.curves, facts.scheme.names)}
    layers = {} if facts.base_layers is None else {"layers": list(facts.base_layers)}
    base = {"source": facts.base_source, "revision": facts.base_revision, "sha256": facts.base_sha256}
    return {
        "protocol": PROTOCOL if layers else 1,
        "scheme": {"names": list(facts.scheme.names), "exclusive": facts.scheme.exclusive},
        "codebook": facts.codebook,
        "architecture": {"pooling": facts.pooling, "max_tokens": facts.max_tokens},
        "weight_format": facts.weight_format,
        "base": base | layers,
        "calibration": format_calibration(facts.calibration),
        **curves,
        "training": dict(facts.training),
        "scores": dict(facts.scores),
        "files": dict(files),
    }


def digest_manifest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest without its digest, keys sorted."""
    rest = {key: value for key, value in manifest.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _parse_manifest(manifest: Mapping[str, Any]) -> tuple[ModelFacts, dict[str, str]]:
    scheme, base = manifest["scheme"], manifest["base"]
    facts = ModelFacts(
        scheme=LabelScheme(tuple(map(_check_text, _check_list(scheme["names"]))), bool(scheme["exclusive"])),
        calibration=parse_calibration(manifest["calibration"]),
        pooling=_check_text(manifest["architecture"]["pooling"]),
        max_tokens=_check_count(manifest["architecture"]["max_tokens"]),
        weight_format=_check_text(manifest["weight_format"]),
        base_source=_check_text(base["source"]),
        base_revision=_check_text(base["revision"]),
        base_sha256=_check_text(base["sha256"]),
        base_layers=tuple(map(_check_count, _check_list(base["layers"]))) if "layers" in base else None,
        codebook=None if manifest["codebook"] is None else _check_text(manifest["codebook"]),
        training=_check_object(manifest["training"]),
        scores=_check_object(manifest["scores"]),
        curves=_parse_curves(manifest),
    )
    if len(facts.calibration.slopes) != len(facts.scheme):
        raise ValueError(f"{len(facts.scheme)} labels but calibration for {len(facts.calibration.slopes)}")
    return facts, {name: _check_text(digest) for name, digest in _check_object(manifest["files"]).items()}


def _parse_curves(manifest: Mapping[str, Any]) -> OperatingCurves | None:
    # Written since operating points exist; a checkpoint without them is complete too.
    stored = manifest.get("operating_points")
    return None if stored is None else parse_curves(stored, manifest["scheme"]["names"])


def _check_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


def _check_count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"expected a whole number of 0 or more, got {value!r}")
    return value


def _check_list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {value!r}")
    return value


def _check_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {value!r}")
    return value


def _verify_files(folder: Path, files: Mapping[str, str]) -> None:
    for name in (WEIGHTS, CONFIG, TOKENIZER):
        if name not in files:
            raise ModelError(f"{folder / MANIFEST}: lists no hash for {name}; the checkpoint is incomplete")
    for name, expected in files.items():
        if Path(name).name != name or len(name) > _LONGEST_NAME:
            raise ModelError(f"{folder / MANIFEST}: file name {name[:_LONGEST_NAME]!r} leaves the folder; refused")
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: file {name} is listed in {MANIFEST} and missing; restore the checkpoint")
        try:
            found = hash_file(folder / name)
        except OSError as error:
            raise ModelError(f"{folder / name}: cannot be read: {error}") from error
        if found != expected:
            raise IntegrityError(
                f"{folder / name}: SHA-256 is {found}, {MANIFEST} says {expected}; the file was changed or damaged: "
                "restore the checkpoint"
            )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
