"""Splits leak nothing, keep their shares, and depend on the seed and the set of examples alone."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsacts.data.splits import (
    check_splits,
    deduplicate,
    find_label_conflicts,
    normalise_text,
    split_examples,
)
from newsacts.errors import DataError, UsageError
from newsacts.records import Example

FRACTIONS = {"train": 0.7, "dev": 0.2, "test": 0.1}
LABELS = ("accusation", "denial", "regret", "sanction")


def make(identifier: str, text: str, group: str, *labels: str, split: str | None = None) -> Example:
    return Example(identifier, text, labels, group, split)


LOOSE = [make(f"loose {number}", f"Row {number}", f"loose {number}") for number in range(40)]
"""Examples that hang together with nothing, so that no split stays empty however tangled the rest is."""


@st.composite
def tangled_examples(draw: st.DrawFn) -> list[Example]:
    """Examples of few groups and few texts, so that groups and texts chain into larger bundles."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 30), st.integers(0, 30), st.lists(st.sampled_from(LABELS), unique=True)),
            min_size=1,
            max_size=40,
        )
    )
    tangled = [
        make(str(number), f"The board met {text} times" + "." * (number % 3), f"g{group}", *labels)
        for number, (text, group, labels) in enumerate(rows)
    ]
    return tangled + LOOSE


def split(examples: list[Example], seed: int = 1) -> list[Example]:
    return split_examples(examples, fractions=FRACTIONS, seed=seed)


def large_set(seed: int) -> list[Example]:
    """4,000 examples in groups of 1 to 9, some texts in several groups, labels as rare as 1 in 100."""
    source = random.Random(seed)
    examples: list[Example] = []
    for group in range(800):
        for _ in range(source.randint(1, 9)):
            labels = [
                name for name, share in zip(LABELS, (0.2, 0.07, 0.01, 0.04), strict=True) if source.random() < share
            ]
            text = f"Delegate {source.randrange(30_000)} spoke."
            examples.append(make(str(len(examples)), text, str(group), *labels))
    return examples


class TestNormaliseText:
    @pytest.mark.parametrize(
        ("prose", "wire"),
        [
            ("“We regret this,” Ms. Holm said.", "we regret this , ms. holm said ."),
            ("OSLO (Wire) \u2013 The board's chair left…", "oslo ( wire ) - the board s chair left ..."),
            ("The board\u2019s aide didn\u2019t know.", "the board 's aide did n't know ."),
            ("The board's aide didn't know.", "the board s aide didn t know ."),
            ("He ``left'' at 5 p.m.", 'he " left " at 5 p.m .'),
            ("A co\u00adoperative\u200b deal", "a cooperative deal"),
            ("The ﬁne was \uff15\uff10 crowns", "the fine was 50 crowns"),
            ("Cafe\u0301 STRASSE", "café straße"),
            ("Two\u00a0 words\t\nhere", "two words here"),
            ("Hawai\u02bbi\u02bcs port", "hawai'i's port"),
        ],
    )
    def test_wire_copy_and_prose_of_a_sentence_collide(self, prose: str, wire: str) -> None:
        assert normalise_text(prose) == normalise_text(wire)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("The board met.", "The boards met."),
            ("?", "!"),
            ("...", "-"),
            ("50 crowns", "5 crowns"),
            ("हाँ", "हूँ"),
        ],
    )
    def test_different_sentences_stay_apart(self, one: str, other: str) -> None:
        assert normalise_text(one) != normalise_text(other)

    @given(st.text())
    def test_normalising_twice_changes_nothing(self, text: str) -> None:
        assert normalise_text(normalise_text(text)) == normalise_text(text)

    @given(st.text().filter(lambda text: bool(text.strip())))
    def test_a_text_never_becomes_empty(self, text: str) -> None:
        assert normalise_text(text)


class TestSplitExamples:
    @given(tangled_examples(), st.integers(0, 5))
    def test_no_group_is_cut_and_no_text_stands_in_two_splits(self, examples: list[Example], seed: int) -> None:
        result = split(examples, seed)
        for key in (lambda one: one.group, lambda one: normalise_text(one.text)):
            pairs = {(key(one), one.split) for one in result}
            assert len(pairs) == len({name for name, _ in pairs})
        check_splits(result)

    @given(tangled_examples(), st.randoms(use_true_random=False))
    def test_order_of_the_input_does_not_matter(self, examples: list[Example], source: random.Random) -> None:
        shuffled = source.sample(examples, len(examples))
        expected = {one.id: one.split for one in split(examples)}
        assert {one.id: one.split for one in split(shuffled)} == expected

    @given(tangled_examples())
    def test_only_the_split_is_changed_and_the_order_kept(self, examples: list[Example]) -> None:
        result = split(examples)
        assert [(s.id, s.text, s.labels, s.group) for s in result] == [
            (e.id, e.text, e.labels, e.group) for e in examples
        ]
        assert {one.split for one in result} == set(FRACTIONS)

    def test_examples_chained_by_group_and_text_stay_together(self) -> None:
        chain = [
            make("1", "A b.", "x"),
            make("2", "a  b", "y"),
            make("3", "C d.", "y"),
            make("4", "c, d", "z"),
        ]
        rest = [make(f"r{number}", f"Row {number}", f"r{number}") for number in range(40)]
        assert len({one.split for one in split_examples(chain + rest, fractions=FRACTIONS, seed=0)[:4]}) == 1

    def test_seed_fixes_the_result_and_another_seed_changes_it(self) -> None:
        examples = large_set(0)
        first, again, other = (
            [one.split for one in split_examples(examples, fractions=FRACTIONS, seed=seed)] for seed in (1, 1, 2)
        )
        assert first == again
        assert sum(a != b for a, b in zip(first, other, strict=True)) > len(examples) / 5

    @settings(max_examples=5, deadline=None)
    @given(st.integers(0, 1000))
    def test_rows_and_labels_are_shared_out_as_asked(self, seed: int) -> None:
        examples = large_set(seed)
        result = split(examples, seed)
        rows = Counter(one.split for one in result)
        totals = Counter(label for one in result for label in one.labels)
        held = Counter((one.split, label) for one in result for label in one.labels)
        for name, share in FRACTIONS.items():
            assert rows[name] / len(examples) == pytest.approx(share, abs=0.01)
            for label, total in totals.items():
                assert abs(held[name, label] - share * total) <= max(2, 0.02 * total)

    def test_earlier_splits_are_overwritten(self) -> None:
        examples = [make(str(number), f"Row {number}", str(number), split="old") for number in range(20)]
        assert {one.split for one in split_examples(examples, fractions=FRACTIONS, seed=0)} == set(FRACTIONS)

    def test_split_that_would_stay_empty_is_refused(self) -> None:
        examples = [make(str(number), f"Row {number}", "one article") for number in range(50)]
        with pytest.raises(DataError, match="would stay empty: 50 examples in 1 bundles"):
            split_examples(examples, fractions=FRACTIONS, seed=0)

    @pytest.mark.parametrize(
        "fractions",
        [
            {},
            {"train": 0.5},
            {"train": 1.0, "dev": 0.1},
            {"train": 1.5, "dev": -0.5},
            {"train": 1.0, "dev": 0.0},
            {"train": float("nan")},
        ],
    )
    def test_unusable_fractions_are_refused(self, fractions: dict[str, float]) -> None:
        with pytest.raises(UsageError, match="fraction"):
            split_examples([make("1", "A", "a")], fractions=fractions, seed=0)


class TestCheckSplits:
    def test_text_in_two_splits_is_named_with_ids_and_splits(self) -> None:
        leak = [
            make("t1", "The “board” met.", "a", split="train"),
            make("d1", "the board met", "b", split="dev"),
        ]
        with pytest.raises(DataError, match="same text: id 'd1' in 'dev' and id 't1' in 'train'"):
            check_splits(leak)

    def test_group_in_two_splits_is_named(self) -> None:
        leak = [make("t1", "The board met.", "a", split="train"), make("d1", "It left.", "a", split="dev")]
        with pytest.raises(DataError, match="group 'a': id 'd1' in 'dev' and id 't1' in 'train'"):
            check_splits(leak)

    def test_many_leaks_are_counted_and_not_all_listed(self) -> None:
        rows = [make(f"{name}{n}", f"Row {n}", f"{name}{n}", split=name) for n in range(9) for name in ("a", "b")]
        with pytest.raises(DataError, match=r"^9 leaks .* and 4 more"):
            check_splits(rows)

    def test_repeats_inside_one_split_and_rows_without_a_split_are_no_leak(self) -> None:
        rows = [
            make("1", "Row", "a", split="train"),
            make("2", "Row", "a", split="train"),
            make("3", "Row", "a"),
        ]
        check_splits(rows)


class TestDeduplicate:
    @given(tangled_examples())
    def test_every_text_is_kept_once_first_come_and_nothing_is_lost(self, examples: list[Example]) -> None:
        kept, dropped = deduplicate(examples)
        keys = [normalise_text(one.text) for one in examples]
        assert kept == [one for place, one in enumerate(examples) if keys.index(keys[place]) == place]
        assert sorted(one.id for one in kept + dropped) == sorted(one.id for one in examples)

    def test_label_conflicts_pair_the_kept_with_the_dropped(self) -> None:
        first = make("1", "The board met.", "a", "denial", "regret")
        same = make("2", "the board met", "b", "regret", "denial")
        other = make("3", "“The board met”", "c", "denial")
        assert find_label_conflicts(*deduplicate([first, same, other])) == [(first, other)]
