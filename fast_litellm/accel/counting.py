"""
Token counts for a program's own use, through the same seam as LiteLLM's.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Callable

_PART = 512
"""Items counted at a time: enough to keep processors busy, few enough to say often how far it is."""


def count_tokens(
    model: str, messages: Sequence[Any] | None = None, *, text: str | None = None, tools: Sequence[Any] | None = None
) -> int:
    """
    Count tokens as the installed LiteLLM does.

    Args:
        model: A model name as LiteLLM takes it.
        messages: Chat messages; give these or `text`, not both.
        text: Plain text.
        tools: Tool definitions that go with the messages.

    Returns:
        The number of tokens.

    Raises:
        ValueError: LiteLLM's own, for input it refuses.
    """
    import litellm

    count: int = litellm.token_counter(model=model, messages=messages, text=text, tools=tools)
    return count


def count_tokens_batch(
    model: str, batch: Iterable[str | Sequence[Any]], *, progress: Callable[[int], object] | None = None
) -> list[int]:
    """
    Count tokens of many texts or message lists.

    Each item has the count, or the error, of a single call. Where `batch_token_counting` is on, texts are counted on
    all processors, without the GIL.

    Args:
        model: A model name as LiteLLM takes it.
        batch: Texts (`str`) and message lists, in any mixture; it is read a few hundred items at a time.
        progress: Called with the number of items counted so far, whenever some more are.

    Returns:
        One count for each item, in order.

    Raises:
        ValueError: LiteLLM's own, for the first item it refuses.
    """
    items = iter(batch)
    counts: list[int] = []
    while part := list(islice(items, _PART)):
        counts += count_part(model, part)
        if progress is not None:
            progress(len(counts))
    return counts


def count_part(model: str, items: list[Any]) -> list[int]:
    """
    Count one part of a batch, one item after the other: the control of `batch_token_counting`.

    Args:
        model: A model name as LiteLLM takes it.
        items: Texts and message lists.

    Returns:
        One count for each item, in order.

    Raises:
        ValueError: LiteLLM's own, for the first item it refuses.
    """
    return [
        count_tokens(model, text=item) if isinstance(item, str) else count_tokens(model, messages=item)
        for item in items
    ]
