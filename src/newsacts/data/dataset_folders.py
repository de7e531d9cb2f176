"""Hugging Face `datasets` as a source: folders written by `save_to_disk`, and hub ids like `hf:owner/name`.

`datasets` is slow to import and is imported only when such a source is opened. Only a hub id makes it look
beyond this machine.
"""

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from newsacts.errors import DataError, UsageError

HUB_PREFIX = "hf:"


def is_dataset_folder(path: Path) -> bool:
    """Whether `save_to_disk` wrote this folder, going by the files it leaves there."""
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def load_folder(path: Path) -> dict[str | None, Any]:
    """The parts of a saved `Dataset` (one, named None) or `DatasetDict`. Raises `DataError` if damaged."""
    datasets = _import_datasets()
    # TypeError and KeyError are what missing or misshapen entries in its JSON files end in.
    faults = (OSError, ValueError, TypeError, KeyError, datasets.exceptions.DatasetsError)
    try:
        loaded = datasets.load_from_disk(str(path))
    except faults as error:
        raise DataError(f"not a readable datasets folder ({error}); save it again", path=path) from error
    return _name_parts(datasets, loaded)


def load_from_hub(source: str) -> dict[str | None, Any]:
    """The parts of a dataset on the hub, by `hf:owner/name`. May use the network.

    Raises `UsageError` for a name of another form and `DataError` where the hub has no such dataset or
    cannot be reached.
    """
    name = source.removeprefix(HUB_PREFIX)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise UsageError(f"got {source!r}, expected a hub id of the form {HUB_PREFIX}owner/name")
    datasets = _import_datasets()
    faults = (OSError, ValueError, datasets.exceptions.DatasetsError)
    try:
        loaded = datasets.load_dataset(name)
    except faults as error:
        reason = f"cannot be loaded from the hub ({error}); check the name, the access and the network"
        raise DataError(reason, path=source) from error
    return _name_parts(datasets, loaded)


def rows_of_part(part: Any, path: str, name: str | None, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Rows of one part as plain values, class numbers turned into the dataset's own class names.

    A row that names no split gets the name of its part, if that has one. Raises `DataError` with `path` where
    the stored data is damaged.
    """
    present = [column for column in part.column_names if column in wanted]
    namers = {column: _class_namer(part.features[column]) for column in present}
    try:
        # A saved format ("torch", "numpy") would turn values into tensors.
        for row in part.select_columns(present).with_format(None):
            values = {column: namers[column](value) for column, value in row.items()}
            if name is not None and values.get("split") is None:
                values["split"] = name
            yield values
    except (OSError, ValueError) as error:
        raise DataError(f"the datasets rows cannot be read ({error}); save them again", path=path) from error


def _import_datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise UsageError("reading datasets folders needs a package: pip install datasets") from error
    return datasets


def _name_parts(datasets: Any, loaded: Any) -> dict[str | None, Any]:
    if isinstance(loaded, datasets.DatasetDict):
        return {str(name): part for name, part in loaded.items()}
    return {None: loaded}


def _class_namer(feature: Any) -> Callable[[Any], Any]:
    inner = getattr(feature, "feature", feature)
    names: list[str] | None = getattr(inner, "names", None)
    if names is None:
        return lambda value: value

    def name_class(value: Any) -> Any:
        if isinstance(value, list):
            return [name_class(entry) for entry in value]
        # Anything else (None, the -1 of an unlabelled row) is left for the reader of rows to refuse.
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else value

    return name_class
