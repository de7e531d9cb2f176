"""The data of a run: what is read, dropped, counted and refused."""

import json
from pathlib import Path

import pytest

from newsacts import Classifier, DataError
from newsacts.training.run import train
from newsacts.training.trainer import NewsactsTrainer
from tests.integration.training_runs import make_config, run


def test_repeated_sentences_are_dropped_and_counted(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"epochs": 0.2})
    dev = Path(config.data.dev[0])
    extra = tmp_path / "extra.jsonl"
    first = json.loads(dev.read_text().splitlines()[0])["text"]
    rows = [{"text": first.upper(), "labels": [], "id": "x"}, {"text": "A new one.", "labels": [], "id": "y"},
            {"text": "a NEW one", "labels": [], "id": "z"}]  # fmt: skip
    extra.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"train": [*config.data.train, str(extra)], "dev": [str(dev)]}
    facts = run(make_config(tiny_base, tmp_path, data=data, optimization={"epochs": 0.2})).facts
    assert facts.training["data"]["dropped"] == {"stands in dev": 1, "repeats a training sentence": 1}


def test_the_written_corpus_is_named_and_not_searched_for(tiny_base: Path, tmp_path: Path) -> None:
    dev = make_config(tiny_base, tmp_path).data.dev
    config = make_config(tiny_base, tmp_path, data={"train": ["corpus:seed"], "dev": list(dev)})
    facts = run(
        config.model_copy(update={"optimization": config.optimization.model_copy(update={"epochs": 0.05})})
    ).facts
    assert facts.training["data"]["train"]["sentences"] == 640
    with pytest.raises(DataError, match="expected one of hard_cases, seed, sentences"):
        train(
            make_config(
                tiny_base,
                tmp_path,
                data={"train": ["corpus:nothing"], "dev": list(dev)},
                output={"folder": str(tmp_path / "other")},
            ),
            quiet=True,
        )


def test_rows_of_other_splits_are_left_out_and_counted(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path)
    held = tmp_path / "held.jsonl"
    held.write_text(
        '{"text": "Held out.", "labels": [], "split": "test"}\n{"text": "In.", "labels": [], "split": "train"}\n'
    )
    data = {"train": [*config.data.train, str(held)], "dev": list(config.data.dev)}
    facts = run(make_config(tiny_base, tmp_path, data=data, optimization={"epochs": 0.2})).facts
    assert facts.training["data"]["of_other_splits"] == 1
    assert facts.training["data"]["train"]["sentences"] == 61


def test_rejected_rows_are_written_beside_the_run(tiny_base: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "Fine.", "labels": []}\n{"text": "Odd.", "labels": ["praise"]}\n')
    config = make_config(tiny_base, tmp_path)
    data = {"train": [*config.data.train, str(bad)], "dev": list(config.data.dev), "on_error": "skip"}
    checkpoint = run(make_config(tiny_base, tmp_path, data=data, optimization={"epochs": 0.2}))
    assert checkpoint.facts.training["data"]["rejects"] == 1
    rejects = (tmp_path / "out.training" / "rejects.jsonl").read_text()
    assert "praise" in rejects


def test_soft_targets_teach_what_no_label_does(tiny_base: Path, tmp_path: Path) -> None:
    soft = tmp_path / "soft.jsonl"
    rows = []
    for number in range(60):
        probabilities = {"accusation": 0.02, "denial": 0.02, "regret": 0.97 if number % 2 else 0.02, "sanction": 0.02}
        text = f"The committee {'regrets' if number % 2 else 'opened'} {'mill ' * (number % 7)}{number}."
        rows.append({"text": text, "probabilities": probabilities})
    soft.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = make_config(
        tiny_base,
        tmp_path,
        data={"soft": [str(soft)]},
        model={"freeze_embeddings": False},
        optimization={"epochs": 25},
    )
    checkpoint = run(config)
    assert checkpoint.facts.training["data"]["soft"]["sentences"] == 60
    assert str(soft) in checkpoint.facts.training["data"]["files"]
    classifier = Classifier.from_pretrained(checkpoint.folder, device="cpu")
    regrets, opened = classifier.predict_logits(["The committee regrets 99.", "The committee opened 99."])[:, 2]
    assert regrets > opened + 1


@pytest.mark.parametrize("named", [True, False])
def test_dev_sentences_of_one_article_are_refused_before_training(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.setattr(NewsactsTrainer, "train", lambda *_, **__: pytest.fail("training began"))
    file = tmp_path / "few.jsonl"
    groups = ["one"] * 3 if named else ["one", "two", "three"]
    rows = [{"text": f"Rain fell {n}.", "labels": [], "group": group} for n, group in enumerate(groups)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"dev": [str(file)]} if named else {"train": [str(file)], "dev": [], "dev_fraction": 0.3}
    way = "a group column" if named else r"raise data.dev_fraction \(0.3\)"
    with pytest.raises(DataError, match=f"of 1 article, expected at least 2 .*{way}"):
        train(make_config(tiny_base, tmp_path, data=data), quiet=True)
