"""Claims about the spaCy component."""

from pathlib import Path
from typing import Any

import pytest

from newsacts import Classifier, UsageError
from newsacts.checkpoint import Checkpoint

spacy = pytest.importorskip("spacy")

TEXT = "The mayor denied the claim. We regret the delay. Rain fell on the mill."


@pytest.fixture(scope="module")
def nlp(tiny_checkpoint: Checkpoint) -> Any:
    import newsacts.interop.spacy_component  # noqa: F401 - registers the factory

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("newsacts", config={"model": str(tiny_checkpoint.folder), "device": "cpu"})
    return pipeline


def test_each_sentence_says_what_the_classifier_says(nlp: Any, tiny_checkpoint: Checkpoint) -> None:
    doc = nlp(TEXT)
    sentences = list(doc.sents)
    predictions = Classifier.from_pretrained(tiny_checkpoint.folder, device="cpu").predict(
        [sentence.text for sentence in sentences]
    )
    assert len(sentences) == 3
    for sentence, prediction in zip(sentences, predictions, strict=True):
        assert sentence._.newsacts["labels"] == list(prediction.labels)
        assert sentence._.newsacts["primary"] == prediction.primary
        assert sentence._.newsacts["probabilities"] == pytest.approx(dict(prediction.probabilities), abs=1e-6)


def test_spans_hold_one_entry_a_label(nlp: Any) -> None:
    doc = nlp(TEXT)
    expected = [(sentence.start, name) for sentence in doc.sents for name in sentence._.newsacts["labels"]]
    assert expected
    assert [(span.start, span.label_) for span in doc.spans["newsacts"]] == expected


def test_many_documents_are_labelled_as_one_by_one(nlp: Any) -> None:
    texts = [TEXT, "", "We regret the delay."]
    piped = list(nlp.pipe(texts, batch_size=2))
    for doc, text in zip(piped, texts, strict=True):
        alone = nlp(text)
        assert [span.label_ for span in doc.spans["newsacts"]] == [span.label_ for span in alone.spans["newsacts"]]


def test_a_document_keeps_its_labels_on_its_way_to_disk(nlp: Any) -> None:
    from spacy.tokens import Doc

    doc = nlp(TEXT)
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert [sentence._.newsacts for sentence in again.sents] == [sentence._.newsacts for sentence in doc.sents]
    assert len(again.spans["newsacts"]) == len(doc.spans["newsacts"])


def test_a_pipeline_with_the_component_can_be_stored(nlp: Any, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "pipeline")
    again = spacy.load(tmp_path / "pipeline")
    first, second = nlp(TEXT), again(TEXT)
    assert [s._.newsacts["labels"] for s in first.sents] == [s._.newsacts["labels"] for s in second.sents]


def test_a_document_without_sentences_is_refused_in_words(tiny_checkpoint: Checkpoint) -> None:
    import newsacts.interop.spacy_component  # noqa: F401 - registers the factory

    pipeline = spacy.blank("en")
    pipeline.add_pipe("newsacts", config={"model": str(tiny_checkpoint.folder), "device": "cpu"})
    with pytest.raises(UsageError, match="sentencizer"):
        pipeline("We regret the delay.")
