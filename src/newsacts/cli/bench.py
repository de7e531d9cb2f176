"""`newsacts bench`: how fast this machine labels sentences, beside what else people run."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from newsacts.cli.options import ModelOption
from newsacts.cli.output import format_figure, tell
from newsacts.errors import UsageError

QUICK = ("pipeline-32", "pipeline-32-plain", "keywords", "newsacts-pytorch-float32", "newsacts-onnx-int8",
         "newsacts-safe", "newsacts-fast", "newsacts-student")  # fmt: skip
_QUICK_SENTENCES, _SENTENCES = 200, 1_500


def bench(
    model: ModelOption = None,
    texts: Annotated[
        str | None, typer.Option("--texts", help="Sentences to time. Default: those of the written corpus.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="Labelled file: macro-F1 beside speed.")] = None,
    train: Annotated[
        str, typer.Option("--train", help="Labelled file for contenders that fit a head of their own.")
    ] = "corpus:sentences",
    only: Annotated[list[str] | None, typer.Option("--only", help="Contender to run; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Rounds in which all take turns.", min=1)] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="A minute: few sentences, few contenders.")] = False,
    output: Annotated[Path | None, typer.Option("--output", help="File to write the figures to, as JSON.")] = None,
) -> None:
    """Time newsacts and its peers side by side on the same sentences, with accuracy, memory and cold start.

    All contenders take turns round by round, and a ratio is the median over rounds. What needs a package that is not
    installed is not run, and says so. Nothing is downloaded.

    Examples:

        newsacts bench --quick

        newsacts bench --texts sentences.jsonl --data dev.jsonl --output speed.json

        newsacts bench --only newsacts-onnx-int8 --only newsacts-safe --only pipeline-32-plain
    """
    from newsacts.bench.run import CONTENDERS, BenchOptions, run_bench
    from newsacts.classifier import find_checkpoint_folder

    names = tuple(only or (QUICK if quick else CONTENDERS))
    folder = find_checkpoint_folder(model)
    chosen = read_sentences(texts, limit=_QUICK_SENTENCES if quick else _SENTENCES)
    options = BenchOptions(
        model=folder,
        texts=chosen,
        train=train,
        data=None if data is None else read_labelled(data, folder),
        names=names,
        rounds=rounds,
        round_seconds=2.0 if quick else 20.0,
        growth=(_QUICK_SENTENCES, 5 * _QUICK_SENTENCES) if quick else (1_000, 100_000),
    )
    result = run_bench(options, tell)
    if output is not None:
        output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        typer.echo(output)
    print_bench(result)


def read_sentences(source: str | None, *, limit: int) -> list[str]:
    """At most `limit` sentences of a file, or of the written corpus, evenly spaced."""
    from newsacts.backends.written_sentences import read_sentences as read_corpus
    from newsacts.bench.timing import pick_evenly
    from newsacts.data.inputs import read_input_texts

    if source is None:
        return pick_evenly(read_corpus(10**9), limit)
    found = [row.text for row in read_input_texts(source, on_error="raise")[0]]
    if not found:
        raise UsageError(f"--texts {source}: expected at least one sentence")
    return pick_evenly(found, limit)


def read_labelled(source: str, folder: Path) -> Any:
    """Labelled sentences in the scheme of a checkpoint."""
    from newsacts.checkpoint import open_checkpoint
    from newsacts.data.loaders import load_examples

    return load_examples(source, open_checkpoint(folder).facts.scheme).examples


def print_bench(result: dict[str, Any]) -> None:
    """Print the figures as a table, fastest last."""
    table = Table(box=None)
    for name in ("contender", "times as fast", "sentences/s", "macro-F1", "peak MB", "cold start s"):
        table.add_column(name, justify="left" if name == "contender" else "right")
    rows = sorted(result["contenders"].items(), key=lambda item: item[1]["sentences_a_second"])
    for name, row in rows:
        table.add_row(
            name,
            "–" if row["ratio"] is None else f"{row['ratio']:.1f}",
            f"{row['sentences_a_second']:,.0f}",
            format_figure(row["macro_f1"]),
            "–" if row["peak_mb"] is None else f"{row['peak_mb']:.0f}",
            "–" if row["cold_start_seconds"] is None else f"{row['cold_start_seconds']:.1f}",
        )
    console = Console()
    console.print(table)
    command, limit = result["command_line"], result["limit"]
    console.print(
        f"newsacts classify, whole process: {command['seconds']:.2f} s, {command['peak_mb']:.0f} MB; the products "
        f"alone would allow {limit['int8_sentences_a_second']:,.0f} sentences/s in int8"
    )
    for name, reason in result["not_run"].items():
        tell(f"not run: {name} ({reason})")
