"""
Whole requests through LiteLLM's Router over one group of deployments, with answers that LiteLLM makes up itself: what
is left is choosing a deployment, and LiteLLM's own work around a call.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli.bench.rotation import Kind, Rotation
from fast_litellm.cli.bench.rows.requests import event_loop
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fast_litellm.cli.bench.row import Series

_STRATEGIES = {"shuffle": "simple-shuffle", "latency": "latency-based-routing"}
_CALLS = {2: 10, 20: 10, 200: 4, 2_000: 1}
_SPEEDUPS = {("latency", 2_000): 10.0}
GROUP = "bench"
_HELLO = [{"role": "user", "content": "Hello, how are you?"}]


def rows() -> Iterator[Series]:
    """
    Yields:
        Groups of 2, 20 and 200 deployments, by two strategies, on and in shadow.
    """
    yield from _of_sizes(2, 20, 200)


def long_rows() -> Iterator[Series]:
    """
    Yields:
        A group of 2,000, which LiteLLM takes many seconds to set up.
    """
    yield from _of_sizes(2_000)


def _of_sizes(*sizes: int) -> Iterator[Series]:
    kinds = [Kind(name, _CALLS[it[1]], _SPEEDUPS.get(it, 1.0)) for name, it in _routers(*sizes).items()]
    with closing(Rotation(kinds, [f"{__name__}:calls", *map(str, sizes)])) as rotation:
        yield from rotation.rows()


def _routers(*sizes: int) -> dict[str, tuple[str, int]]:
    return {f"router {size} {name}": (name, size) for size in sizes for name in _STRATEGIES}


@contextmanager
def calls(*sizes: str) -> Iterator[Mapping[str, Callable[[], Any]]]:
    """
    Args:
        sizes: How many deployments each group has.

    Yields:
        What sends a request through each router, by its name.
    """
    litellm = import_litellm()
    with event_loop() as run:

        def sender(strategy: str, size: int) -> Callable[[], Any]:
            deployments = [deployment(number) for number in range(size)]
            router = litellm.Router(model_list=deployments, routing_strategy=_STRATEGIES[strategy], num_retries=0)
            return lambda: run(_send(router))

        yield {name: sender(*it) for name, it in _routers(*map(int, sizes)).items()}


def deployment(number: int) -> dict[str, Any]:
    """
    Returns:
        One of a group, as a Router's `model_list` has it.
    """
    target = {"model": "openai/gpt-4o", "api_key": "none", "api_base": f"http://127.0.0.1:9/{number}"}
    return {"model_name": GROUP, "litellm_params": target}


async def _send(router: Any) -> Any:
    answer = await router.acompletion(model=GROUP, messages=_HELLO, mock_response="Fine.")
    return answer.choices[0].message.model_dump()
