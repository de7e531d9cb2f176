"""Classify corpora of any size: resumable, in bounded memory, into Parquet, JSONL or CSV.

    from newsacts.bulk import classify_corpus

    result = classify_corpus(["archive/"], "labelled")
    result.tally.total

Imports nothing heavy; pyarrow is loaded when something is read or written that needs it.
"""

from newsacts.bulk.fields import FieldNames
from newsacts.bulk.manifest import BulkResult
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.run import Progress, classify_corpus, iter_corpus

__all__ = ["BulkResult", "BulkSettings", "FieldNames", "Progress", "classify_corpus", "iter_corpus"]
