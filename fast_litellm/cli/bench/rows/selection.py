"""
The choice of a deployment alone, by each of LiteLLM's strategies: what a Router does before it makes a call.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.rotation import CALLER, Kind, Rotation
from fast_litellm.cli.bench.rows.requests import event_loop
from fast_litellm.cli.bench.rows.routers import GROUP, deployment
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fast_litellm.cli.bench.row import Series

_STRATEGIES = {
    "shuffle": "simple-shuffle",
    "busy": "least-busy",
    "latency": "latency-based-routing",
    "cost": "cost-based-routing",
    "usage": "usage-based-routing-v2",
}
_CALLS = {2: 100, 200: 10, 2_000: 1}
_SPEEDUPS = {("latency", 2_000): 100.0, ("cost", 2_000): 100.0}
_HELLO = [{"role": "user", "content": "Hello, how are you?"}]


def rows() -> Iterator[Series]:
    """
    Yields:
        Groups of 2 and 200 deployments, by every strategy, with everything on.
    """
    yield from _of_sizes(2, 200)


def long_rows() -> Iterator[Series]:
    """
    Yields:
        A group of 2,000, which LiteLLM takes many seconds to set up.
    """
    yield from _of_sizes(2_000)


def _of_sizes(*sizes: int) -> Iterator[Series]:
    kinds = [Kind(name, _CALLS[it[1]], _SPEEDUPS.get(it, 1.0)) for name, it in _routers(*sizes).items()]
    words = [f"{__name__}:calls", *map(str, sizes)]
    with closing(Rotation(kinds, words, sides=(stages.ON,), part=CALLER)) as rotation:
        yield from rotation.rows()


def _routers(*sizes: int) -> dict[str, tuple[str, int]]:
    return {f"pick of {size:,}, {name}": (name, size) for size in sizes for name in _STRATEGIES}


@contextmanager
def calls(*sizes: str) -> Iterator[Mapping[str, Callable[[], Any]]]:
    """
    Args:
        sizes: How many deployments each group has.

    Yields:
        What asks each router for a deployment, by its name.
    """
    litellm = import_litellm()
    with event_loop() as run:

        def picker(strategy: str, size: int) -> Callable[[], Any]:
            deployments = [deployment(number) for number in range(size)]
            router = litellm.Router(model_list=deployments, routing_strategy=_STRATEGIES[strategy], num_retries=0)
            return lambda: run(_pick(router))

        yield {name: picker(*it) for name, it in _routers(*map(int, sizes)).items()}


async def _pick(router: Any) -> str:
    """The draw is random, so that only what all deployments share can be the same."""
    picked = await router.async_get_available_deployment(model=GROUP, request_kwargs={}, messages=_HELLO)
    return str(picked["model_name"])
