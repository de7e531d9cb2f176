"""newsacts: which sentences of the news accuse, deny, regret or sanction.

    from newsacts import Article, Classifier

    classifier = Classifier.from_pretrained()
    classifier.predict(["We regret this."])[0].labels      # ('regret',)

Importing this package loads no heavy library; opening a checkpoint loads onnxruntime (on a CPU) or torch.
"""

from newsacts.classifier import Classifier
from newsacts.errors import BackendError, ConfigError, DataError, ModelError, NewsactsError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.records import Article, Example, LabelledSentence, Prediction, Sentence
from newsacts.segmentation import split_sentences

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_SCHEME",
    "Article",
    "BackendError",
    "Classifier",
    "ConfigError",
    "DataError",
    "Example",
    "LabelScheme",
    "LabelledSentence",
    "ModelError",
    "NewsactsError",
    "Prediction",
    "Sentence",
    "UsageError",
    "split_sentences",
]
