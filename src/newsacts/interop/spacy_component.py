"""A spaCy pipeline component: labels the sentences of a document.

    import spacy
    import newsacts.interop.spacy_component
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("newsacts")

Each sentence gets `sentence._.newsacts`, a dictionary of labels, primary and probabilities; `doc.spans["newsacts"]`
holds one span for every label of every sentence. Sentences are spaCy's own. Needs spacy: pip install 'newsacts[spacy]'.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import minibatch

from newsacts.classifier import Classifier
from newsacts.errors import UsageError
from newsacts.records import Prediction

EXTENSION = SPANS = "newsacts"
BATCH_SIZE = 64


@Language.factory(
    "newsacts",
    assigns=["doc.spans", "span._.newsacts"],
    requires=["doc.sents"],
    default_config={"model": None, "device": "auto"},
)
class NewsactsComponent:
    """The component; `model` and `device` as for `Classifier.from_pretrained`. Stored in a pipeline's config."""

    def __init__(self, nlp: Language, name: str, model: str | None, device: str) -> None:
        self.name = name
        self.classifier = Classifier.from_pretrained(model, device=device)
        # Stored with the document rather than computed, so that a document keeps its labels on its way to disk.
        if not Span.has_extension(EXTENSION):
            Span.set_extension(EXTENSION, default=None)

    def __call__(self, doc: Doc) -> Doc:
        """Label one document. Raises `UsageError` where no earlier component has set sentences."""
        self._label([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = BATCH_SIZE) -> Iterator[Doc]:
        """Label many documents, the sentences of a batch together."""
        for docs in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            self._label(docs)
            yield from docs

    def _label(self, docs: Sequence[Doc]) -> None:
        sentences = [sentence for doc in docs for sentence in _find_sentences(doc)]
        predictions = self.classifier.predict([sentence.text for sentence in sentences])
        labelled: dict[int, list[Span]] = {id(doc): [] for doc in docs}
        for sentence, prediction in zip(sentences, predictions, strict=True):
            sentence._.set(EXTENSION, _to_plain(prediction))
            labelled[id(sentence.doc)] += [
                Span(sentence.doc, sentence.start, sentence.end, label=name) for name in prediction.labels
            ]
        for doc in docs:
            doc.spans[SPANS] = SpanGroup(doc, name=SPANS, spans=labelled[id(doc)])


def _find_sentences(doc: Doc) -> list[Span]:
    if len(doc) and not doc.has_annotation("SENT_START"):
        raise UsageError(
            "the document has no sentences; add a component that sets them before newsacts: nlp.add_pipe('sentencizer')"
        )
    return [sentence for sentence in doc.sents if sentence.text.strip()] if len(doc) else []


def _to_plain(prediction: Prediction) -> dict[str, Any]:
    return {
        "labels": list(prediction.labels),
        "primary": prediction.primary,
        "probabilities": dict(prediction.probabilities),
    }
