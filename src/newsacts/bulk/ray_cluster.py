"""The Ray cluster of a run: one that is started for it on this machine, or one that is there; and how its errors read.

Ray stays out of the way: it prints nothing, counts nothing over the network, and writes to its own folder alone
(/tmp/ray, or RAY_TMPDIR).
"""

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsacts.calibration import Calibration
from newsacts.errors import NewsactsError, UsageError

LOCAL_STORE_BYTES = 1 << 29
"""Shared memory of a cluster that is started for one run: dozens of shards, and shards are small."""
ANSWER_SECONDS = 10
SAFE = "all finished shards are safe: mend that, then run the same command again to go on"

_logger = logging.getLogger("newsacts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Who does the work. Raises `UsageError` for amounts that make no sense, and for an address that is none.

    `model` and `options` go to `Classifier.from_pretrained` in each worker; a folder must be there on every machine.
    `calibration` replaces the one of the checkpoint. `address` None starts a cluster on this machine that ends with
    the run; "auto" or "host:6379" joins one. `count` None takes as many as fit, each with `cpus` and `gpus` of a
    machine; half a GPU lets two workers share one, so that one computes while the other segments and packs.
    """

    model: str | Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None
    address: str | None = None
    count: int | None = None
    cpus: float = 1
    gpus: float = 0

    def __post_init__(self) -> None:
        if (self.count is not None and self.count < 1) or self.cpus <= 0 or self.gpus < 0:
            raise UsageError(
                f"expected at least one worker with some CPU, got {self.count} workers with {self.cpus:g} CPUs and "
                f"{self.gpus:g} GPUs each"
            )
        if self.address not in (None, "auto"):
            _split_address(str(self.address))

    def describe(self, count: int) -> str:
        """So many of these workers, in words."""
        return f"{count} worker{'s' * (count > 1)} with {self.cpus:g} CPUs and {self.gpus:g} GPUs each"


def import_ray() -> Any:
    """The package. Raises `UsageError` where it is missing."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        advice = "pip install 'newsacts[ray]', or leave out --engine ray"
        raise UsageError(f"the Ray engine needs a package: {advice}") from error
    return ray


@contextmanager
def connect(ray: Any, address: str | None) -> Iterator[None]:
    """A connection to a cluster, of this run alone; or the one that this process has already, which stays.

    Raises `NewsactsError` where a cluster cannot be reached or started.
    """
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if address is None:
        options |= {"include_dashboard": False, "object_store_memory": LOCAL_STORE_BYTES}
        # Else Ray leaves a token in the user's home. It stays in the environment, since Ray keeps it for the process.
        if "RAY_AUTH_TOKEN_PATH" not in os.environ:
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    elif address != "auto":
        _require_answer(address)
    try:
        ray.init(address=address or "local", **options)
    except Exception as error:  # Ray raises a bare Exception where a cluster does not come up in time
        raise NewsactsError(f"the Ray cluster cannot be reached or started: {error}; {SAFE}") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def map_ray_errors(ray: Any) -> Iterator[None]:
    """Errors of newsacts in the processes of a cluster as they are, those of others and of Ray as `NewsactsError`."""
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        cause = _cut_advice(error.cause)
        if isinstance(cause, NewsactsError):
            raise cause from error
        raise NewsactsError(f"a worker failed: {cause!r}; {SAFE}") from error
    except (ray.exceptions.RayError, ConnectionError) as error:
        told = str(error).strip().splitlines() or [repr(error)]
        raise NewsactsError(f"the Ray cluster failed: {told[-1]}; {SAFE}") from error


def count_workers(resources: Mapping[str, float], workers: Workers) -> int:
    """How many workers to ask a cluster of these resources for. Raises `UsageError` where they can never fit."""
    cpus, gpus = resources.get("CPU", 0.0), resources.get("GPU", 0.0)
    fitting = int(cpus / workers.cpus)
    if workers.gpus:
        fitting = min(fitting, int(gpus / workers.gpus))
    if fitting < (wanted := workers.count or 1):
        complaint = f"{workers.describe(wanted)} do not fit into {cpus:g} CPUs and {gpus:g} GPUs"
        # A cluster that was joined may grow, one of this machine does not.
        if workers.address is None or workers.count is None:
            raise UsageError(f"{complaint}; ask for less")
        _logger.warning("%s: %d will work until the cluster grows", complaint, fitting)
    return workers.count or fitting


def _cut_advice(error: BaseException) -> BaseException:
    """The error without what Ray adds to its message: how to have Ray try it again."""
    if error.args and isinstance(error.args[0], str):
        error.args = (error.args[0].partition("\nFailed to ")[0], *error.args[1:])
    return error


def _split_address(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(
            f"expected auto or host:port as the address of a Ray cluster, got {address!r}; run newsacts on a machine "
            "of the cluster, and leave the address out to start one here"
        )
    return host.strip("[]"), int(port)


def _require_answer(address: str) -> None:
    """Raise `NewsactsError` where nobody listens: Ray itself would ask again for many minutes."""
    try:
        socket.create_connection(_split_address(address), timeout=ANSWER_SECONDS).close()
    except OSError as error:
        raise NewsactsError(f"no Ray cluster answers at {address} ({error.strerror or error}); {SAFE}") from error
