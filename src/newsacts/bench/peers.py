"""What people run today: pipelines, sentence vectors with a logistic head, larger encoders, word lists, n-grams.

Heads of their own decide at probability 0.5. Whatever needs a package that is not installed, or weights that are not on
this machine, is not run and says why; nothing is downloaded.
"""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from newsacts.base_models import find_base_model
from newsacts.baselines.keywords import KeywordClassifier
from newsacts.baselines.linear import LinearBaseline, fit_frozen, fit_on_features, fit_tfidf
from newsacts.bench.setting import BenchSetting, Contender, Judge, NotRun
from newsacts.calibration import BoolArray, FloatArray, compute_probabilities, decide_labels
from newsacts.checkpoint import open_checkpoint
from newsacts.data.loaders import load_examples
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.records import Example
from newsacts.training.dataset import find_data_file

BATCH = 32
_HEAD_AT = 0.5
_SMALLEST = 1e-7
_SIZE_KEYS = ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size")
_SIZES = {"bert-base": (12, 768), "distilbert": (6, 768)}


def open_pipeline(setting: BenchSetting, *, batch: int) -> Judge:
    """transformers' own pipeline on the exported folder; its probabilities are those before calibration."""
    from transformers import pipeline

    from newsacts.backends.network import hush_transformers

    facts = open_checkpoint(setting.model_folder).facts
    with hush_transformers():
        run: Any = pipeline("text-classification", model=setting.plain, device="cpu", top_k=None, truncation=True)

    def judge(texts: Sequence[str]) -> BoolArray:
        answers = run(list(texts), batch_size=batch)
        values = np.array([[_by_name(answer)[name] for name in facts.scheme.names] for answer in answers])
        clipped = np.clip(values, _SMALLEST, 1 - _SMALLEST)
        logits = np.log(clipped) - (0 if facts.scheme.exclusive else np.log1p(-clipped))
        probabilities = compute_probabilities(logits.astype(np.float32), facts.scheme, facts.calibration)
        return decide_labels(probabilities, facts.scheme, facts.calibration)

    return judge


def open_random_bert(setting: BenchSetting, *, layers: int | None, hidden: int | None) -> Judge:
    """A BERT of this size (None: that of the checkpoint) with random weights, in a pipeline: for its speed alone."""
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    from newsacts.backends.network import hush_transformers

    checkpoint = open_checkpoint(setting.model_folder)
    config = checkpoint.load_encoder_config()
    size = {} if layers is None else {"num_hidden_layers": layers}
    if hidden is not None:
        size |= {"hidden_size": hidden, "num_attention_heads": hidden // 64, "intermediate_size": 4 * hidden}
    kept = {"vocab_size": config["vocab_size"], "max_position_embeddings": config["max_position_embeddings"]}
    same = {name: config[name] for name in _SIZE_KEYS}
    labels = dict(enumerate(checkpoint.facts.scheme.names))
    with hush_transformers():
        network = BertForSequenceClassification(BertConfig(**{**same, **kept, **size}, id2label=labels))
        network.train(mode=False)
        specials = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
        tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_file=str(checkpoint.tokenizer_file), model_max_length=checkpoint.facts.max_tokens, **specials
        )
        run: Any = pipeline("text-classification", model=network, tokenizer=tokenizer, device="cpu")
    return lambda texts: _ignore(run(list(texts), batch_size=BATCH, top_k=None, truncation=True))


def open_baseline(setting: BenchSetting, *, fit: Callable[[Sequence[Example], LabelScheme], LinearBaseline]) -> Judge:
    """A linear model that is fitted now to the training file."""
    baseline = fit(_load_train(setting), _scheme(setting))
    return lambda texts: baseline.predict_proba(texts) >= _HEAD_AT


def open_sentence_transformers(setting: BenchSetting) -> Judge:
    """sentence-transformers as its readers use it, on our base model, with a logistic head."""
    _require("sentence_transformers")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(find_base_model().folder), device="cpu", local_files_only=True)

    def embed(texts: Sequence[str]) -> FloatArray:
        return np.asarray(model.encode(list(texts), batch_size=BATCH, show_progress_bar=False), dtype=np.float32)

    return open_baseline(setting, fit=partial(fit_on_features, features=embed))


def open_model2vec(setting: BenchSetting) -> Judge:
    """Static token vectors distilled from our base model, with a logistic head."""
    _require("model2vec")
    from model2vec.distill import distill  # type: ignore[import-not-found]

    model = distill(model_name=str(find_base_model().folder))

    def embed(texts: Sequence[str]) -> FloatArray:
        return np.asarray(model.encode(list(texts)), dtype=np.float32)

    return open_baseline(setting, fit=partial(fit_on_features, features=embed))


def open_fasttext(setting: BenchSetting) -> Judge:
    """fastText, one against all, on words and word pairs."""
    _require("fasttext")
    import fasttext  # type: ignore[import-not-found]

    scheme = _scheme(setting)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        lines = [
            " ".join([*(f"__label__{name}" for name in one.labels or ("none",)), *one.text.lower().split()])
            for one in _load_train(setting)
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        model = fasttext.train_supervised(str(path), loss="ova", wordNgrams=2, epoch=25, verbose=0)

    def judge(texts: Sequence[str]) -> BoolArray:
        found = model.predict([" ".join(text.lower().split()) for text in texts], k=-1, threshold=_HEAD_AT)[0]
        return np.array([[f"__label__{name}" in row for name in scheme.names] for row in found], dtype=np.bool_)

    return judge


def open_setfit(setting: BenchSetting) -> Judge:
    """Never run: what it costs to classify is what sentence vectors with a logistic head cost."""
    _require("setfit")
    raise NotRun("its inference is sentence-transformers with a logistic head, which is measured; we do not train it")


def open_keywords(setting: BenchSetting) -> Judge:
    """The keyword rules that ship with newsacts."""
    if _scheme(setting).names != DEFAULT_SCHEME.names:
        raise NotRun("there are keyword rules for the labels of the codebook only")
    return KeywordClassifier().decide


def _load_train(setting: BenchSetting) -> list[Example]:
    if _scheme(setting).names != DEFAULT_SCHEME.names and setting.train.startswith("corpus:"):
        raise NotRun("no training file for these labels; give --train")
    return load_examples(find_data_file(setting.train), _scheme(setting)).examples


def _scheme(setting: BenchSetting) -> LabelScheme:
    return open_checkpoint(setting.model_folder).facts.scheme


def _require(package: str) -> None:
    if find_spec(package) is None:
        raise NotRun(f"{package} is not installed")


def _by_name(answer: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {part["label"]: part["score"] for part in answer}


def _ignore(_answers: object) -> None:
    """The labels of random weights say nothing."""


PEERS = (
    Contender("pipeline-1", "transformers pipeline, one by one", ours=False, open=partial(open_pipeline, batch=1)),
    Contender("pipeline-32", "transformers pipeline, batch 32", ours=False, open=partial(open_pipeline, batch=BATCH)),
    Contender(
        "pipeline-32-plain",
        "the same encoder as people export it, batch 32 (random weights)",
        ours=False,
        open=partial(open_random_bert, layers=None, hidden=None),
    ),
    *(
        Contender(
            f"{name}-size",
            f"an encoder of {name}'s size in a pipeline, batch 32 (random weights)",
            ours=False,
            open=partial(open_random_bert, layers=layers, hidden=hidden),
        )
        for name, (layers, hidden) in _SIZES.items()
    ),
    Contender(
        "sentence-transformers", "sentence-transformers, logistic head", ours=False, open=open_sentence_transformers
    ),
    Contender(
        "frozen-vectors",
        "frozen MiniLM, sorted batches, logistic head",
        ours=False,
        open=partial(open_baseline, fit=fit_frozen),
    ),
    Contender("tfidf", "TF-IDF, logistic regression", ours=False, open=partial(open_baseline, fit=fit_tfidf)),
    Contender("keywords", "keyword rules", ours=False, open=open_keywords),
    Contender("model2vec", "model2vec, logistic head", ours=False, open=open_model2vec),
    Contender("fasttext", "fastText, words and word pairs", ours=False, open=open_fasttext),
    Contender("setfit", "SetFit", ours=False, open=open_setfit),
)
REFERENCE = "pipeline-32-plain"
"""What the ratios are to. The exported folder (pipeline-32) has one more layer, that averages; this one has not."""
