"""Claims about what the command line reads."""

import io
from pathlib import Path

import pytest

from newsacts.data.inputs import InputText, read_article, read_input_texts
from newsacts.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "input.txt"


def test_lines_and_objects_keep_order_and_ids(path: Path) -> None:
    path.write_text('We regret this.\n{"text": "Rain fell.", "id": 7}\n{"text": "Snow fell."}\n')
    texts, rejects = read_input_texts(str(path))
    assert texts == [InputText("1", "We regret this."), InputText(7, "Rain fell."), InputText("3", "Snow fell.")]
    assert rejects == []


def test_an_id_that_is_nan_is_none_since_json_has_no_nan(path: Path) -> None:
    path.write_text('{"text": "Rain fell.", "id": NaN}\n{"text": "Snow fell.", "id": {"a": [NaN]}}\n')
    texts, _ = read_input_texts(str(path))
    assert [text.id for text in texts] == [None, {"a": [None]}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "blank"),
        ("   \t", "blank"),
        ("{not json", "broken JSON"),
        ('{"txt": "a"}', "under 'text'"),
        ('{"text": ""}', "under 'text'"),
        ('{"text": 3}', "under 'text'"),
        ('{"text": "cut \\ud83d"}', "surrogate"),
        ('{"text": "Rain fell.", "id": Infinity}', "Infinity is no number"),
        ('{"text": ' + "[" * 100_000, "broken JSON"),
    ],
)
def test_a_bad_row_is_named_or_rejected_with_its_number(path: Path, line: str, message: str) -> None:
    path.write_text(f"Rain fell.\n{line}\nSnow fell.\n")
    with pytest.raises(DataError, match=message) as caught:
        read_input_texts(str(path))
    assert (caught.value.path, caught.value.row) == (str(path), 2)
    texts, rejects = read_input_texts(str(path), on_error="skip")
    assert [text.text for text in texts] == ["Rain fell.", "Snow fell."]
    assert [(reject.row, reject.raw) for reject in rejects] == [(2, line)]


def test_invalid_utf8_names_row_and_byte(path: Path) -> None:
    path.write_bytes(b"Rain fell.\nCaf\xe9 closed.\n")
    with pytest.raises(DataError, match=r"row 2: expected UTF-8, got byte 0xe9 at byte offset 14"):
        read_input_texts(str(path))


def test_a_missing_file_names_its_neighbour(path: Path) -> None:
    path.write_text("x")
    with pytest.raises(DataError, match=r"did you mean 'input\.txt'"):
        read_input_texts(str(path.with_name("inputs.txt")))


@pytest.mark.parametrize("read", [read_article, read_input_texts])
def test_a_folder_is_no_file(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(DataError, match="this is a folder, expected a text file"):
        read(str(tmp_path))


def test_an_empty_file_is_an_error(path: Path) -> None:
    path.write_text("")
    with pytest.raises(DataError, match="the file is empty"):
        read_article(str(path))


def test_an_article_keeps_every_character(path: Path) -> None:
    content = "One.\r\nTwo\x00 \u202e three\u2028 😀.\n"
    path.write_bytes(content.encode())
    article = read_article(str(path))
    assert (article.id, article.text) == (str(path), content)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO("Rain fell.\nÜber.\n".encode())

    monkeypatch.setattr("sys.stdin", Stream())
    texts, _ = read_input_texts("-")
    assert [text.text for text in texts] == ["Rain fell.", "Über."]


def test_empty_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO(b"\n")

    monkeypatch.setattr("sys.stdin", Stream())
    with pytest.raises(DataError, match="standard input: there is nothing in it"):
        read_article("-")


def test_a_line_of_two_megabytes_is_read_whole(path: Path) -> None:
    path.write_text("mill " * 400_000)
    texts, _ = read_input_texts(str(path))
    assert len(texts[0].text) == 2_000_000
