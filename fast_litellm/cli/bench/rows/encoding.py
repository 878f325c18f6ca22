"""
Counting fresh text: the native encoding against tiktoken, on the same pieces that LiteLLM counts in.

No text is counted twice, but words come again: measured is a process that has counted two megabytes of other text, as a
server has within minutes (docs/decisions/0045-steady-state.md), and, in rows of their own, one that has just started.
"""

from __future__ import annotations

import base64
from random import Random
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.accel import native
from fast_litellm.cli.bench.corpus import PIECE_CHARS, PIECES
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_EXACT_CHARS = 4_000_000  # LiteLLM's TOKEN_COUNTER_MAX_EXACT_CHARS
_ENCODINGS = ("cl100k_base", "o200k_base")
_SAMPLE = 64
_COUNTED_BEFORE = 2_000
_YOUNG = ("prose", "code")

_GOALS = {"prose": 10.0, "code": 10.0, "JSON": 10.0}
_GOAL_OF_OTHERS = 1.5
_GOAL_AT_FIRST = 1.0


def rows() -> Iterator[Row]:
    """
    Yields:
        A row for every encoding and kind of text, and what it is at first.
    """
    import_litellm()
    import litellm.litellm_core_utils.default_encoding  # noqa: F401 - tells tiktoken where LiteLLM's vocabularies are
    import tiktoken

    for name in _ENCODINGS:
        theirs = tiktoken.get_encoding(name)
        for kind in PIECES:
            ours = native_encoding(theirs)
            _count_before(kind, ours)
            yield _row(f"{kind}, {name}", kind, theirs, ours, _GOALS.get(kind, _GOAL_OF_OTHERS))
        for kind in _YOUNG:
            yield _row(f"{kind}, {name}, young", kind, theirs, native_encoding(theirs), _GOAL_AT_FIRST)


def native_encoding(encoding: Any) -> Any:
    """
    Args:
        encoding: One of tiktoken's.

    Returns:
        The native encoding of the same vocabulary.
    """
    ranks = encoding._mergeable_ranks.items()  # noqa: SLF001 - tiktoken offers no public way to its vocabulary
    lines = (base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks)
    return native.Encoding.from_tiktoken(encoding.name, b"".join(lines))


def _count_before(kind: str, encoding: Any) -> None:
    random = Random(f"before {kind}")  # noqa: S311 - as below; other texts than are measured
    for _ in range(_COUNTED_BEFORE):
        encoding.count(PIECES[kind](random))


def _row(name: str, kind: str, theirs: Any, ours: Any, goal: float) -> Row:
    random = Random(kind)  # noqa: S311 - two runs count the same texts

    def items(count: int) -> list[str]:
        return [PIECES[kind](random) for _ in range(count)]

    names = {"count": ours.count_chunked, "piece": PIECE_CHARS, "limit": _MAX_EXACT_CHARS}
    return Row(
        name,
        theirs=Statement("len(encode(item))", {"encode": theirs.encode_ordinary}),
        ours=Statement("count(item, piece, limit)", names),
        goal=Goal(Measure.SPEEDUP, goal),
        difference=lambda: _difference(theirs.encode_ordinary, ours.count, items(_SAMPLE)),
        items=items,
    )


def _difference(encode: Callable[[str], list[int]], count: Callable[[str], int], sample: list[str]) -> str:
    for text in sample:
        wanted, given = len(encode(text)), count(text)
        if wanted != given:
            return f"tiktoken counts {wanted}, the native encoding {given}"
    return ""
