"""Classify corpora of any size: resumable, in bounded memory, into Parquet, JSONL or CSV.

    from newsacts.bulk import classify_corpus

    result = classify_corpus(["archive/"], "labelled")
    result.tally.total

Imports nothing heavy; pyarrow is loaded when something is read or written that needs it.
"""

from newsacts.bulk.fields import FieldNames
from newsacts.bulk.job import Progress
from newsacts.bulk.manifest import BulkResult
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.run import classify_corpus
from newsacts.bulk.streams import BatchLabeller, iter_articles, iter_corpus

__all__ = [
    "BatchLabeller",
    "BulkResult",
    "BulkSettings",
    "FieldNames",
    "Progress",
    "classify_corpus",
    "iter_articles",
    "iter_corpus",
]
