"""Claims about training configs."""

import json
from pathlib import Path

import pytest

from newsacts.errors import ConfigError
from newsacts.training.config import load_config, parse_config

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
LEAST = {"name": "least", "data": {"train": ["a.jsonl"]}}
EXCLUSIVE = LEAST | {"scheme": {"names": ["a", "b"], "exclusive": True}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("name: least\ndata:\n  train: [a.jsonl]\noptimization:\n  epochs: 3\n")
    return file


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.name)
def test_every_shipped_config_is_valid_and_says_what_it_costs(config: Path) -> None:
    load_config(config)
    header = config.read_text().split("name:")[0]
    for word in ("command:", "machine:", "time:", "memory:", "score:"):
        assert word in header, f"{config.name} does not state {word}"


def test_there_are_shipped_configs() -> None:
    assert "default.yaml" in [config.name for config in CONFIGS]


def test_the_student_learns_what_the_default_learns() -> None:
    default, fast = (load_config(ROOT / "configs" / f"{name}.yaml") for name in ("default", "fast"))
    assert fast.model.layers == (0, 2, 5)
    assert (fast.data, fast.scheme, fast.model.base) == (default.data, default.scheme, default.model.base)
    assert fast.output.weight_format == default.output.weight_format


def test_an_unknown_key_names_the_nearest(path: Path) -> None:
    path.write_text("name: x\ndata: {train: [a]}\noptimization: {epoch: 2}\n")
    with pytest.raises(ConfigError, match=r"unknown key 'optimization.epoch', did you mean 'epochs'"):
        load_config(path)


def test_an_unknown_key_inside_an_optional_section_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'rank'"):
        parse_config(LEAST | {"model": {"lora": {"ranks": 4}}})


def test_an_unknown_key_that_is_near_to_nothing_lists_all() -> None:
    with pytest.raises(ConfigError, match="expected one of name, seed, scheme"):
        parse_config(LEAST | {"zzz": 1})


def test_overrides_win_and_their_values_are_typed(path: Path) -> None:
    config = load_config(path, ["optimization.epochs=1.5", "model.lora.rank=4", "data.train=[b.csv, c.csv]"])
    assert config.optimization.epochs == 1.5
    assert config.model.lora is not None
    assert config.model.lora.rank == 4
    assert config.data.train == ("b.csv", "c.csv")


@pytest.mark.parametrize("override", ["optimization.epochs", "=2", "name.inner=2", "seed=[1"])
def test_an_override_that_makes_no_sense_is_named(path: Path, override: str) -> None:
    with pytest.raises(ConfigError):
        load_config(path, [override])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "x"}, "data is missing"),
        (LEAST | {"seed": -1}, "seed: "),
        (LEAST | {"optimization": {"epochs": "many"}}, "optimization.epochs"),
        (LEAST | {"scheme": {"names": ["a", "a"]}}, "label names must differ"),
        (LEAST | {"output": {"weight_format": "float4"}}, "delta-int8"),
        (LEAST | {"model": {"pooling": "median"}}, "model.pooling"),
        (LEAST | {"model": {"layers": []}}, "model.layers"),
        (LEAST | {"model": {"layers": [2, 0]}}, r"each once and rising, got \[2, 0\]"),
        (LEAST | {"model": {"layers": [1, 1]}}, r"each once and rising, got \[1, 1\]"),
        (LEAST | {"model": {"layers": [-1, 2]}}, r"from 0 on.*got \[-1, 2\]"),
        (LEAST | {"model": {"layers": 3}}, "model.layers"),
        (LEAST | {"model": {"lora": {}}, "output": {"weight_format": "delta-int8"}}, "delta-low-rank"),
        (LEAST | {"model": {"lora": {}, "freeze_embeddings": False}}, "nothing but its factors is trained"),
        (EXCLUSIVE | {"optimization": {"loss": {"kind": "asymmetric"}}}, "expected cross_entropy or focal"),
        (EXCLUSIVE | {"calibration": {"policy": "precision", "target": 0.9}}, r"policy precision \(target 0.9\)"),
        (EXCLUSIVE | {"calibration": {"target": 0.7}}, "leave policy and target out"),
    ],
)
def test_a_wrong_value_names_its_key(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(values)


def test_a_fault_of_a_section_does_not_show_the_whole_section() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(LEAST | {"model": {"lora": {}, "freeze_embeddings": False}})
    assert "got {" not in str(caught.value)


def test_a_config_as_it_is_recorded_is_read_again() -> None:
    for values in (LEAST, EXCLUSIVE, LEAST | {"model": {"lora": {}}}):
        config = parse_config(values)
        assert parse_config(json.loads(config.model_dump_json())) == config


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: [", "just words"])
def test_a_file_that_is_no_mapping_is_named(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_config(path)


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "nothing.yaml")


def test_a_config_cannot_be_changed_once_read(path: Path) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        load_config(path).seed = 3  # type: ignore[misc]
