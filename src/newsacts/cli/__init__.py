"""The command line: parse, call one function, print. Data on standard output, messages on standard error.

Exit codes: 0 done, 1 finished with rejects under --strict, 2 wrong use, 3 bad input or model. Heavy packages
are loaded inside the commands, so that `newsacts --help` answers at once.
"""

from typing import Annotated

import typer

from newsacts.cli.article import article
from newsacts.cli.bench import bench
from newsacts.cli.bulk import bulk
from newsacts.cli.cascade import cascade_app
from newsacts.cli.classify import classify
from newsacts.cli.data import data_app
from newsacts.cli.evaluate import evaluate
from newsacts.cli.explain import explain
from newsacts.cli.export import export
from newsacts.cli.output import fail
from newsacts.cli.report import report
from newsacts.cli.review import review_app
from newsacts.cli.train import train
from newsacts.errors import ConfigError, NewsactsError, UsageError

WRONG_USE, BAD_INPUT = 2, 3

app = typer.Typer(
    name="newsacts",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Label the sentences of news as accusation, denial, regret or sanction, with calibrated probabilities.",
    epilog="Try: newsacts classify 'The ministry denied that it had paid the rebels.'",
)
for command in (classify, article, explain, bulk, report, train, evaluate, export, bench):
    app.command()(command)
app.add_typer(review_app, name="review")
app.add_typer(cascade_app, name="cascade")
app.add_typer(data_app, name="data")


@app.callback()
def set_up(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Label the sentences of news as accusation, denial, regret or sanction, with calibrated probabilities."""
    if version:
        from importlib.metadata import version as find_version

        typer.echo(f"newsacts {find_version('newsacts')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; errors of newsacts become one line on standard error and an exit code."""
    try:
        app()
    except (UsageError, ConfigError) as error:
        fail(str(error), code=WRONG_USE)
    except NewsactsError as error:
        fail(str(error), code=BAD_INPUT)
