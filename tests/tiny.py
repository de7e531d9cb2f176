"""A tiny random world for tests: a BERT of two layers, its tokenizer, labelled sentences of our own."""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from newsacts.calibration import identity_calibration
from newsacts.checkpoint import Checkpoint, ModelFacts, write_checkpoint
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.weights import Array

SENTENCES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The minister accused the miners of lying.", ("accusation",)),
    ("Rebels accused the army of burning the mill.", ("accusation",)),
    ("The union accused the bank of theft.", ("accusation",)),
    ("The mayor denied the claim.", ("denial",)),
    ("The army denied that it had burned the mill.", ("denial",)),
    ("The bank denied the theft.", ("denial",)),
    ("We regret the delay.", ("regret",)),
    ("The bank said it was sorry.", ("regret",)),
    ("The mayor regrets the fire.", ("regret",)),
    ("The union called for sanctions on the bank.", ("sanction",)),
    ("New sanctions hit the army.", ("sanction",)),
    ("The league banned the club under sanctions.", ("sanction",)),
    ("The army denied the claim and accused the rebels of lying.", ("denial", "accusation")),
    ("Rain fell on the mill.", ()),
    ("The bank opened a branch.", ()),
    ("The club won the match.", ()),
    ("The mayor met the union.", ()),
    ("The committee will meet in March.", ()),
    ("The mill makes paper.", ()),
    ("The minister flew to Oslo.", ()),
)

HIDDEN, LAYERS, MAX_TOKENS = 16, 2, 32
_WORDS = sorted({word for text, _ in SENTENCES for word in text.lower().replace(".", "").split()})
_LETTERS = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *[f"##{letter}" for letter in _LETTERS]]
VOCABULARY += [word for word in _WORDS if word not in VOCABULARY]


def build_tokenizer() -> Tokenizer:
    """A lower-casing WordPiece tokenizer that knows the words of `SENTENCES` and single letters."""
    ids = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))  # noqa: S106 - a token, no password
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return tokenizer


def build_encoder_config() -> dict[str, object]:
    """Configuration of the tiny BERT."""
    return {
        "model_type": "bert",
        "vocab_size": len(VOCABULARY),
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 48,
        "pad_token_id": 0,
    }


def draw_encoder_weights(seed: int = 0) -> dict[str, Array]:
    """Random weights by the names of BERT, large enough that sentences differ."""
    generator = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        return (0.3 * generator.normal(size=shape)).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": draw(len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": draw(48, HIDDEN),
        "embeddings.token_type_embeddings.weight": draw(2, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        place = f"encoder.layer.{layer}."
        matrices = {
            "attention.self.query": (HIDDEN, HIDDEN),
            "attention.self.key": (HIDDEN, HIDDEN),
            "attention.self.value": (HIDDEN, HIDDEN),
            "attention.output.dense": (HIDDEN, HIDDEN),
            "intermediate.dense": (24, HIDDEN),
            "output.dense": (HIDDEN, 24),
        }
        for name, shape in matrices.items():
            weights[f"{place}{name}.weight"] = draw(*shape)
            weights[f"{place}{name}.bias"] = draw(shape[0])
        norms += [f"{place}attention.output.LayerNorm", f"{place}output.LayerNorm"]
    for norm in norms:
        weights[f"{norm}.weight"] = np.ones(HIDDEN, dtype=np.float32)
        weights[f"{norm}.bias"] = np.zeros(HIDDEN, dtype=np.float32)
    return weights


def write_base(folder: Path) -> Path:
    """A base model folder in Hugging Face layout."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    save_file(draw_encoder_weights(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(build_encoder_config()))
    build_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def write_tiny_checkpoint(folder: Path, *, pooling: str = "mean", scheme: LabelScheme = DEFAULT_SCHEME) -> Checkpoint:
    """A full checkpoint of random weights."""
    generator = np.random.default_rng(1)
    width = 2 * HIDDEN if pooling == "mean_max" else HIDDEN
    weights = {f"encoder.{name}": tensor for name, tensor in draw_encoder_weights().items()}
    weights["head.weight"] = generator.normal(size=(len(scheme), width)).astype(np.float32)
    weights["head.bias"] = generator.normal(size=len(scheme)).astype(np.float32)
    if pooling == "attention":
        weights["pooling.score.weight"] = generator.normal(size=(1, HIDDEN)).astype(np.float32)
        weights["pooling.score.bias"] = np.zeros(1, dtype=np.float32)
    facts = ModelFacts(
        scheme=scheme,
        calibration=identity_calibration(len(scheme)),
        pooling=pooling,
        max_tokens=MAX_TOKENS,
        weight_format="full",
        base_source="random",
        base_revision="0",
        base_sha256="0" * 64,
    )
    texts = {"config.json": json.dumps(build_encoder_config()), "tokenizer.json": build_tokenizer().to_str()}
    return write_checkpoint(folder, facts, weights=weights, texts=texts)


def write_labelled(path: Path, *, copies: int = 1) -> Path:
    """`SENTENCES` as JSONL, each its own article; further copies get a number so that texts differ."""
    lines = []
    for copy in range(copies):
        for number, (text, labels) in enumerate(SENTENCES):
            shown = text if copy == 0 else f"{text} {copy}"
            lines.append(json.dumps({"id": f"{copy}-{number}", "text": shown, "labels": list(labels)}))
    path.write_text("\n".join(lines) + "\n")
    return path


def change_byte(path: Path, *, position: int = -1) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))
