"""Sentences of a bulk run for people to check: drawn, written to a sheet, and read back.

    from newsacts.review import apply_sheet, draw_for_rates, write_sheet

    write_sheet(draw_for_rates("labelled", size=200), "sheet.csv")
    # … fill the column `labels` …
    review = apply_sheet("labelled", "sheet.csv").review      # for newsacts report --review

A sheet drawn for rates is a random sample whose chances are known, so that it corrects the rates of the whole run. One
drawn for training holds what is most worth labelling next, and says nothing about rates.
"""

from newsacts.review.apply import AppliedSheet, apply_sheet, write_training
from newsacts.review.draw import draw_for_rates, draw_for_training
from newsacts.review.estimates import estimate_rates, read_review, write_review
from newsacts.review.sheet import find_design, write_sheet
from newsacts.review.values import Design, DrawnSentence, Review, Stratum

__all__ = [
    "AppliedSheet",
    "Design",
    "DrawnSentence",
    "Review",
    "Stratum",
    "apply_sheet",
    "draw_for_rates",
    "draw_for_training",
    "estimate_rates",
    "find_design",
    "read_review",
    "write_review",
    "write_sheet",
    "write_training",
]
