"""What can be said of a sentence: a label scheme, and the scheme of the codebook.

The order of `LabelScheme.names` is the order of every column, logit and threshold in the library. It is
declared (in a config, in a checkpoint) and never read off the data. "None of them" is the empty set of
labels and never a label of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from newsacts.errors import UsageError

NO_LABEL = "none"
"""How the absence of every label is written where one word is wanted (`Prediction.primary`)."""


@dataclass(frozen=True, slots=True)
class LabelScheme:
    """The labels of a task, in column order.

    `exclusive` schemes give each sentence exactly one label (softmax); others give any number, also none
    (one sigmoid per label). Raises `UsageError` for an empty, repeated or unusable name.
    """

    names: tuple[str, ...]
    exclusive: bool = False

    def __post_init__(self) -> None:
        if not self.names:
            raise UsageError("a label scheme needs at least one label name, got none")
        for name in self.names:
            if not name or name != name.strip() or "|" in name or name == NO_LABEL:
                raise UsageError(
                    f"label name {name!r} cannot be used: expected a word without '|' or outer spaces, and not "
                    f"{NO_LABEL!r}, which means the absence of labels"
                )
        if len(set(self.names)) != len(self.names):
            raise UsageError(f"label names must differ, got {list(self.names)}")
        if self.exclusive and len(self.names) == 1:
            raise UsageError("an exclusive scheme needs at least two labels to choose from")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Column of a label. Raises `UsageError` naming the nearest label for an unknown one."""
        try:
            return self.names.index(name)
        except ValueError:
            raise UsageError(self.explain_unknown(name)) from None

    def explain_unknown(self, name: str) -> str:
        """Message for a label that is not in the scheme: what was got, expected, and likely meant."""
        near = get_close_matches(name.strip().lower(), self.names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown label {name!r}, expected one of {', '.join(self.names)}{hint}"

    def arrange(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Check labels against the scheme, drop repeats, and keep the given order (primary first)."""
        kept = tuple(dict.fromkeys(labels))
        for name in kept:
            if name not in self.names:
                raise UsageError(self.explain_unknown(name))
        if self.exclusive and len(kept) != 1:
            raise UsageError(f"an exclusive scheme expects exactly one label a sentence, got {list(kept)}")
        return kept


DEFAULT_SCHEME = LabelScheme(("accusation", "denial", "regret", "sanction"))
"""The four acts of the codebook; a sentence may carry several of them, or none."""
