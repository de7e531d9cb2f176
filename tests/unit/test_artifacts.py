"""Claims about files that can be made again: whole or absent, checked, never trusted when damaged."""

import errno
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsacts.backends.artifacts import find_cache_folder, keep_artifact, list_artifact, read_artifact, write_artifact
from tests import tiny


def test_what_was_written_is_read_with_its_folder(tmp_path: Path) -> None:
    write_artifact(tmp_path / "there", "key", b"content", suffix=".bin")
    assert read_artifact([tmp_path / "empty", tmp_path / "there"], "key") == (b"content", tmp_path / "there")
    assert read_artifact([tmp_path / "there"], "other") is None


def test_a_damaged_artifact_is_named_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_artifact(tmp_path, "key", b"content", suffix=".bin")
    tiny.change_byte(path)
    with caplog.at_level(logging.WARNING, logger="newsacts"):
        assert read_artifact([tmp_path], "key") is None
    assert path.name in caplog.text
    assert "damaged" in caplog.text


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"file": "gone.bin", "sha256": "0"}'])
def test_a_note_that_leads_nowhere_is_passed_over(note: str, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(note)
    assert read_artifact([tmp_path], "key") is None


def test_a_note_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"content")
    path = write_artifact(tmp_path / "cache", "key", b"content", suffix=".bin")
    note = tmp_path / "cache" / "key.json"
    note.write_text(note.read_text().replace(path.name, "../secret.bin"))
    assert read_artifact([tmp_path / "cache"], "key") is None


def test_many_writers_leave_one_whole_artifact_and_no_rubbish(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4_000
    with ThreadPoolExecutor(8) as pool:
        for _ in range(24):
            pool.submit(write_artifact, tmp_path, "key", content, suffix=".bin")
    assert read_artifact([tmp_path], "key") == (content, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_told_and_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("x")
    assert read_artifact([tmp_path / "file" / "cache"], "key") is None
    for folder in (tmp_path / "file" / "cache", None):
        caplog.clear()
        assert not keep_artifact(folder, "key", b"content", suffix=".bin")
        assert "NEWSACTS_CACHE" in caplog.text
    assert keep_artifact(tmp_path / "cache", "key", b"content", suffix=".bin")


def test_a_full_disk_costs_the_artifact_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("newsacts.backends.artifacts.os.fsync", fail)
    assert not keep_artifact(tmp_path, "key", b"content", suffix=".bin")
    assert "No space left" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_may_not_be_read_is_told_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert read_artifact([tmp_path], "key") is None
    assert "Permission denied" in caplog.text


def test_the_files_of_an_artifact_are_listed_only_where_it_is_sound(tmp_path: Path) -> None:
    path = write_artifact(tmp_path, "key", b"content", suffix=".bin")
    assert list_artifact(tmp_path, "key") == ["key.json", path.name]
    assert list_artifact(tmp_path, "other") == []
    tiny.change_byte(path)
    assert list_artifact(tmp_path, "key") == []


def test_the_cache_stands_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NEWSACTS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_cache_folder() == tmp_path / "newsacts"
    monkeypatch.setenv("NEWSACTS_CACHE", str(tmp_path / "own"))
    assert find_cache_folder() == tmp_path / "own"


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("NEWSACTS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", fail)
    assert find_cache_folder() is None
