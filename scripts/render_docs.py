"""Write every figure in the prose from the result files, and every command page from the command itself.

    python scripts/render_docs.py            # rewrite what stands between the markers
    python scripts/render_docs.py --check    # fail where a page is not what its sources say

A marked place looks like `<!-- figures: default -->` … `<!-- end -->`, in YAML behind `# `; the name chooses a renderer
in one of the modules of `rendering/`, each of which names its pages too.
"""

import difflib
import re
import sys
from collections.abc import Callable

from rendering import (
    benchmarks,
    calibration,
    commands,
    corpus,
    crosswalk,
    errors,
    explanations,
    guides,
    labels,
    leaks,
    recipes,
    review,
    scale,
    shipped,
    speed,
)
from rendering.results import ROOT

MODULES = (
    benchmarks,
    calibration,
    commands,
    corpus,
    crosswalk,
    errors,
    explanations,
    guides,
    labels,
    leaks,
    recipes,
    review,
    scale,
    shipped,
    speed,
)
PAGES = tuple(dict.fromkeys(page for module in MODULES for page in module.PAGES))
_PLACE = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?((?:# )?<!-- end -->)", re.DOTALL)


def main() -> None:
    """Rewrite or check all pages."""
    renderers = gather_renderers()
    stale = []
    for name in PAGES:
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = _PLACE.sub(lambda place: place[1] + renderers[place[2]]() + "\n" + place[3], before)
        if before == after:
            continue
        if "--check" in sys.argv:
            stale.append(name)
            sys.stderr.writelines(difflib.unified_diff(_split(before), _split(after), name, name))
        else:
            path.write_text(after, encoding="utf-8")
            print(f"rewrote {name}")
    if stale:
        sys.exit(f"not in step with their sources: {', '.join(stale)}; run: python scripts/render_docs.py")


def gather_renderers() -> dict[str, Callable[[], str]]:
    """The renderers of all modules by name; each name belongs to one module."""
    renderers: dict[str, Callable[[], str]] = {}
    for module in MODULES:
        if twice := renderers.keys() & module.RENDERERS.keys():
            sys.exit(f"{module.__name__} and another module both render {', '.join(sorted(twice))}")
        renderers |= module.RENDERERS
    return renderers


def _split(text: str) -> list[str]:
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    main()
