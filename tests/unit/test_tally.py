"""Claims about counting labels by source and month."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.errors import UsageError
from newsacts.tally import (
    OTHER_SOURCES,
    UNDATED,
    Counts,
    Tally,
    add_tallies,
    find_month,
    tally_from_json,
    tally_to_json,
)

NAMES = ("denial", "regret")
keys = st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["2017-01", "2017-02", UNDATED]))
numbers = st.integers(0, 1000)
counts = st.builds(Counts, numbers, numbers, numbers, st.tuples(numbers, numbers))
tallies = st.builds(Tally, st.just(NAMES), st.dictionaries(keys, counts))


@given(st.lists(tallies, max_size=5), st.randoms(use_true_random=False))
def test_a_corpus_counts_the_same_however_it_is_cut_and_ordered(parts: list[Tally], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    half = len(shuffled) // 2
    nested = add_tallies(NAMES, [add_tallies(NAMES, shuffled[:half]), add_tallies(NAMES, shuffled[half:])])
    assert nested == add_tallies(NAMES, parts)


@given(tallies)
def test_sources_and_months_each_sum_to_the_total(tally: Tally) -> None:
    for folded in (tally.by_source(), tally.by_month()):
        assert sum(folded.values(), tally.empty) == tally.total


@given(tallies)
def test_json_keeps_a_tally(tally: Tally) -> None:
    assert tally_from_json(tally_to_json(tally)) == tally


def test_tallies_of_other_labels_do_not_add_up() -> None:
    with pytest.raises(UsageError, match="different labels"):
        add_tallies(NAMES, [Tally(("denial",))])


def test_too_many_sources_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsacts.tally.MAX_CELLS", 2)
    one = Counts(1, 1, 1, (0, 0))
    total = add_tallies(NAMES, [Tally(NAMES, {(name, "2017-01"): one}) for name in "abcde"])
    assert {source: counts.articles for source, counts in total.by_source().items()} == {
        "a": 1,
        "b": 1,
        OTHER_SOURCES: 3,
    }


@pytest.mark.parametrize(
    ("date", "month"),
    [
        ("2017-12-31", "2017-12"),
        ("2017-12-31T10:00:00Z", "2017-12"),
        ("20171231", "2017-12"),
        ("2017/12/31", "2017-12"),
        ("2017-12", "2017-12"),
        ("December 31, 2017", "2017-12"),
        ("31 Dec 2017", "2017-12"),
        ("Sun, 31 Dec 2017 09:00:00 +0000", "2017-12"),
        ("31/12/2017", "2017-12"),
        ("12/31/2017", "2017-12"),
        ("31.12.2017", "2017-12"),
        ("03/03/2017", "2017-03"),
        ("03/04/2017", UNDATED),
        ("2017-13-01", UNDATED),
        ("2017", UNDATED),
        ("1514764800", UNDATED),
        ("yesterday", UNDATED),
        ("2017-5-3", "2017-05"),
        ("20170503120000", "2017-05"),
        ("3.5.2017", "2017-05"),
        ("0001-01-01", UNDATED),
        ("9999-12-31", UNDATED),
        ("", UNDATED),
        (None, UNDATED),
    ],
)
def test_a_month_is_read_only_where_it_is_certain(date: str | None, month: str) -> None:
    assert find_month(date) == month
