"""The classifier: texts in, predictions out, same length, same order.

Opens a checkpoint, picks a runtime and says why. Holds no state but the loaded model, so one instance can
be used for any number of calls.
"""

import logging
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from newsacts.backends.base import Backend, Choice
from newsacts.backends.onnx_graphs import list_shipped
from newsacts.backends.selection import check_backend_name, open_backend
from newsacts.base_models import HUB_PREFIX, fetch_from_hub
from newsacts.batching import DEFAULT_TOKEN_BUDGET, WindowTokenizer
from newsacts.calibration import BoolArray, Calibration, FloatArray, compute_probabilities, set_thresholds
from newsacts.cascade import OFF, Cascade, check_level, list_cascade_files, open_cascade
from newsacts.checkpoint import MANIFEST, Checkpoint, open_checkpoint, write_manifest
from newsacts.errors import ModelError, UsageError
from newsacts.explanation import Explanation, occlude_words
from newsacts.labels import LabelScheme
from newsacts.operating_points import Measure, OperatingCurves, OperatingPoint, describe_wish, find_points, move_curve
from newsacts.priors import estimate_prior, fill_shares, shift_prior
from newsacts.records import Article, LabelledSentence, Prediction
from newsacts.scoring import Scored, TextScorer, apply_calibration, check_texts, list_predictions
from newsacts.segmentation import split_sentences

SHIPPED_FOLDER = Path(__file__).parent / "checkpoints"
SHIPPED_NAMES = ("default", "fast")
"""Checkpoints inside the package; "fast" has fewer layers (docs/speed.md)."""

DEFAULT_CHECKPOINT = SHIPPED_FOLDER / "default"
"""The checkpoint that is taken where none is named."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_logger = logging.getLogger("newsacts")


class Classifier:
    """Labels sentences by a trained checkpoint. Make one with `Classifier.from_pretrained`."""

    def __init__(self, checkpoint: Checkpoint, backend: Backend, *, cascade: Cascade | None = None) -> None:
        self.checkpoint = checkpoint
        tokenizer = WindowTokenizer(checkpoint.tokenizer_file, max_tokens=checkpoint.facts.max_tokens)
        self._scorer = TextScorer(tokenizer, backend, len(checkpoint.facts.scheme), cascade)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path | None = None,
        *,
        backend: str = "auto",
        device: str = "auto",
        dtype: str = "auto",
        cascade: str = OFF,
    ) -> "Classifier":
        """Open the shipped default (None), the shipped "fast", a checkpoint folder, or a hub id ("owner/name").

        `backend` is auto, pytorch or onnx; `device` auto, cpu, cuda, cuda:1 or mps; `dtype` auto, float32, bfloat16,
        float16 or int8. "auto" picks what is best here and gives its reason in `choices`; anything else is used or
        refused. Asking for dtype float32 gives the numbers that the calibration was fitted on.
        `cascade` is off, safe or fast: a tiny first stage spares the model sentences without a label (docs/speed.md).
        Only a hub id touches the network. Raises `ModelError` (or its kinds) and `UsageError`.
        """
        check_backend_name(backend)
        check_level(cascade)
        checkpoint = open_checkpoint(find_checkpoint_folder(source))
        opened = open_cascade(checkpoint, cascade)
        runtime = open_backend(checkpoint, backend=backend, device=device, dtype=dtype)
        classifier = cls(checkpoint, runtime, cascade=opened)
        for name, choice in classifier.choices.items():
            _logger.info("%s: %s (%s)", name, choice.value, choice.reason)
        return classifier

    @property
    def scheme(self) -> LabelScheme:
        """The labels, in column order."""
        return self.checkpoint.facts.scheme

    @property
    def calibration(self) -> Calibration:
        """What turns logits into probabilities and decides, in scheme order."""
        return self.checkpoint.facts.calibration

    @property
    def thresholds(self) -> dict[str, float]:
        """From which probability on each label applies; empty for exclusive labels, where the highest wins."""
        return {} if self.scheme.exclusive else dict(zip(self.scheme.names, self.calibration.thresholds, strict=True))

    @property
    def choices(self) -> dict[str, Choice]:
        """What was chosen to run the model, and why."""
        cascade, choices = self.cascade, self._scorer.backend.choices
        if cascade is None:
            return choices
        measured = cascade.measured
        reason = f"asked for; keeps at least {measured['bound']:.1%} of what the model labels in held-out text"
        doubt = cascade.explain_doubt(self.calibration)
        reason += "" if doubt is None else f", but that says nothing here: {doubt}"
        return {**choices, "cascade": Choice(cascade.name, reason)}

    @property
    def cascade(self) -> Cascade | None:
        """The first stage that decides which texts the model reads; None where it reads all."""
        return self._scorer.cascade

    def without_cascade(self) -> "Classifier":
        """The same loaded model that reads every text."""
        other = copy(self)
        other._scorer = replace(self._scorer, cascade=None)
        return other

    def with_calibration(self, calibration: Calibration) -> "Classifier":
        """The same loaded model that decides by another calibration; this one stays as it is.

        Stored operating points hold for the probabilities they were measured on: other lines leave them behind.
        """
        if len(calibration.slopes) != len(self.scheme):
            raise UsageError(f"expected a calibration of {len(self.scheme)} labels, got {len(calibration.slopes)}")
        known = self.calibration
        same = (calibration.slopes, calibration.intercepts) == (known.slopes, known.intercepts)
        return self._change_facts(calibration, self.checkpoint.facts.curves if same else None)

    def with_thresholds(self, thresholds: Mapping[str, float]) -> "Classifier":
        """A classifier that gives a label from this probability on; labels that are not named keep theirs.

        Raises `UsageError` for an unknown label, a threshold outside 0 to 1, or an exclusive scheme.
        """
        return self.with_calibration(set_thresholds(self.calibration, self.scheme, thresholds))

    def with_operating_point(
        self,
        measure: Measure,
        target: float | None = None,
        *,
        labels: Sequence[str] | None = None,
        nearest: bool = False,
    ) -> "Classifier":
        """A classifier whose thresholds reach a precision or recall on the development sentences: ("precision", 0.9).

        ("f1") asks for the best F1. All labels, or those named. After `with_prior` the point is that of the new prior.
        A label that the development sentences did not hold has no point: it keeps its threshold, and a warning says so.
        Raises `UsageError` naming each label that does not reach it, or with `nearest` gives it the point where the
        measure is highest; `find_operating_points` has the figures.
        """
        points = self.find_operating_points(measure, target, labels=labels, nearest=nearest)
        if labels is None:
            self._warn_of_unseen([name not in points for name in self.scheme.names], "threshold")
        halved = {name: point.f1 / 2 if measure == "f1" else point.threshold for name, point in points.items()}
        policy = describe_wish(points, measure, target)
        if len(points) < len(self.scheme):
            policy = f"{policy} for {', '.join(points)}; {self.calibration.policy} for the rest"
        return self.with_calibration(replace(self.with_thresholds(halved).calibration, policy=policy))

    def find_operating_points(
        self,
        measure: Measure,
        target: float | None = None,
        *,
        labels: Sequence[str] | None = None,
        nearest: bool = False,
    ) -> dict[str, OperatingPoint]:
        """By label, the point of the stored curve that `with_operating_point` would use, with its intervals.

        Labels without a curve are left out, unless they are named: then, or where none has one, that is a `UsageError`.
        """
        curves, prevalence = self.checkpoint.facts.curves, self.calibration.prevalence
        if self.scheme.exclusive:
            raise UsageError("exclusive labels have no thresholds: the most probable label wins; no point to choose")
        if curves is None:
            raise UsageError(
                "this checkpoint stores no operating points (it was written before they were, or for other "
                "probabilities); give thresholds yourself, by with_thresholds in Python, or train anew"
            )
        columns = {name: self.scheme.index(name) for name in (self.scheme.names if labels is None else labels)}
        if labels is None and any(curve is not None for curve in curves.labels):
            columns = {name: column for name, column in columns.items() if curves.labels[column] is not None}
        known = {name: curves.labels[column] for name, column in columns.items()}
        moved = {
            name: curve if curve is None or prevalence is None else move_curve(curve, prevalence[columns[name]])
            for name, curve in known.items()
        }
        return find_points(moved, measure, target, nearest=nearest)

    def with_prior(self, prior: Mapping[str, float], *, fitted_at: Mapping[str, float] | None = None) -> "Classifier":
        """A classifier for a corpus where labels are as common as `prior` says, e.g. {"accusation": 0.02}.

        Multiplies the odds of each named label by those of the new share over the share among the development
        sentences (Saerens, Latinne and Decaestecker 2002); the others stay as they are. Thresholds keep their numbers
        and apply to the corrected probability. `fitted_at` is for checkpoints that do not say how common labels were,
        or labels that the development sentences did not hold. Raises `UsageError`.
        """
        known = self.calibration
        if fitted_at is not None:
            known = replace(known, prevalence=tuple(fill_shares(fitted_at, self.scheme, known.prevalence)))
        shares = fill_shares(prior, self.scheme, known.prevalence)
        shifted = shift_prior(known, shares, exclusive=self.scheme.exclusive, names=self.scheme.names)
        return self._change_facts(shifted, self.checkpoint.facts.curves)

    def estimate_prior(self, texts: Iterable[str]) -> dict[str, float]:
        """How common each label is among unlabelled texts, for `with_prior`; see `priors.estimate_prior`.

        A label that was in none of the development sentences, or in all, keeps that share, and a warning says so.
        """
        fitted = fill_shares({}, self.scheme, self.calibration.prevalence)
        self._warn_of_unseen([share in {0, 1} for share in fitted], "share")
        shares = estimate_prior(self.predict_proba(texts), fitted, exclusive=self.scheme.exclusive)
        return dict(zip(self.scheme.names, shares, strict=True))

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One prediction a text, in the order of `texts`; `[]` for `[]`. Each text is judged as one unit."""
        return list_predictions(self.score(texts), self.scheme, staged=self.cascade is not None)

    def score(self, texts: Iterable[str]) -> Scored:
        """Probabilities and decisions as arrays, and which texts the full model read."""
        logits, reached = self._scorer.compute_logits(check_texts(texts))
        return apply_calibration(logits, reached, self.scheme, self.calibration)

    def find_reached(self, texts: Iterable[str]) -> BoolArray:
        """Which texts the full model would read, bool (n,): runs the first stage alone; all without a cascade."""
        return self._scorer.find_reached(check_texts(texts))

    def predict_proba(self, texts: Iterable[str]) -> FloatArray:
        """Calibrated probabilities, float32 (n, k), columns in scheme order."""
        return compute_probabilities(self.predict_logits(texts), self.scheme, self.calibration)

    def predict_logits(self, texts: Iterable[str], *, token_budget: int = DEFAULT_TOKEN_BUDGET) -> FloatArray:
        """Logits before calibration, float32 (n, k). A text longer than the model reads is read in
        overlapping windows, and each label gets the highest of its windows."""
        return self._scorer.compute_logits(check_texts(texts), token_budget=token_budget)[0]

    def count_windows(self, text: str) -> int:
        """How many overlapping windows the model needs to read a text; 1 for all but very long sentences."""
        return len(self._scorer.tokenizer.tokenize([text]).ids)

    def classify_article(self, article: Article) -> list[LabelledSentence]:
        """Split an article into sentences and label each. An article without text gives `[]`."""
        sentences = split_sentences(article.text, article_id=article.id)
        predictions = self.predict([sentence.text for sentence in sentences])
        return [LabelledSentence(*pair) for pair in zip(sentences, predictions, strict=True)]

    def explain(
        self, texts: Iterable[str], *, labels: Iterable[str] | None = None, method: str = "occlusion"
    ) -> list[Explanation]:
        """Which words carried each label: one explanation a text, in order, for `labels` or for all.

        "occlusion" deletes one word at a time, with any backend; "integrated-gradients" reads the PyTorch model from
        inside and needs captum (`pip install 'newsacts[explain]'`). Raises `UsageError` and `BackendError`.
        """
        checked = check_texts(texts)
        if method == "occlusion":
            # The estimates of a first stage would explain the first stage.
            return occlude_words(self.without_cascade(), checked, labels=labels)
        if method == "integrated-gradients":
            from newsacts.explanation.gradients import integrate_gradients  # heavy: loads torch and captum

            return integrate_gradients(self.checkpoint, self._scorer.backend, checked, labels=labels)
        raise UsageError(f"method {method!r} is unknown; expected occlusion or integrated-gradients")

    def save_pretrained(self, folder: str | Path) -> Path:
        """Copy the checkpoint, with `onnx/` and `cascade/` if it has them, to a new or empty folder; verify it there.

        Byte for byte, but for newsacts.json where thresholds or prior were changed: then they are saved as they are.
        """
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(f"{target}: expected a new or empty folder to save to, found something there")
        extra = [*list_shipped(self.checkpoint), *list_cascade_files(self.checkpoint)]
        for name in (MANIFEST, *self.checkpoint.files, *extra):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.checkpoint.folder / name, target / name)
        if self.calibration != open_checkpoint(target).facts.calibration:
            write_manifest(target, self.checkpoint.facts, self.checkpoint.files)
        return open_checkpoint(target).folder

    def push_to_hub(self, name: str, *, private: bool = True, token: str | None = None) -> str:
        """Upload what `save_pretrained` saves to the Hugging Face hub as "owner/name"; returns the commit's address."""
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        api.create_repo(name, private=private, exist_ok=True)
        with TemporaryDirectory() as folder:
            commit = api.upload_folder(repo_id=name, folder_path=self.save_pretrained(folder))
        return str(commit.commit_url)

    def _warn_of_unseen(self, unseen: Sequence[bool], kept: str) -> None:
        if names := [name for name, applies in zip(self.scheme.names, unseen, strict=True) if applies]:
            _logger.warning(
                "the development sentences held only one case of %s, which keeps its %s", ", ".join(names), kept
            )

    def _change_facts(self, calibration: Calibration, curves: OperatingCurves | None) -> "Classifier":
        other = copy(self)
        facts = replace(self.checkpoint.facts, calibration=calibration, curves=curves)
        other.checkpoint = replace(self.checkpoint, facts=facts)
        return other


def find_checkpoint_folder(source: str | Path | None) -> Path:
    """The folder of a checkpoint: None is the shipped default; a hub id is downloaded. Raises `ModelError`.

    A `str` of `SHIPPED_NAMES` is that checkpoint of the package, whatever folders are here: "./fast" is a folder.
    """
    if source is None:
        return DEFAULT_CHECKPOINT
    if isinstance(source, str) and source in SHIPPED_NAMES:
        return _find_shipped(source)
    folder = Path(source).expanduser()
    if folder.exists():
        return folder
    name = str(source).removeprefix(HUB_PREFIX)
    # "models/mine" with a folder "models" here is a mistyped path, and no reason to use the network.
    if isinstance(source, str) and _HUB_ID.fullmatch(name) and not folder.parent.is_dir():
        return fetch_from_hub(name)[0]
    raise ModelError(
        f"{source}: no such checkpoint folder; expected a folder, a hub id like 'owner/name', or "
        f"{' or '.join(SHIPPED_NAMES)} from the package"
    )


def _find_shipped(name: str) -> Path:
    if Path(name).exists():
        _logger.warning("%s is taken from the package; write ./%s for the one in this folder", name, name)
    folder = SHIPPED_FOLDER / name
    if not folder.is_dir():
        raise ModelError(
            f"{name}: this installation of newsacts has no such checkpoint, expected it in {folder}; leave the model "
            f"out for the default, or install newsacts anew (in its repository: make {name}-checkpoint)"
        )
    return folder
