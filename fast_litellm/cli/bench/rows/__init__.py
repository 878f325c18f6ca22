"""The rows of the bench, one file per theme; each has a function `rows` that sets its theme up and yields them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Callable

from fast_litellm.cli.bench.row import Goal, Measure, Row, Series
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
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fast_litellm.cli.bench.row import Figure

    Rows = Iterable[Row | Series | Figure]

SETTING_UP = "setting up"
"""The name of a row that stands for a theme that could not be set up."""

_THEMES: tuple[Callable[[], Rows], ...] = (
    decisions.rows,
    peers.rows,
    threads.rows,
    loading.rows,
    dispatch.rows,
    counting.rows,
    encoding.rows,
    tokenizers.rows,
    seams.rows,
    limits.rows,
    litellm_rust.rows,
    pools.rows,
    streams.rows,
    requests.rows,
    strategies.rows,
    selection.rows,
    routers.rows,
    ledger.rows,
)
_LONG_THEMES: tuple[Callable[[], Rows], ...] = (
    strategies.long_rows,
    selection.long_rows,
    routers.long_rows,
    proxies.rows,
    memory.rows,
)


def every() -> Iterator[Row | Series | Figure]:
    """
    Yields:
        Every row that takes seconds, in the order of the table; a theme is set up when its first row is asked for.
    """
    for theme in _THEMES:
        yield from guarded(theme)


def long(python: Path | None = None) -> Iterator[Row | Series | Figure]:
    """
    Args:
        python: Of an environment with fast-litellm 0.1.10; None leaves it out.

    Yields:
        Every row that takes minutes.
    """
    for theme in _LONG_THEMES:
        yield from guarded(theme)
    if python is not None:
        yield from guarded(functools.partial(former.rows, python))


def guarded(theme: Callable[[], Rows]) -> Iterator[Row | Series | Figure]:
    """
    Args:
        theme: Sets itself up and yields its rows.

    Yields:
        Its rows; where setting up or taking down fails, a row that cannot be measured and says why. The other themes
        are measured all the same.
    """
    try:
        yield from theme()
    except Exception as error:
        yield Series(SETTING_UP, Goal(Measure.SPEEDUP, 1), functools.partial(_fail, error))


def _fail(error: Exception, _rounds: int) -> list[tuple[float, float]]:
    raise error
