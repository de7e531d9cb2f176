"""Claims about label schemes."""

import pytest

from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme


def test_default_scheme_is_the_codebook_in_declared_order() -> None:
    assert DEFAULT_SCHEME.names == ("accusation", "denial", "regret", "sanction")
    assert not DEFAULT_SCHEME.exclusive


@pytest.mark.parametrize("names", [(), ("a", "a"), ("",), (" a",), ("a|b",), ("none",)])
def test_names_that_cannot_be_written_to_a_file_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        LabelScheme(names)


def test_an_unknown_label_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'sanction'"):
        DEFAULT_SCHEME.index("sanctions")


def test_arrange_keeps_the_given_order_and_drops_repeats() -> None:
    assert DEFAULT_SCHEME.arrange(["sanction", "accusation", "sanction"]) == ("sanction", "accusation")


@pytest.mark.parametrize("labels", [[], ["a", "b"]])
def test_exclusive_schemes_want_exactly_one_label(labels: list[str]) -> None:
    with pytest.raises(UsageError, match="exactly one"):
        LabelScheme(("a", "b"), exclusive=True).arrange(labels)


def test_an_exclusive_scheme_of_one_label_is_no_choice() -> None:
    with pytest.raises(UsageError, match="at least two"):
        LabelScheme(("a",), exclusive=True)
