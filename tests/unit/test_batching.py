"""Claims about windows and batches."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.batching import TokenWindows, WindowTokenizer, form_batches, merge_windows
from newsacts.errors import ModelError, UsageError
from tests import tiny

lengths = st.lists(st.integers(1, 60), max_size=40)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> WindowTokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny.build_tokenizer().save(str(path))
    return WindowTokenizer(path, max_tokens=12)


def make_windows(sizes: list[int]) -> TokenWindows:
    return TokenWindows([list(range(1, size + 1)) for size in sizes], np.arange(len(sizes)))


@given(lengths, st.integers(1, 200))
def test_every_window_stands_in_exactly_one_batch_and_whole(sizes: list[int], budget: int) -> None:
    windows = make_windows(sizes)
    seen: dict[int, list[int]] = {}
    for batch in form_batches(windows, token_budget=budget, padding_id=0):
        for row, position in enumerate(batch.positions.tolist()):
            assert position not in seen
            seen[position] = batch.ids[row][batch.mask[row] == 1].tolist()
    assert seen == dict(enumerate(windows.ids))


@given(lengths, st.integers(1, 200))
def test_no_batch_exceeds_the_budget_but_one_of_a_single_window(sizes: list[int], budget: int) -> None:
    for batch in form_batches(make_windows(sizes), token_budget=budget):
        assert batch.ids.size <= budget or len(batch.ids) == 1


@given(lengths)
def test_a_batch_is_no_wider_than_its_longest_window(sizes: list[int]) -> None:
    for batch in form_batches(make_windows(sizes), token_budget=64):
        assert batch.ids.shape[1] == batch.mask.sum(axis=1).max()


@given(st.lists(st.sampled_from(["mill", "bank", "the", "mayor"]), min_size=1, max_size=80))
def test_windows_cover_every_token_and_respect_the_limit(words: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        tiny.build_tokenizer().save(str(path))
        short = WindowTokenizer(path, max_tokens=12)
        whole = WindowTokenizer(path, max_tokens=200)
    text = " ".join(words)
    content = whole.tokenize([text]).ids[0][1:-1]
    windows = short.tokenize([text]).ids
    assert all(len(window) <= 12 for window in windows)
    rebuilt: list[int] = []
    for window in windows:
        inner = window[1:-1]
        overlap = next(size for size in range(len(inner) + 1) if _fits(rebuilt, inner, size, content))
        rebuilt += inner[overlap:]
    assert rebuilt == content


def _fits(rebuilt: list[int], inner: list[int], overlap: int, content: list[int]) -> bool:
    grown = rebuilt[: len(rebuilt)] + inner[overlap:]
    return rebuilt[len(rebuilt) - overlap :] == inner[:overlap] and content[: len(grown)] == grown


def test_each_label_gets_the_highest_logit_of_its_windows() -> None:
    windows = TokenWindows([[1], [1], [1]], np.array([0, 1, 1]))
    logits = np.array([[1, 1], [5, -2], [3, 4]], np.float32)
    assert merge_windows(logits, windows, 2).tolist() == [[1, 1], [5, 4]]


def test_an_empty_text_is_one_window_of_special_tokens(tokenizer: WindowTokenizer) -> None:
    windows = tokenizer.tokenize(["", "mill"])
    assert [len(ids) for ids in windows.ids] == [2, 3]
    assert windows.owners.tolist() == [0, 1]


def test_a_file_that_is_no_tokenizer_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ModelError, match="not a readable tokenizer"):
        WindowTokenizer(path, max_tokens=12)


def test_windows_too_short_for_a_sentence_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 8"):
        WindowTokenizer(tmp_path / "tokenizer.json", max_tokens=4)
