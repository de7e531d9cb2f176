"""Claims about what a user sees first: the public names, and that nothing heavy is loaded for them."""

import subprocess
import sys
import time
from pathlib import Path

import newsacts

PUBLIC = {
    "DEFAULT_SCHEME", "Article", "BackendError", "Classifier", "ConfigError", "DataError", "Example",
    "LabelScheme", "LabelledSentence", "ModelError", "NewsactsError", "Prediction", "Sentence", "UsageError",
    "split_sentences",
}  # fmt: skip
HEAVY = ("torch", "transformers", "onnxruntime", "ray", "datasets", "sklearn", "pandas", "scipy", "peft")


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_all_lists_the_public_names() -> None:
    assert set(newsacts.__all__) == PUBLIC
    assert all(hasattr(newsacts, name) for name in newsacts.__all__)


def test_importing_newsacts_loads_nothing_heavy() -> None:
    loaded = run_python(f"import sys, newsacts; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_the_command_line_parser_loads_nothing_heavy() -> None:
    loaded = run_python(f"import sys, newsacts.cli; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_help_answers_in_half_a_second() -> None:
    command = [str(Path(sys.executable).with_name("newsacts")), "--help"]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


def test_every_error_is_a_newsacts_error() -> None:
    from newsacts import errors

    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(kind, newsacts.NewsactsError) for kind in kinds)
    assert len(kinds) == 8
