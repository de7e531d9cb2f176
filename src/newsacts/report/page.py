"""The frame that every HTML page of newsacts shares: looks, label colours, escaping, and a lock on the network.

A page is one file. Its template extends `base.html.j2`; the style sheet and the script that stand beside the
template under the same name (`article.html.j2`, `article.css`, `article.js`) are put in by themselves. The
Content-Security-Policy of the page allows exactly those scripts, by hash, and no address at all: a page cannot
load anything, and a script that came in with data would not run. Every value is escaped, a missing one is an error.
Left out: what a page shows. That is the business of `article` and its neighbours.
"""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """How one label looks: a colour for areas and lines, an ink for letters, and a line that needs no colour.

    `color` and `ink` are for light pages, `dark_color` and `dark_ink` for dark ones; the inks keep a contrast of
    4.5 to 1 on the page (WCAG 2 AA). `line` is a CSS text-decoration-style.
    """

    color: str
    ink: str
    dark_color: str
    dark_ink: str
    line: str


LABEL_STYLES = (
    LabelStyle("#d55e00", "#a34700", "#f0803a", "#ff9d5c", "solid"),
    LabelStyle("#0072b2", "#00649c", "#4aa8e0", "#79c2ee", "dashed"),
    LabelStyle("#cc79a7", "#9c4377", "#d98cb7", "#eaa6cb", "dotted"),
    LabelStyle("#009e73", "#006f51", "#2fbf95", "#4fd6ad", "double"),
    LabelStyle("#e69f00", "#835a00", "#e6a817", "#f2be4a", "wavy"),
    LabelStyle("#56b4e9", "#17699b", "#6cc0ee", "#93d2f5", "solid"),
    LabelStyle("#8a8000", "#6b6300", "#e0d34a", "#ebe07a", "dashed"),
    LabelStyle("#767676", "#5c5c5c", "#a3a3a3", "#bdbdbd", "dotted"),
)
"""Colours after Okabe and Ito (2008), told apart with every kind of colour blindness. In CSS, slot i is
`var(--label-i)`, `var(--label-ink-i)` and `var(--label-line-i)`, in the light or dark form that the reader chose."""


@dataclass(frozen=True, slots=True)
class LabelLook:
    """What the page shows for one label: its slot in `LABEL_STYLES` and its badge of one to three letters."""

    name: str
    slot: int
    badge: str


def style_labels(names: Sequence[str]) -> dict[str, LabelLook]:
    """The look of every label of a scheme, in its order.

    The four acts of the default scheme always have the first four slots. Other labels take the slots that are
    free, in order, and begin anew when all are taken; the badges differ also then.
    """
    fixed = {name: slot for slot, name in enumerate(DEFAULT_SCHEME.names) if name in names}
    free = [slot for slot in range(len(LABEL_STYLES)) if slot not in fixed.values()]
    looks: dict[str, LabelLook] = {}
    others = 0
    for name in names:
        if name in fixed:
            slot = fixed[name]
        else:
            slot, others = free[others % len(free)], others + 1
        looks[name] = LabelLook(name, slot, _choose_badge(name, {look.badge for look in looks.values()}))
    return looks


def render_page(template: str, **values: object) -> str:
    """A whole HTML page from a template of `templates/` that extends `base.html.j2`.

    `title` is wanted by every page. Raises `jinja2.UndefinedError` where the template names a value that is not given.
    """
    stem = template.removesuffix(".html.j2")
    scripts = [_read_part(name) for name in ("page.js", f"{stem}.js") if (TEMPLATES / name).exists()]
    styles = [_read_part(name) for name in ("page.css", f"{stem}.css") if (TEMPLATES / name).exists()]
    frame: Mapping[str, object] = {
        "label_styles": LABEL_STYLES,
        "page_scripts": scripts,
        "page_styles": styles,
        "content_policy": write_policy(scripts),
    }
    return _environment().get_template(template).render(**frame, **values)


def write_policy(scripts: Sequence[str]) -> str:
    """The Content-Security-Policy of a page: these inline scripts, inline styles, pictures in the file; no network."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def write_page(path: str | Path, html: str) -> Path:
    """Write a page whole or not at all: aside, flushed to disk, then renamed. Folders are made.

    Raises `UsageError` where the place cannot be written, or the page holds half of a surrogate pair.
    """
    target = Path(path)
    try:
        content = html.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{target}: the page holds half of a surrogate pair at character {error.start}; decode the texts as UTF-8 "
            "with errors='replace' first"
        ) from error
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        # Where the folder itself is at fault, its error is the one to tell.
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return target


def _choose_badge(name: str, taken: set[str]) -> str:
    letters = "".join(character for character in name if character.isalnum()).upper() or "?"
    choices = [letters[:1], *(letters[0] + letter for letter in letters[1:]), letters[:3]]
    choices += [f"{letters[0]}{number}" for number in range(2, len(taken) + 3)]
    return next(choice for choice in choices if choice not in taken)


def _read_part(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def escape_exactly(text: str) -> Markup:
    """Escaped so that the browser's text content is `text`, carriage returns too.

    HTML cannot hold the NUL character: it is shown as its symbol, U+2400.
    """
    return Markup(escape(text.replace("\0", "\N{SYMBOL FOR NULL}")).replace("\r", Markup("&#13;")))  # noqa: S704 - escaped here


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["exactly"] = escape_exactly
    return environment
