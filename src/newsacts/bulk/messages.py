"""Shards that travel: what a reader, workers and a driver in processes of their own tell one another, as JSON values.

    reader   {"shard": …}     a shard to do                       -> worker
             {"done": …}      shards that were done before        -> driver, through a worker
             {"end": …}       what was learnt by reading          -> driver, through a worker
    worker   {"written": …}   a shard's mark, beside the bytes of its files   -> driver

Every message may be made and sent again: the same input gives the same messages, and the driver writes a shard once.
Knows nothing of what carries the messages.
"""

import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from newsacts.backends.base import Choice
from newsacts.bulk.folder import OutputFolder
from newsacts.bulk.job import Reading, Watch
from newsacts.bulk.meter import Meter
from newsacts.bulk.plan import BulkSettings, Plan, Shard, cut_shards, describe_rows
from newsacts.bulk.readers import read_articles
from newsacts.bulk.scoring import prepare_shard, score_shard
from newsacts.bulk.shard_files import describe_shard, encode_shard
from newsacts.bulk.sources import Inputs
from newsacts.classifier import Classifier
from newsacts.data.tables import Reject
from newsacts.errors import ModelError
from newsacts.records import Article

DONE_AT_ONCE = 1_000
"""So many finished shards are told of in one message."""

Opener = Callable[[], Classifier]
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Errand:
    """A job without its classifier, as it travels to where shards are read and done."""

    inputs: Inputs
    settings: BulkSettings
    plan: Plan


class ShardWorker:
    """Holds a classifier and does shards. Raises `ModelError` where its rows would not be those of the plan."""

    def __init__(self, opener: Opener, errand: Errand) -> None:
        self._classifier, self._settings = opener(), errand.settings
        mine = describe_rows(errand.settings, self._classifier)
        if strange := [name for name, value in errand.plan.decisive.items() if mine.get(name) != value]:
            raise ModelError(
                f"a worker on {platform.node()} would make other rows ({', '.join(strange)} differ); install the same "
                "newsacts, and give every machine the same checkpoint"
            )

    def do(self, message: Message) -> tuple[Message, bytes]:
        """The answer to a message, with the bytes of a shard's files, one behind the other."""
        if "shard" not in message:
            return message, b""
        shard = _shard_from_json(message["shard"])
        start = time.perf_counter()
        scored = score_shard(prepare_shard(shard), self._classifier)
        mark = describe_shard(scored, seconds=time.perf_counter() - start)
        files = encode_shard(scored, self._settings)
        sizes = {name: len(content) for name, content in files.items()}
        facts = {"number": shard.number, "id": shard.id, "position": shard.position, "mark": mark, "sizes": sizes}
        return {"written": facts}, b"".join(files.values())


def read_messages(errand: Errand, folder: OutputFolder) -> Iterator[Message]:
    """What there is to do, in reading order, and the end. Raises `UsageError` where the input has changed."""
    fields, meter = errand.settings.make_field_reader(), Meter()
    count, position = 0, 0
    done: list[int] = []
    for shard in cut_shards(read_articles(errand.inputs, fields, meter), errand.plan, errand.settings, meter):
        count += 1
        if folder.is_done(shard):
            done.append(shard.number)
            position = shard.position
        else:
            yield {"shard": asdict(shard)}
        if len(done) >= DONE_AT_ONCE:
            yield {"done": done, "position": position}
            done = []
    if done:
        yield {"done": done, "position": position}
    choices = {role: [asdict(one) for one in chosen] for role, chosen in fields.choices.items()}
    yield {"end": {"shards": count, "choices": choices, "unknown": errand.inputs.unknown}}


def take_message(message: Message, content: bytes, folder: OutputFolder, watch: Watch) -> Reading | None:
    """Write what a worker did and note what was done; the end gives what was learnt by reading."""
    if "end" in message:
        end = message["end"]
        choices = {role: [Choice(**one) for one in chosen] for role, chosen in end["choices"].items()}
        return Reading(end["shards"], choices, end["unknown"])
    if "written" in message:
        facts = message["written"]
        # The content of the shard stayed with the worker: the folder asks for its name only.
        shard = Shard(facts["number"], facts["id"], (), (), facts["position"])
        folder.write_shard(shard, _cut_content(content, facts["sizes"]), facts["mark"])
        watch.note(facts["mark"], shard.position, resumed=False)
        return None
    for number in message["done"]:
        watch.note(folder.read_mark(number), message["position"], resumed=True)
    return None


def _cut_content(content: bytes, sizes: Mapping[str, int]) -> dict[str, bytes]:
    files, start = {}, 0
    for name, size in sizes.items():
        files[name] = content[start : start + size]
        start += size
    return files


def _shard_from_json(values: Mapping[str, Any]) -> Shard:
    articles = tuple(Article(**article) for article in values["articles"])
    rejects = tuple(Reject(**reject) for reject in values["rejects"])
    return Shard(values["number"], values["id"], articles, rejects, values["position"])
