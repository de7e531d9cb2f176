"""The ONNX backend: agrees with PyTorch, is built once, is chosen where it is right, and loads no torch."""

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsacts import BackendError, Classifier, LabelScheme, ModelError, UsageError
from newsacts.backends import onnx_graphs
from newsacts.backends.onnx_graphs import FOLDER, load_graph, make_key, ship_activations
from newsacts.backends.onnx_session import choose_int8
from newsacts.backends.quantization import FULL_STEPS, REDUCED_STEPS
from newsacts.backends.written_sentences import digest_sentences, read_sentences
from newsacts.checkpoint import CONFIG, WEIGHTS, Checkpoint, open_checkpoint, write_checkpoint
from newsacts.errors import DataError
from newsacts.training.export_onnx import PARITY_FILE, export_onnx, measure_int8_parity
from tests import tiny
from tests.tiny import SENTENCES

TEXTS = [text for text, _ in SENTENCES]
SPEED_PAGE = (Path(__file__).parents[2] / "docs" / "speed.md").read_text(encoding="utf-8")


def open_with(checkpoint: Checkpoint, **options: str) -> Classifier:
    return Classifier.from_pretrained(checkpoint.folder, **options)


def change_config(checkpoint: Checkpoint, folder: Path, **changes: object) -> Checkpoint:
    """The same weights under another encoder configuration."""
    texts = {"config.json": json.dumps(checkpoint.load_encoder_config() | changes)}
    texts["tokenizer.json"] = checkpoint.tokenizer_file.read_text()
    return write_checkpoint(folder, checkpoint.facts, weights=checkpoint.load_weights(), texts=texts)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("NEWSACTS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / FOLDER


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean_max", "attention"])
def test_float32_equals_pytorch_and_int8_comes_near_for_every_pooling(pooling: str, tmp_path: Path) -> None:
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "checkpoint", pooling=pooling)
    exact = open_with(checkpoint, backend="pytorch", device="cpu", dtype="float32").predict_logits(TEXTS)
    assert open_with(checkpoint, backend="onnx", dtype="float32").predict_logits(TEXTS) == pytest.approx(
        exact, abs=1e-4
    )
    near = open_with(checkpoint, dtype="int8").predict_logits(TEXTS)
    assert not np.array_equal(near, exact)
    assert np.abs(near - exact).mean() < 0.1 * exact.std()


def test_weights_of_seven_bits_come_near_too(tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    full = open_with(tiny_checkpoint, dtype="int8").predict_logits(TEXTS)
    monkeypatch.setattr("newsacts.backends.onnx_session._DOT_PRODUCTS", ())
    monkeypatch.setattr("newsacts.backends.onnx_session.platform.machine", lambda: "x86_64")
    assert "no VNNI" in open_with(tiny_checkpoint, backend="onnx").choices["dtype"].reason
    assert open_with(tiny_checkpoint, backend="onnx").choices["dtype"].value == "float32"
    reduced = open_with(tiny_checkpoint, backend="onnx", dtype="int8")
    assert reduced.choices["dtype"].value == "int8-reduced"
    assert np.abs(reduced.predict_logits(TEXTS) - full).mean() < 0.15 * full.std()


def test_a_graph_is_built_once(tiny_checkpoint: Checkpoint, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, origin = load_graph(tiny_checkpoint, steps=FULL_STEPS)
    assert origin.startswith("built now")
    monkeypatch.setattr(Checkpoint, "load_weights", lambda _: pytest.fail("the weights were read again"))
    again, origin = load_graph(tiny_checkpoint, steps=FULL_STEPS)
    assert again == first
    assert origin == f"cached in {cache}"


def test_a_damaged_graph_is_built_anew(
    tiny_checkpoint: Checkpoint, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = load_graph(tiny_checkpoint, steps=FULL_STEPS)
    (path,) = cache.glob("*.onnx")
    tiny.change_byte(path, position=1000)
    again, origin = load_graph(tiny_checkpoint, steps=FULL_STEPS)
    assert again == first
    assert origin.startswith("built now")
    assert "damaged" in caplog.text
    assert path.read_bytes() == first


def test_without_a_cache_the_graph_is_built_and_the_choice_says_so(
    tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("NEWSACTS_CACHE", str(tmp_path / "file"))
    choice = open_with(tiny_checkpoint, dtype="int8").choices["graph"]
    assert choice.reason == "built now, and at every start: no cache can be written"


def test_another_checkpoint_precision_or_builder_has_another_graph(
    tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tiny.write_tiny_checkpoint(tmp_path / "other", pooling="cls")
    keys = {make_key(tiny_checkpoint, "int8-127"), make_key(other, "int8-127"), make_key(tiny_checkpoint, "int8-63")}
    changed = Checkpoint(
        tiny_checkpoint.folder, tiny_checkpoint.facts, dict(tiny_checkpoint.files) | {WEIGHTS: "0", CONFIG: "0"}
    )
    keys.add(make_key(changed, "int8-127"))
    monkeypatch.setattr(onnx_graphs, "BUILDER", onnx_graphs.BUILDER + 1)
    keys.add(make_key(tiny_checkpoint, "int8-127"))
    assert len(keys) == 5


def test_other_sentences_to_measure_give_another_graph(
    tiny_checkpoint: Checkpoint, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = load_graph(tiny_checkpoint, steps=FULL_STEPS)
    corpus = tiny.write_labelled(tmp_path / "sentences.jsonl", copies=20)
    monkeypatch.setattr("newsacts.backends.activations.read_sentences", partial(read_sentences, corpus=corpus))
    monkeypatch.setattr(onnx_graphs, "digest_sentences", partial(digest_sentences, corpus))
    other, origin = load_graph(tiny_checkpoint, steps=FULL_STEPS)
    assert origin.startswith("built now")
    assert other != first
    assert len(list(cache.glob("activations-*.json"))) == 2
    monkeypatch.undo()
    monkeypatch.setenv("NEWSACTS_CACHE", str(cache.parent))
    assert load_graph(tiny_checkpoint, steps=FULL_STEPS) == (first, f"cached in {cache}")


def test_other_activations_give_another_key(tiny_checkpoint: Checkpoint) -> None:
    assert make_key(tiny_checkpoint, "int8-127", made_from="a") != make_key(tiny_checkpoint, "int8-127", made_from="b")


def test_many_openers_at_once_get_the_same_graph(tiny_checkpoint: Checkpoint, cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        graphs = {graph for graph, _ in pool.map(lambda _: load_graph(tiny_checkpoint, steps=FULL_STEPS), range(6))}
    assert len(graphs) == 1
    assert {path.suffix for path in cache.iterdir()} == {".onnx", ".json", ".safetensors"}
    assert len(list(cache.iterdir())) == 4


def test_shipped_activations_spare_the_measuring(
    tiny_checkpoint: Checkpoint, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Classifier.from_pretrained(tiny_checkpoint.folder).save_pretrained(tmp_path / "copy")
    ship_activations(tiny_checkpoint, folder)
    expected, _ = load_graph(tiny_checkpoint, steps=REDUCED_STEPS)
    for path in cache.iterdir():
        path.unlink()
    monkeypatch.setattr("newsacts.backends.activations.read_sentences", lambda: pytest.fail("measured again"))
    assert load_graph(open_checkpoint(folder), steps=REDUCED_STEPS)[0] == expected


def test_auto_on_a_cpu_is_onnx_in_int8_where_that_is_exact_and_says_why(tiny_checkpoint: Checkpoint) -> None:
    choices = open_with(tiny_checkpoint, device="cpu").choices
    assert choices["backend"].value == "onnx"
    assert choices["dtype"].value == ("int8" if choose_int8()[0] == FULL_STEPS else "float32")
    assert all(choice.value and choice.reason for choice in choices.values())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_precision_that_was_asked_for_makes_auto_pytorch(dtype: str, tiny_checkpoint: Checkpoint) -> None:
    choices = open_with(tiny_checkpoint, device="cpu", dtype=dtype).choices
    assert (choices["backend"].value, choices["dtype"].value) == ("pytorch", dtype)
    assert dtype in choices["backend"].reason


def test_an_encoder_without_a_graph_is_run_by_pytorch_and_refused_for_onnx(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    other = change_config(tiny_checkpoint, tmp_path / "other", hidden_act="relu")
    choice = open_with(other, device="cpu").choices["backend"]
    assert choice.value == "pytorch"
    assert "hidden_act 'gelu', this one has 'relu'" in choice.reason
    with pytest.raises(BackendError, match="backend 'onnx' was asked for"):
        open_with(other, backend="onnx")
    with pytest.raises(BackendError, match="dtype 'int8' was asked for"):
        open_with(other, dtype="int8")
    with pytest.raises(UsageError, match="cannot be exported to onnx-int8"):
        export_onnx(other, tmp_path / "out")


def test_what_onnx_cannot_do_is_refused(tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="device 'cuda' is not the CPU"):
        open_with(tiny_checkpoint, backend="onnx", device="cuda")
    with pytest.raises(UsageError, match="expected one of auto, int8, float32"):
        open_with(tiny_checkpoint, backend="onnx", dtype="bfloat16")
    monkeypatch.setattr("newsacts.backends.selection.find_spec", lambda _: None)
    with pytest.raises(BackendError, match="pip install onnxruntime"):
        open_with(tiny_checkpoint, backend="onnx")
    assert "not installed" in open_with(tiny_checkpoint, device="cpu").choices["backend"].reason


def test_a_gpu_makes_auto_pytorch(tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsacts.backends.selection.find_gpu", lambda: "a GPU")
    assert "a GPU" in open_with(tiny_checkpoint).choices["backend"].reason
    assert open_with(tiny_checkpoint, device="cpu").choices["backend"].value == "onnx"


def test_onnx_loads_neither_torch_nor_transformers(tiny_checkpoint: Checkpoint) -> None:
    """Neither with a cached graph nor while it builds one."""
    heavy = ("torch", "transformers", "sklearn", "scipy", "pandas", "pyarrow", "datasets", "huggingface_hub")
    code = (
        "import sys; from newsacts.cli import app; sys.argv = ['newsacts', 'classify', 'The bank denied.', '--model', "
        f"{str(tiny_checkpoint.folder)!r}]; app(standalone_mode=False); "
        f"print([name for name in {heavy} if name in sys.modules], 'onnxruntime' in sys.modules, 'onnx' in sys.modules)"
    )
    for built in (True, False):
        environment = os.environ | {"OMP_NUM_THREADS": "1", "NEWSACTS_CACHE": os.environ["NEWSACTS_CACHE"] + "-light"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.splitlines()[-1] == f"[] True {built}"


def test_an_export_holds_the_graph_and_what_it_costs(
    tiny_checkpoint: Checkpoint, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parity = export_onnx(tiny_checkpoint, tmp_path / "out", force=True)
    noted = json.loads((tmp_path / "out" / PARITY_FILE).read_text())
    assert noted["sentences"] == parity.sentences > 500
    assert noted["flipped_sentences"] == parity.flipped_sentences
    assert 0 < noted["largest_difference"] < 0.5
    assert noted["macro_f1"] is not None
    expected = open_with(tiny_checkpoint, dtype="int8").predict_logits(TEXTS)
    monkeypatch.setenv("NEWSACTS_CACHE", str(tmp_path / "no cache"))
    served = Classifier.from_pretrained(tmp_path / "out", dtype="int8")
    assert served.choices["graph"].reason == "shipped with the checkpoint"
    assert np.array_equal(served.predict_logits(TEXTS), expected)
    assert not (tmp_path / "no cache").exists()


def test_an_export_that_changes_too_many_labels_is_refused_unless_forced(
    tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsacts.training.export_onnx.FLIP_LIMIT", -1.0)
    with pytest.raises(ModelError, match="--force"):
        export_onnx(tiny_checkpoint, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="new or empty folder"):
        export_onnx(tiny_checkpoint, tiny_checkpoint.folder, force=True)


def test_other_labels_are_compared_without_a_score(tmp_path: Path) -> None:
    scheme = LabelScheme(("sport", "politics"), exclusive=True)
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "checkpoint", scheme=scheme)
    parity = export_onnx(checkpoint, tmp_path / "out", force=True)
    assert parity.macro_f1 is None
    with pytest.raises(DataError, match="no sentence to compare"):
        measure_int8_parity(checkpoint, [])


@pytest.mark.parametrize("command", ["classify --verbose", "export --format onnx-int8"])
def test_the_commands_of_the_speed_page_run(
    command: str, tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they stand, but for the model; random weights may change more labels than an export allows."""
    from typer.testing import CliRunner

    from newsacts.cli import app

    (line,) = [line for line in SPEED_PAGE.splitlines() if line.startswith(f"newsacts {command}")]
    options = ["--model", str(tiny_checkpoint.folder), *(["--force"] if command.startswith("export") else [])]
    monkeypatch.chdir(tmp_path)
    tiny.write_labelled(tmp_path / "dev.jsonl")
    done = CliRunner().invoke(app, [*shlex.split(line)[1:], *options])
    assert done.exit_code == 0, done.output


def test_the_command_exports_and_says_what_it_costs(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from newsacts.cli import app

    data = tiny.write_labelled(tmp_path / "data.jsonl")
    command: list[Any] = ["export", "--model", tiny_checkpoint.folder, "--output", tmp_path / "out", "--data", data]
    done = CliRunner().invoke(app, [*map(str, command), "--format", "onnx-int8", "--force"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip().endswith("out")
    assert "20 sentences, largest difference" in " ".join(done.stderr.split())
    assert json.loads((tmp_path / "out" / PARITY_FILE).read_text())["sentences"] == len(TEXTS)
    refused = CliRunner().invoke(app, [*map(str, command[:-2]), "--force"])
    assert isinstance(refused.exception, UsageError)
