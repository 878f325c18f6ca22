"""The rows of the bench, one file per theme; each has a function `rows` that sets its theme up and yields them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fast_litellm.cli.bench.rows import (
    counting,
    decisions,
    dispatch,
    encoding,
    former,
    ledger,
    limits,
    litellm_rust,
    loading,
    memory,
    peers,
    pools,
    proxies,
    requests,
    routers,
    seams,
    selection,
    strategies,
    streams,
    threads,
    tokenizers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fast_litellm.cli.bench.row import Figure, Row, Series


def every() -> Iterator[Row | Series | Figure]:
    """
    Yields:
        Every row that takes seconds, in the order of the table; a theme is set up when its first row is asked for.
    """
    yield from decisions.rows()
    yield from peers.rows()
    yield from threads.rows()
    yield from loading.rows()
    yield from dispatch.rows()
    yield from counting.rows()
    yield from encoding.rows()
    yield from tokenizers.rows()
    yield from seams.rows()
    yield from limits.rows()
    yield from litellm_rust.rows()
    yield from pools.rows()
    yield from streams.rows()
    yield from requests.rows()
    yield from strategies.rows()
    yield from selection.rows()
    yield from routers.rows()
    yield from ledger.rows()


def long(python: Path | None = None) -> Iterator[Row | Series | Figure]:
    """
    Args:
        python: Of an environment with fast-litellm 0.1.10; None leaves it out.

    Yields:
        Every row that takes minutes.
    """
    yield from strategies.long_rows()
    yield from selection.long_rows()
    yield from routers.long_rows()
    yield from proxies.rows()
    yield from memory.rows()
    if python is not None:
        yield from former.rows(python)
