"""Rows of Parquet and Arrow files, batch by batch, only the columns of use.

These formats are not read front to back, and are sought in. Damage raises `DamagedFileError`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from newsacts.bulk.archives import DamagedFileError, open_seekable
from newsacts.bulk.fields import FieldReader
from newsacts.bulk.lines import BadRow, Rows
from newsacts.bulk.meter import Meter
from newsacts.data.tables import RawRow

BATCH_ROWS = 512
SHOWN_CHARACTERS = 500
"""So much of a row is kept to show what was rejected."""


def read_parquet(stream: BinaryIO, fields: FieldReader, meter: Meter) -> Rows:
    """Rows of a Parquet file."""
    from pyarrow import parquet

    with open_seekable(stream) as sought, _map_arrow_damage():
        file = parquet.ParquetFile(sought)
        columns = fields.select(file.schema_arrow.names)
        batches = file.iter_batches(batch_size=BATCH_ROWS, columns=columns)
        yield from _read_batches(batches, file.metadata.num_rows, meter)


def read_arrow(stream: BinaryIO, fields: FieldReader, meter: Meter) -> Rows:
    """Rows of an Arrow file or stream, whichever it is."""
    import pyarrow as pa

    with open_seekable(stream) as sought, _map_arrow_damage():
        whole_file = sought.read(6) == b"ARROW1"
        sought.seek(0)
        if whole_file:
            file = pa.ipc.open_file(sought)
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
        else:
            batches = iter(pa.ipc.open_stream(sought))
        chosen = (batch.select(fields.select(batch.schema.names)) for batch in batches)
        yield from _read_batches(map(_require_sound, chosen), None, meter)


def _require_sound(batch: Any) -> Any:
    """A batch whose offsets and sizes can be trusted: Arrow trusts them unasked, and damaged ones crash the process.

    Text that is not UTF-8 passes; it costs its row alone. Raises `ArrowInvalid` for the rest.
    """
    import pyarrow as pa

    bytes_of = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    for column in batch.columns:
        column.validate()  # the view below needs buffers of the right size
        plain = column.view(bytes_of[column.type]) if column.type in bytes_of else column
        plain.validate(full=True)
    return batch


def _read_batches(batches: Iterator[Any], rows: int | None, meter: Meter) -> Rows:
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            for values in _to_rows(batch.slice(start, BATCH_ROWS)):
                number += 1
                if isinstance(values, str):
                    yield BadRow(number, values, "")
                else:
                    yield RawRow(number, values, str(values)[:SHOWN_CHARACTERS])
            if rows:
                meter.note_share(number / rows)


def _to_rows(batch: Any) -> list[dict[str, Any] | str]:
    """The rows of a batch; what is wrong with a row stands in its place."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [f"expected UTF-8, got {error.reason} at byte {error.start}"]
        return [row for number in range(batch.num_rows) for row in _to_rows(batch.slice(number, 1))]


@contextmanager
def _map_arrow_damage() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (ValueError, pa.ArrowException) as error:
        raise DamagedFileError(f"the data cannot be read as Parquet or Arrow ({error}); write it again") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DamagedFileError(f"the data cannot be read as Parquet or Arrow ({error}); write it again") from error
