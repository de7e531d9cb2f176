"""How common a label is, and what that does to its probability: correction for another prior, and its estimate.

Holds under label shift: the sentences of a label look the same in both corpora, only their share differs (the
class-conditional densities do not change). Where the corpora differ in other ways too, the correction helps less or
harms: check it on some labelled sentences.

Pure functions on numpy arrays. `Classifier.with_prior` and `Classifier.estimate_prior` are the way in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from newsacts.calibration import Calibration, FloatArray
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

Prior = npt.NDArray[np.float64]

_TOLERANCE = 1e-7
_ROUNDS = 10_000
_EDGES = (0, 1)
_AT_ONCE = 200_000
"""Expectation maximisation runs on so many sentences at most, evenly drawn: more would not change the third digit."""


def shift_prior(
    calibration: Calibration, prior: Sequence[float], *, exclusive: bool, names: Sequence[str] | None = None
) -> Calibration:
    """The calibration whose probabilities hold where labels are as common as `prior` says (shares, scheme order).

    The odds of a label are multiplied by the odds of its new prior over those of the old one (Elkan 2001, theorem 2;
    Saerens, Latinne and Decaestecker 2002, equation 4); of exclusive labels, each probability by the ratio of the
    priors, and the sum is one again. A label whose share is the old one is left as it is, also where that is 0 or 1.
    Thresholds stay as numbers and so apply to the corrected probability. Raises `UsageError` where the calibration does
    not know its own prior, or a changed share is not between 0 and 1, before or after; it calls labels by `names`.
    """
    fitted = calibration.prevalence
    if fitted is None:
        raise UsageError(
            "this model does not say how common each label was where its probabilities were fitted; give that as "
            "fitted_at={label: share}, or train anew"
        )
    old, new = np.asarray(fitted, dtype=np.float64), np.asarray(prior, dtype=np.float64)
    changed = old != new
    check_prior(new[changed].tolist(), exclusive=False)
    _check_fitted(fitted, changed.tolist(), names)
    if exclusive:
        _check_sum(prior)
        _check_sum(fitted)
    rescale = np.log if exclusive else find_log_odds
    intercepts = np.asarray(calibration.intercepts, dtype=np.float64)
    intercepts[changed] += rescale(new[changed]) - rescale(old[changed])
    suffix = ", kept under another prior"
    policy = calibration.policy if not changed.any() else calibration.policy.removesuffix(suffix) + suffix
    return replace(calibration, intercepts=tuple(intercepts.tolist()), prevalence=tuple(new.tolist()), policy=policy)


def correct_probabilities(
    probabilities: FloatArray, old: Sequence[float], new: Sequence[float], *, exclusive: bool
) -> npt.NDArray[np.float64]:
    """Probabilities (n, k) that were right under the prior `old`, made right under `new`; equal shares change none."""
    before, after = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    values = probabilities.astype(np.float64)
    same = before == after
    yes = values * np.divide(after, before, out=np.ones_like(before), where=~same)
    no = (1 - values) * np.divide(1 - after, 1 - before, out=np.ones_like(before), where=~same)
    rest = yes.sum(axis=1, keepdims=True) if exclusive else yes + no
    return np.asarray(yes / np.maximum(rest, np.finfo(np.float64).tiny))


def estimate_prior(
    probabilities: FloatArray, fitted_at: Sequence[float], *, exclusive: bool = False
) -> tuple[float, ...]:
    """How common each label is in an unlabelled corpus, from its probabilities (n, k).

    Expectation maximisation (Saerens, Latinne and Decaestecker 2002): correct the probabilities for the prior so far,
    take their mean as the next one, until it stands still. `fitted_at` are the shares at which the probabilities are
    calibrated. It takes calibrated probabilities and label shift; a few hundred sentences at least. An estimate is
    kept inside [1 / (10 n), 1 - 1 / (10 n)], since a share of exactly 0 could not be used as a prior. A label that
    `fitted_at` says is in no sentence, or in each, keeps that share: its probabilities say nothing of another. Raises
    `UsageError` for no sentence.
    """
    if not len(probabilities):
        raise UsageError("a prior cannot be estimated from no sentence; give some hundred at least")
    fitted = np.asarray(fitted_at, dtype=np.float64)
    known = (fitted > 0) & (fitted < 1)
    check_prior([share for share in fitted_at if share not in _EDGES], exclusive=False)
    if exclusive:
        _check_sum(fitted_at)
    size = len(probabilities)
    if size > _AT_ONCE:
        probabilities = probabilities[np.linspace(0, size - 1, _AT_ONCE).astype(np.int64)]
    margin = 1 / (10 * len(probabilities))
    prior = fitted
    for _ in range(_ROUNDS):
        corrected = correct_probabilities(probabilities, fitted_at, prior.tolist(), exclusive=exclusive)
        following = np.clip(corrected.mean(axis=0), margin, 1 - margin)
        following = following / following[known].sum() if exclusive and known.any() else following
        following = np.where(known, following, fitted)
        moved = float(np.abs(following - prior).max())
        prior = following
        if moved < _TOLERANCE:
            break
    else:
        raise UsageError(f"the estimate of the prior did not settle in {_ROUNDS:,} rounds; give more sentences")
    return tuple(prior.tolist())


def fill_shares(given: Mapping[str, float], scheme: LabelScheme, known: Sequence[float] | None) -> tuple[float, ...]:
    """Shares of all labels in scheme order: those given, and the known ones for the rest. Raises `UsageError`."""
    columns = {scheme.index(name): float(share) for name, share in given.items()}
    missing = [name for column, name in enumerate(scheme.names) if column not in columns]
    if missing and known is None:
        raise UsageError(
            f"this model does not say how common each label was where it was calibrated; give fitted_at with a share "
            f"of each label (missing: {', '.join(missing)}), or train anew"
        )
    return tuple(
        columns[column] if known is None else columns.get(column, known[column]) for column in range(len(scheme))
    )


def check_prior(prior: Sequence[float], *, exclusive: bool) -> None:
    """Raises `UsageError` where a share is not strictly between 0 and 1, or exclusive shares do not add up to 1."""
    for share in prior:
        if not 0 < share < 1:
            raise UsageError(f"a prior of {share!r} cannot be used; expected a share between 0 and 1, like 0.02")
    if exclusive:
        _check_sum(prior)


def _check_sum(shares: Sequence[float]) -> None:
    if abs(sum(shares) - 1) > 1e-3:  # noqa: PLR2004 - shares typed by hand are rounded
        raise UsageError(f"the shares of exclusive labels must add up to 1, got {sum(shares):g}")


def _check_fitted(fitted: Sequence[float], changed: Sequence[bool], names: Sequence[str] | None) -> None:
    for column, share in enumerate(fitted):
        if changed[column] and not 0 < share < 1:
            name = f"label {column + 1}" if names is None else names[column]
            held = "none" if share == 0 else "all" if share == 1 else f"a share of {share!r}"
            raise UsageError(
                f"the share of {name} cannot be changed: {held} of the sentences that its probabilities were fitted on "
                f"carried it; leave it out, or give the share where they hold as fitted_at={{{name!r}: share}}"
            )


def find_log_odds(shares: Prior) -> Prior:
    """log(p / (1 - p))."""
    return np.asarray(np.log(shares) - np.log1p(-shares))
