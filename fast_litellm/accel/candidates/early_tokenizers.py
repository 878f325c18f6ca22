"""
Which tokenizer LiteLLM 1.83 counts with, under the names that later releases have for the questions.
"""

from __future__ import annotations

from typing import Any, Optional

_HUGGING_FACE = "hugging_face"
"""One kind for all of them: which one it is cannot be told from what the release remembers."""


class EarlyTokenizers:
    """
    Asks what the reference itself asks, so that what it remembers is the same whoever answers a call.

    Args:
        reference: LiteLLM's token counter module.
        utils: The loaded module `litellm.utils`.
    """

    def __init__(self, reference: Any, utils: Any) -> None:
        import tiktoken

        self._reference = reference
        self._utils = utils
        self._encoding_name = tiktoken.encoding_name_for_model

    def huggingface_tokenizer_kind(self, model: str) -> Optional[str]:
        """Returns None for a model that is counted by tiktoken."""
        return None if self._utils._select_tokenizer(model)["type"] == "openai_tokenizer" else _HUGGING_FACE

    def openai_tokenizer_encoding_name(self, model: str) -> str:
        """Returns tiktoken's name of a model's encoding."""
        name = self._reference._fix_model_name(model)
        if "gpt-4o" in name:
            return "o200k_base"
        try:
            return self._encoding_name(name)
        except KeyError:
            return "cl100k_base"

    def uses_legacy_message_accounting(self, model: str) -> bool:
        """Returns whether messages are priced as for gpt-3.5-turbo-0301."""
        return bool(self._reference._fix_model_name(model) == "gpt-3.5-turbo-0301")
