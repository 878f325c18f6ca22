"""What standing at a seam costs the caller, over calling the function itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fast_litellm.cli.bench.row import Row


def rows() -> Iterator[Row]:
    """
    Yields:
        Nothing yet.
    """
    yield from ()
