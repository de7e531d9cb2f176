"""The bench behind docs/speed.md: real sentences, gold labels, all contenders; only figures are written, never a text.

    python benchmarks/run.py --articles ../shared/data/articles/reuters_2017.jsonl \
        --data ../shared/data/real_dev.jsonl --train build/labelled.jsonl
    python scripts/plot_speed.py && python scripts/render_docs.py

On 2 cores about 20 minutes; a GPU takes part where there is one. Run it on an idle machine.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from newsacts.bench.run import CONTENDERS, BenchOptions, run_bench
from newsacts.bench.timing import pick_evenly
from newsacts.checkpoint import open_checkpoint
from newsacts.classifier import DEFAULT_CHECKPOINT
from newsacts.data.loaders import load_examples
from newsacts.segmentation import split_sentences

ROOT = Path(__file__).parents[1]


def read_articles(path: Path) -> list[str]:
    """The sentences of a JSONL file of articles."""
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    return [sentence.text for text in texts for sentence in split_sentences(text, article_id="")]


def find_commit() -> str:
    """The commit of the code, with a mark where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Read the arguments, measure, write the file."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEFAULT_CHECKPOINT, help="checkpoint folder")
    parser.add_argument("--articles", type=Path, required=True, help="articles whose sentences are timed, JSONL")
    parser.add_argument("--sentences", type=int, default=1_500, help="how many of them, evenly spaced")
    parser.add_argument("--data", type=Path, required=True, help="labelled sentences for macro-F1")
    parser.add_argument("--train", required=True, help="labelled sentences for contenders that fit a head")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=100_000, help="sentences of the long run")
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), help="contenders to run")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "speed.json")
    arguments = parser.parse_args()
    options = BenchOptions(
        model=arguments.model,
        texts=pick_evenly(read_articles(arguments.articles), arguments.sentences),
        train=arguments.train,
        data=load_examples(str(arguments.data), open_checkpoint(arguments.model).facts.scheme).examples,
        names=arguments.only,
        rounds=arguments.rounds,
        growth=(1_000, arguments.most),
    )
    result = run_bench(options, lambda message: print(message, file=sys.stderr, flush=True))
    facts = {"command": " ".join(["python", "benchmarks/run.py", *sys.argv[1:]]), "commit": find_commit()}
    arguments.output.write_text(json.dumps(facts | result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
