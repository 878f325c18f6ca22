"""
Token counts for a program's own use, through the same seam as LiteLLM's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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


def count_tokens_batch(model: str, batch: Iterable[str | Sequence[Any]]) -> list[int]:
    """
    Count tokens of many texts or message lists.

    Args:
        model: A model name as LiteLLM takes it.
        batch: Texts (`str`) and message lists, in any mixture.

    Returns:
        One count for each item, in order.
    """
    return [
        count_tokens(model, text=item) if isinstance(item, str) else count_tokens(model, messages=item)
        for item in batch
    ]
