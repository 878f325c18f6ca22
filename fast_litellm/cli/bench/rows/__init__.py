"""The rows of the bench, one file per theme; each has a function `rows` that sets its theme up and yields them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fast_litellm.cli.bench.rows import (
    counting,
    decisions,
    dispatch,
    encoding,
    loading,
    peers,
    seams,
    threads,
    tokenizers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fast_litellm.cli.bench.row import Row


def every() -> Iterator[Row]:
    """
    Yields:
        Every row, in the order of the table; a theme is set up when its first row is asked for.
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
