"""Sphinx: the pages of this folder, and the API from the docstrings. Builds without a network.

    make docs    # docs/_build/html; a warning, also of a link that leads nowhere, is an error

Left out: inventories of other projects, which would have to be fetched. Their names in type hints carry no link.
"""

import posixpath
import re
from typing import Any

from pygments.lexers.special import TextLexer

import newsacts

project = "newsacts"
author = "The newsacts authors"
copyright = "2026, the newsacts authors"  # noqa: A001 - Sphinx reads this name
version = release = newsacts.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "newsacts"
html_copy_source = False

# Docstrings are plain text with `names` in backticks.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
python_use_unqualified_type_names = True

nitpick_ignore_regex = [(r"py:.*", r"(?!newsacts).*")]

_REPOSITORY = "https://github.com/newsacts/newsacts/blob/main"
# Pages that show a file from outside this folder; links to that file lead to the page.
_SHOWN = {
    "src/newsacts/data/corpus/README.md": "corpus.md",
    "src/newsacts/data/labels/README.md": "labels.md",
    "src/newsacts/checkpoints/default/README.md": "model-card.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
_LINK = re.compile(r"(?<=\]\()(\.\./[^)#\s]+)")
_CODE = re.compile(r"(?<!:):\n\n(?=    \S)")


def setup(app: Any) -> None:
    """What Sphinx calls."""
    app.connect("source-read", lambda _, page, source: source.__setitem__(0, lead_outside(source[0], page)))
    app.connect("autodoc-process-docstring", mark_code)
    app.add_lexer("csv", TextLexer)  # Pygments has none


def lead_outside(text: str, page: str) -> str:
    """Links of a page to files that are no pages lead to the page that shows the file, or to the repository."""
    folder = posixpath.dirname(f"docs/{page}")

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        if target in _SHOWN:
            return posixpath.relpath(f"docs/{_SHOWN[target]}", folder)
        return link[1] if target.startswith("docs/") else f"{_REPOSITORY}/{target}"

    return _LINK.sub(lead, text)


def mark_code(*arguments: Any) -> None:
    """Indented lines behind a colon are code: docstrings here write `:`, reStructuredText wants `::`."""
    lines = arguments[-1]
    lines[:] = _CODE.sub("::\n\n", "\n".join(lines)).replace("|", r"\|").split("\n")
