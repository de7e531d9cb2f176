"""Explanations of real models, and the two commands that show them."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from newsacts import Article, Classifier, UsageError
from newsacts.backends.fake import FakeBackend
from newsacts.calibration import compute_log_odds
from newsacts.checkpoint import Checkpoint
from newsacts.cli import main
from newsacts.data.loaders import load_examples
from newsacts.errors import BackendError
from newsacts.explanation.faithfulness import Faithfulness, measure_faithfulness
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.report.article import explain_acts, render_article
from newsacts.training.dataset import CORPUS_FOLDER
from tests import tiny

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


RunCommand = Callable[..., Done]


@pytest.fixture
def newsacts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """The command line in this process: the models are the same, and the libraries are loaded once."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["newsacts", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        code = left.value.code
        return Done(code if isinstance(code, int) else 0, shown.out, shown.err)

    return run


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.from_pretrained(device="cpu")


def measure_on_corpus(classifier: Classifier, sentences: int) -> Faithfulness:
    """Deletion of the two weightiest words, on the first corpus sentences to which the model gives a label."""
    texts = [example.text for example in load_examples(CORPUS_FOLDER / "sentences.jsonl", DEFAULT_SCHEME).examples]
    texts = texts[: 12 * sentences]
    labels = [prediction.primary for prediction in classifier.predict(texts)]
    chosen = [(text, label) for text, label in zip(texts, labels, strict=True) if label != "none"][:sentences]
    explanations = classifier.explain([text for text, _ in chosen])
    explained = list(zip(explanations, (label for _, label in chosen), strict=True))
    return measure_faithfulness(classifier, explained, deleted=2, draws=5)


def test_deleting_the_words_that_matter_lowers_the_probability_far_more_than_chance(classifier: Classifier) -> None:
    measured = measure_on_corpus(classifier, 20)
    assert measured.sentences == 20
    assert measured.top_fall > 3 * measured.random_fall
    assert measured.wins >= 0.9


@pytest.mark.slow
def test_explanations_are_faithful_over_two_hundred_sentences(classifier: Classifier) -> None:
    measured = measure_on_corpus(classifier, 200)
    assert measured.sentences == 200
    assert measured.top_fall > 3 * measured.random_fall
    assert measured.wins >= 0.9


def test_both_methods_find_the_word_of_the_act(classifier: Classifier) -> None:
    text = "The ministry denied that it had paid the rebels."
    torch_classifier = Classifier.from_pretrained(backend="pytorch", device="cpu", dtype="float32")
    for model, method in ((classifier, "occlusion"), (torch_classifier, "integrated-gradients")):
        (explanation,) = model.explain([text], labels=["denial"], method=method)
        (strongest,) = explanation.rank_words("denial", count=1)
        assert text[strongest.start : strongest.end] == "denied"
        assert explanation.method == method


@pytest.mark.parametrize("exclusive", [False, True])
def test_integrated_gradients_add_up_to_what_they_explain(tmp_path: Path, *, exclusive: bool) -> None:
    """Completeness: all tokens together make the difference between the text and its padding."""
    from tokenizers import Tokenizer

    from newsacts.backends.pytorch import PytorchBackend
    from newsacts.batching import TokenBatch
    from newsacts.explanation.gradients import share_tokens

    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "tiny", scheme=LabelScheme(("a", "b", "c"), exclusive=exclusive))
    facts, backend = checkpoint.facts, PytorchBackend(checkpoint, device="cpu", dtype="float32")
    encoding = Tokenizer.from_file(str(checkpoint.tokenizer_file)).encode("The mayor denied the claim.")
    ids = np.array([encoding.ids, np.where(encoding.special_tokens_mask, encoding.ids, 0)])
    logits = backend.logits(TokenBatch(ids, np.ones_like(ids), np.arange(2)))
    log_odds = compute_log_odds(logits, facts.scheme, facts.calibration)
    for column in range(3):
        shares = share_tokens(encoding, column, facts, backend.network)
        assert shares.sum() == pytest.approx(log_odds[0, column] - log_odds[1, column], abs=0.03)


def test_methods_that_cannot_work_here_are_refused_with_the_way_out(tiny_checkpoint: Checkpoint) -> None:
    fake = Classifier(tiny_checkpoint, FakeBackend(4))
    assert len(fake.explain(["The mayor denied it."])) == 1
    with pytest.raises(BackendError, match=r"got fake; .*occlusion"):
        fake.explain(["x"], method="integrated-gradients")
    with pytest.raises(UsageError, match="expected occlusion or integrated-gradients"):
        fake.explain(["x"], method="attention")
    with pytest.raises(UsageError, match="got one str"):
        fake.explain("The mayor denied it.")
    real = Classifier.from_pretrained(tiny_checkpoint.folder, backend="pytorch", device="cpu")
    with pytest.raises(UsageError, match="longer than the 32 that the model reads"):
        real.explain(["mill " * 40], method="integrated-gradients")


def test_the_reader_marks_only_words_of_sentences_with_an_act(classifier: Classifier) -> None:
    article = Article("a", "The mayor denied the claim. Rain fell on the mill. We deeply regret the delay.")
    sentences = classifier.classify_article(article)
    explanations = explain_acts(classifier, sentences)
    assert sorted(explanations) == [0, 2]
    html = render_article(article, sentences, thresholds=classifier.thresholds, explanations=explanations)
    assert ">denied</span>" in html
    assert ">regret</span>" in html


def test_the_command_prints_rows_with_exact_offsets(newsacts: RunCommand) -> None:
    done = newsacts("explain", "We regret this.", "--format", "jsonl", "--label", "regret", "--label", "denial")
    assert done.code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["regret", "denial"]
    words = [row["text"][word["start"] : word["end"]] for row in rows for word in row["words"]]
    assert words == ["We", "regret", "this"] * 2


def test_the_command_explains_the_likeliest_label_where_none_applies(newsacts: RunCommand) -> None:
    done = newsacts("explain", "Rain is expected.", "The mayor denied it and said he was sorry.")
    assert done.code == 0, done.stderr
    assert "denial" in done.stdout
    assert "denied +" in done.stdout
    assert "Rain is expected." in done.stdout


def test_a_wrong_label_or_blank_sentence_is_wrong_use(newsacts: RunCommand) -> None:
    done = newsacts("explain", "We regret this.", "--label", "regrett")
    assert (done.code, done.stdout) == (2, "")
    assert "did you mean 'regret'" in done.stderr
    assert newsacts("explain", "  ").code == 2


def test_pages_are_written_and_nothing_is_printed(newsacts: RunCommand, tmp_path: Path) -> None:
    why, reader = tmp_path / "why.html", tmp_path / "reader.html"
    done = newsacts("explain", "We <b>regret</b> this.", "--html", why)
    assert (done.code, done.stdout) == (0, "")
    assert str(why) in done.stderr.replace("\n", "")
    assert "&lt;b&gt;regret&lt;/b&gt;" in why.read_text()
    assert "<b>regret" not in why.read_text()
    done = newsacts("article", ROOT / "src/newsacts/examples/article.txt", "--html", reader, "--explain")
    assert (done.code, done.stdout) == (0, "")
    assert 'class="cue label-' in reader.read_text()


def test_a_page_never_goes_over_the_article_and_explain_needs_a_page(newsacts: RunCommand, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text("The mayor denied it.")
    done = newsacts("article", story, "--html", story)
    assert done.code == 2
    assert "one of the articles" in done.stderr.replace("\n", " ")
    assert story.read_text() == "The mayor denied it."
    assert newsacts("article", story, "--explain").code == 2
    assert newsacts("article", story, "--html", tmp_path).code == 2
