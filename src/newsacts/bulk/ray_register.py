"""The actors of a run on a Ray cluster, by which they are ended with it.

Ray Data ends its actors by dropping its references to them. After an error those live on in its threads and in the
frames of the error, so that the actors keep their CPUs, and a next run from this process would wait for them for good.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

ANSWER_SECONDS = 10


class Register:
    """Ends the actors that have added themselves, as one actor more, which needs no CPU of its own."""

    def __init__(self) -> None:
        self._actors: list[Any] = []

    def add(self, actor: Any) -> None:
        self._actors.append(actor)

    def end(self) -> None:
        import ray

        for actor in self._actors:
            ray.kill(actor)


@contextmanager
def keep_register() -> Iterator[Any]:
    """A register beside this process; whoever is in it is ended at the end, however that comes about.

    Who comes later finds the register gone, which ends it too.
    """
    import ray

    actor: Any = ray.remote(Register)
    register = actor.options(num_cpus=0, scheduling_strategy=pin_here()).remote()
    try:
        yield register
    finally:
        # A cluster that has failed has no actors either, and tells so itself.
        with suppress(ray.exceptions.RayError):
            ray.get(register.end.remote(), timeout=ANSWER_SECONDS)
        with suppress(ray.exceptions.RayError):
            ray.kill(register)


def pin_here() -> Any:
    """The strategy of Ray that keeps a task or an actor on the machine of this process."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
