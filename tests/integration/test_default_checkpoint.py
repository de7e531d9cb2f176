"""The checkpoints in the package: they open offline and are small; the default knows the plain cases."""

import pytest

from newsacts import DEFAULT_SCHEME, Article, Classifier
from newsacts.backends.onnx_graphs import list_shipped
from newsacts.checkpoint import open_checkpoint
from newsacts.classifier import SHIPPED_FOLDER, SHIPPED_NAMES
from newsacts.registers import to_wire

SHIPPED = sorted(path.name for path in SHIPPED_FOLDER.iterdir())
LIMITS = {"default": 12 * 2**20, "fast": 8 * 2**20}
"""Bytes in the package."""

PLAIN: tuple[tuple[str, set[str]], ...] = (
    ("The ministry accused the miners' union of lying about the accident.", {"accusation"}),
    ("Prosecutors charged the former mayor with taking bribes.", {"accusation"}),
    ("The company denied that it had paid the officials.", {"denial"}),
    ("She pleaded not guilty on Monday.", {"denial"}),
    ("We deeply regret what happened and apologise to the families.", {"regret"}),
    ("The airline apologised to passengers for the delay.", {"regret"}),
    ("The European Union imposed sanctions on three generals.", {"sanction"}),
    ("Washington expelled two of the embassy's diplomats.", {"sanction"}),
    ("Parliament will vote on the budget on Thursday.", set()),
    ("The weather service expects rain in the north.", set()),
    ("Shares in the bank rose two percent.", set()),
    ("The talks will resume in March.", set()),
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.from_pretrained(device="cpu")


def test_the_package_holds_the_default_and_nothing_without_a_name() -> None:
    assert "default" in SHIPPED
    assert set(SHIPPED) <= set(SHIPPED_NAMES)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_checkpoint_opens_by_name_is_small_and_of_the_default_scheme(name: str) -> None:
    assert Classifier.from_pretrained(name, device="cpu").scheme == DEFAULT_SCHEME
    files = [path for path in (SHIPPED_FOLDER / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < LIMITS[name]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_activations_are_those_of_the_checkpoint_and_of_the_corpus(name: str) -> None:
    shipped = list_shipped(open_checkpoint(SHIPPED_FOLDER / name))
    found = sorted(f"onnx/{path.name}" for path in (SHIPPED_FOLDER / name / "onnx").iterdir())
    assert sorted(shipped) == found
    assert any(path.startswith("onnx/activations-") for path in shipped)


@pytest.mark.parametrize(("text", "labels"), PLAIN)
def test_plain_cases_are_right_in_prose_and_on_the_wire(classifier: Classifier, text: str, labels: set[str]) -> None:
    for register in (text, to_wire(text)):
        assert set(classifier.predict([register])[0].labels) == labels


ACTS = (
    "We regret this.",
    "We regret the error.",
    "Kyiv accused Moscow of lying.",
    "The ministry denied that it had paid the rebels.",
    "The bank was fined 3 million euros. It said it was deeply sorry.",
    "The bank was fined 3 million euros.",
    "It said it was deeply sorry.",
    *(text for text, labels in PLAIN if labels),
)


def test_the_safe_cascade_keeps_every_plain_act() -> None:
    staged = Classifier.from_pretrained(device="cpu", cascade="safe")
    assert staged.without_cascade().score(ACTS).decided.any(axis=1).all()
    assert staged.find_reached(ACTS).all()


def test_the_cascade_promises_a_level_for_every_label_or_says_what_it_proves() -> None:
    for level, target in (("safe", 0.99), ("fast", 0.97)):
        cascade = Classifier.from_pretrained(device="cpu", cascade=level).cascade
        assert cascade is not None
        assert cascade.measured["bound"] >= target
        for name in DEFAULT_SCHEME.names:
            row = cascade.measured["labels"][name]
            assert row["proven"] == (row["bound"] >= target)
            assert row["proven"] or row["kept"] == row["found"] > 0
        judged = cascade.measured["measured"]["test"]["real_dev.jsonl"]
        assert set(judged["by_label"]) == set(DEFAULT_SCHEME.names)


WIRE = (
    "port arn ( norden press ) - the fishing union accused the harbour board of hiding a leak at its fuel depot .",
    "the board denied the charge and said every report had been published .",
    "we regret this .",
    "the ministry has fined the depot s owner 2 million crowns and barred its ships from the bay .",
    "the weather service expects calm seas until friday .",
    "talks between the u.s. and norrmark will go on in january , officials said .",
)
WIRE_LABELS: tuple[set[str], ...] = ({"accusation"}, {"denial"}, {"regret"}, {"sanction"}, set(), set())


@pytest.mark.parametrize("joint", ["\n", " "], ids=["a sentence a line", "one line"])
def test_wire_copy_gets_its_sentences_and_labels_however_its_lines_break(classifier: Classifier, joint: str) -> None:
    labelled = classifier.classify_article(Article("wire", joint.join(WIRE)))
    assert [item.sentence.text for item in labelled] == list(WIRE)
    assert [set(item.prediction.labels) for item in labelled] == list(WIRE_LABELS)


def test_it_tells_where_it_comes_from_and_how_good_it_is(classifier: Classifier) -> None:
    facts = classifier.checkpoint.facts
    assert facts.codebook == "1.3"
    assert facts.scores["dev"]["macro_f1"] > 0.75
    assert set(facts.training["config"]["data"]["dev"]).isdisjoint(facts.training["config"]["data"]["train"])


def test_exporting_it_to_plain_transformers_keeps_its_probabilities(
    classifier: Classifier, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from newsacts.training.export import PARITY_LIMIT, export_transformers

    folder = tmp_path_factory.mktemp("export") / "plain"
    parity = export_transformers(classifier.checkpoint, folder, texts=[text for text, _ in PLAIN])
    assert parity.largest_difference < PARITY_LIMIT
