"""Claims about checkpoint folders: what is checked when one is opened."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsacts.base_models import DEFAULT_BASE, find_base_model
from newsacts.checkpoint import DIGEST, PROTOCOL, Checkpoint, digest_manifest, open_checkpoint
from newsacts.errors import IntegrityError, ModelError, ProtocolError
from tests import tiny

REMOVED = object()


@pytest.fixture
def folder(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint.folder, tmp_path / "copy"))


def edit_manifest(folder: Path, **changes: Any) -> None:
    """Change the manifest as somebody would who knows of its digest."""
    path = folder / "newsacts.json"
    manifest = json.loads(path.read_text()) | changes
    manifest = {key: value for key, value in manifest.items() if value is not REMOVED}
    path.write_text(json.dumps(manifest | {DIGEST: digest_manifest(manifest)}))


def test_what_is_written_is_what_is_opened(tiny_checkpoint: Checkpoint, folder: Path) -> None:
    opened = open_checkpoint(folder)
    assert opened.facts == tiny_checkpoint.facts
    ours, theirs = opened.load_weights(), tiny_checkpoint.load_weights()
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_changed_byte_in_any_file_is_found(folder: Path, name: str) -> None:
    tiny.change_byte(folder / name)
    with pytest.raises(IntegrityError, match=rf"{name}: SHA-256 is"):
        open_checkpoint(folder)


def test_an_edited_manifest_is_found(folder: Path) -> None:
    path = folder / "newsacts.json"
    path.write_text(path.read_text().replace("0.5", "0.9", 1))
    with pytest.raises(IntegrityError, match="does not fit its own digest"):
        open_checkpoint(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json is listed"):
        open_checkpoint(folder)


def test_a_newer_protocol_asks_for_an_upgrade(folder: Path) -> None:
    edit_manifest(folder, protocol=PROTOCOL + 1)
    with pytest.raises(ProtocolError, match="pip install --upgrade newsacts"):
        open_checkpoint(folder)


@pytest.mark.parametrize("protocol", [0, -1, "1", None, 1.0])
def test_a_protocol_that_is_no_positive_whole_number_is_refused(folder: Path, protocol: object) -> None:
    edit_manifest(folder, protocol=protocol)
    with pytest.raises(ModelError, match="protocol number"):
        open_checkpoint(folder)


def test_a_file_name_that_leaves_the_folder_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "newsacts.json").read_text())
    edit_manifest(folder, files=manifest["files"] | {"../elsewhere": "0" * 64})
    with pytest.raises(ModelError, match="leaves the folder"):
        open_checkpoint(folder)


@pytest.mark.parametrize("key", ["scheme", "calibration", "files", "base", "architecture"])
def test_a_manifest_without_a_section_is_malformed(folder: Path, key: str) -> None:
    edit_manifest(folder, **{key: REMOVED})
    with pytest.raises(ModelError, match="incomplete or malformed"):
        open_checkpoint(folder)


NUMBERS: dict[str, object] = {"slopes": [1.0] * 4, "intercepts": [0.0] * 4, "thresholds": [0.5] * 4, "policy": "fixed"}


@pytest.mark.parametrize(
    "changes",
    [
        {"slopes": [1, 1, 1, float("nan")]},
        {"slopes": [1, 1, 1, float("inf")]},
        {"slopes": [1, 1, 1, -1]},
        {"slopes": [1, 1, 1, 0]},
        {"slopes": [1, 1, 1, 10**400]},
        {"intercepts": [0, 0, 0, float("-inf")]},
        {"thresholds": [0.5, 0.5, 0.5, 7]},
        {"thresholds": [0.5, 0.5, 0.5, float("nan")]},
        {"prevalence": [0.1, 0.1, 0.1, 1.1]},
    ],
)
def test_a_calibration_that_no_fit_gives_is_malformed(folder: Path, changes: dict[str, object]) -> None:
    edit_manifest(folder, calibration=NUMBERS | changes)
    with pytest.raises(ModelError, match="incomplete or malformed"):
        open_checkpoint(folder)


def test_a_calibration_at_its_edges_is_read(folder: Path) -> None:
    edges = {"thresholds": [0, 1, 0.5, 0.5], "prevalence": [0, 1, 0.2, 0.2], "intercepts": [-700, 700, 0, 0]}
    edit_manifest(folder, calibration=NUMBERS | edges)
    assert open_checkpoint(folder).facts.calibration.prevalence == (0, 1, 0.2, 0.2)


@pytest.mark.parametrize(
    "changes",
    [
        {"files": []},
        {"scheme": []},
        {"scheme": {"names": "abcd", "exclusive": False}},
        {"scheme": {"names": ["a", 2, "c", "d"], "exclusive": False}},
        {"architecture": {"pooling": "mean", "max_tokens": "32"}},
        {"architecture": {"pooling": ["mean"], "max_tokens": 32}},
        {"training": []},
        {"scores": "high"},
        {"codebook": 1},
        {"weight_format": None},
        {"operating_points": []},
    ],
    ids=str,
)
def test_a_manifest_with_values_of_another_type_is_malformed(folder: Path, changes: dict[str, object]) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(ModelError, match="incomplete or malformed"):
        open_checkpoint(folder)


def test_text_that_cannot_be_encoded_is_malformed(folder: Path) -> None:
    (folder / "newsacts.json").write_text('{"protocol": 1, "codebook": "\\ud800"}')
    with pytest.raises(ModelError, match="incomplete or malformed"):
        open_checkpoint(folder)


@pytest.mark.parametrize("depth", [900, 100_000])
def test_nesting_without_end_is_a_model_error(folder: Path, depth: int) -> None:
    (folder / "newsacts.json").write_text('{"protocol": 1, "deep": ' + "[" * depth + "]" * depth + "}")
    with pytest.raises(ModelError):
        open_checkpoint(folder)


def test_a_file_name_longer_than_any_file_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "newsacts.json").read_text())
    edit_manifest(folder, files=manifest["files"] | {"a" * 5_000: "0" * 64})
    with pytest.raises(ModelError, match="refused"):
        open_checkpoint(folder)


def test_a_manifest_that_is_no_json_is_a_model_error(folder: Path) -> None:
    (folder / "newsacts.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        open_checkpoint(folder)


def test_a_folder_that_is_no_checkpoint_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ModelError, match=r"expected newsacts.json in it, found notes.txt"):
        open_checkpoint(tmp_path)


def test_a_folder_that_is_not_there_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such checkpoint folder"):
        open_checkpoint(tmp_path / "nothing")


def test_a_base_with_another_hash_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    base = find_base_model(str(tiny_base))
    copy = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    tiny.change_byte(copy / "model.safetensors")
    with pytest.raises(IntegrityError, match=f"expected {base.sha256}"):
        find_base_model(str(copy), sha256=base.sha256)


def test_a_base_in_a_relative_folder_is_named_by_its_whole_path(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_base.parent)
    found = find_base_model(tiny_base.name)
    assert found.source == str(tiny_base.resolve())
    monkeypatch.chdir("/")
    assert find_base_model(found.source).sha256 == found.sha256


def test_the_packaged_base_has_the_pinned_hash() -> None:
    base = find_base_model(DEFAULT_BASE)
    assert base.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert base.revision == "0.1.0"


def test_a_base_package_that_is_not_installed_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match="pip install no-such-weights"):
        find_base_model("package:no-such-weights")


def test_pickled_weights_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="pickled"):
        find_base_model(str(tmp_path))


def test_a_base_folder_that_is_not_there_says_what_may_be_given(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'hf:owner/name' or a folder"):
        find_base_model(str(tmp_path / "nothing"))
