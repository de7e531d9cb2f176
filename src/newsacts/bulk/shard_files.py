"""What a shard leaves behind: its files and its done-mark; and, when all are done, the clusters over all shards."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from newsacts.bulk.folder import OutputFolder, shard_file
from newsacts.bulk.near_duplicates import BANDS, UnsignedArray, cluster_articles, sketch_articles
from newsacts.bulk.plan import BulkSettings
from newsacts.bulk.scoring import ScoredShard, tally_shard
from newsacts.bulk.writers import article_columns, encode_rejects, encode_table, sentence_columns
from newsacts.tally import tally_to_json

_BAND_NAMES = tuple(f"band_{number:02}" for number in range(BANDS))


def encode_shard(scored: ScoredShard, settings: BulkSettings) -> dict[str, bytes]:
    """The files of a shard by their path below the output folder; what would be empty is left out."""
    shard, ending = scored.shard, settings.output_format
    files: dict[str, bytes] = {}
    if shard.articles:
        columns = sentence_columns(scored, settings.keep, codes=settings.codes)
        files[shard_file("sentences", shard.key, ending)] = encode_table(columns, ending)
        if settings.articles:
            files[shard_file("articles", shard.key, ending)] = encode_table(article_columns(scored), ending)
        if settings.near_duplicates:
            sketches = sketch_articles(article.text for article in shard.articles)
            bands = {name: sketches[:, number] for number, name in enumerate(_BAND_NAMES)}
            identity = {"article_id": [article.id for article in shard.articles]}
            files[shard_file("sketches", shard.key, "parquet")] = encode_table(identity | bands, "parquet")
    if shard.rejects:
        files[shard_file("rejects", shard.key, "jsonl")] = encode_rejects(shard.rejects)
    return files


def describe_shard(scored: ScoredShard, *, seconds: float) -> dict[str, Any]:
    """What the done-mark says of a shard; `seconds` is the time it took to classify."""
    return {
        "articles": len(scored.shard.articles),
        "sentences": len(scored.sentences),
        "classified": scored.classified,
        "rejected": len(scored.shard.rejects),
        "seconds": round(seconds, 3),
        "tally": tally_to_json(tally_shard(scored)),
    }


def write_clusters(folder: OutputFolder, settings: BulkSettings) -> dict[str, int]:
    """Join the near-duplicate articles of all shards, and write a cluster for every article.

    A cluster is named by the place of its first article in reading order. Returns how many articles and clusters.
    """
    parts = list(_find_sketches(folder))
    sizes = [_read_column(folder, key, "article_id").shape[0] for key in parts]
    columns = (np.concatenate([_read_column(folder, key, name) for key in parts]) for name in _BAND_NAMES)
    clusters = cluster_articles(columns if parts else [], sum(sizes))
    counts = np.bincount(clusters, minlength=1)
    start = 0
    for key, size in zip(parts, sizes, strict=True):
        mine = clusters[start : start + size]
        table = {
            "article_id": _read_column(folder, key, "article_id").tolist(),
            "cluster": mine,
            "cluster_size": counts[mine],
        }
        name = shard_file("clusters", key, settings.output_format)
        folder.write_file(name, encode_table(table, settings.output_format))
        start += size
    return {"articles": sum(sizes), "clusters": int((counts > 0).sum()) if parts else 0}


def _find_sketches(folder: OutputFolder) -> Iterator[str]:
    for number in sorted(folder.done):
        key = folder.done[number]
        if (folder.path / shard_file("sketches", key, "parquet")).is_file():
            yield key


def _read_column(folder: OutputFolder, key: str, name: str) -> UnsignedArray:
    from pyarrow import parquet

    path = folder.path / shard_file("sketches", key, "parquet")
    column: UnsignedArray = parquet.read_table(path, columns=[name])[name].to_numpy()
    return column
