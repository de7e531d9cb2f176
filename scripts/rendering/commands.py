"""The help of every command, as the command prints it."""

from collections.abc import Callable
from typing import Any


def render_commands() -> str:
    """The help of every command, as the command prints it."""
    import typer
    from typer.testing import CliRunner

    from newsacts.cli import app

    pages = []
    for names in [[], *list_commands(typer.main.get_command(app))]:
        shown = CliRunner().invoke(app, [*names, "--help"], env={"TERM": "dumb", "COLUMNS": "100", "NO_COLOR": "1"})
        body = "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())
        pages.append(f"## {' '.join(['newsacts', *names])}\n\n```text\n{body}\n```\n")
    return "\n".join(pages)


def list_commands(group: Any) -> list[list[str]]:
    """Names of all commands, those of groups behind the name of their group."""
    found = []
    for name, command in sorted(getattr(group, "commands", {}).items()):
        inner = list_commands(command)
        found += [[name, *names] for names in inner] if inner else [[name]]
    return found


RENDERERS: dict[str, Callable[[], str]] = {
    "commands": render_commands,
}
PAGES = ("docs/cli.md",)
