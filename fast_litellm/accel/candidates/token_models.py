"""
Which encoding and which message accounting LiteLLM would use for a model, remembered while that stays true.

LiteLLM's own functions are asked, once a model. Their answer depends on live state: sets of models that grow at run
time, switches, and on newer releases entries of the cost map. That state is read again on every call, and a change asks
anew.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, NamedTuple, Optional, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import vocabulary
from fast_litellm.accel.candidates.early_tokenizers import EarlyTokenizers
from fast_litellm.errors import Declined

_MAX_MODELS = 1024
"""Models remembered; a caller that makes up names cannot grow the table. A full table starts again."""

_ANTHROPIC_SHA256 = "09f530bb2bd2257752ac92cb157119ce03d82745e77be6a149cf5ad96c3b8823"
"""Of the text from which LiteLLM makes Anthropic's tokenizer: its file, written out again."""


class TokenModel(NamedTuple):
    """
    How one model is counted.

    Args:
        encoding: tiktoken's name of the encoding, or that of Anthropic's tokenizer.
        legacy: Messages are priced as for gpt-3.5-turbo-0301.
    """

    encoding: str
    legacy: bool


class TokenModels:
    """
    The table of models.

    Args:
        reference: LiteLLM's token counter module.
        reads_cost_map: The release looks models up in the cost map to find their encoding.
    """

    def __init__(self, reference: Any, *, reads_cost_map: bool) -> None:
        import tiktoken.model
        from litellm import utils

        self._reference = reference
        self._utils = utils
        self._litellm = reference.litellm
        self._early = None if hasattr(utils, "huggingface_tokenizer_kind") else EarlyTokenizers(reference, utils)
        self._encodings = self._early or reference
        self._tables = (tiktoken.model.MODEL_TO_ENCODING, tiktoken.model.MODEL_PREFIX_TO_ENCODING)
        self._tables_as_known = native.IdentityGuard([], self._tables)
        self._reads_cost_map = reads_cost_map
        self._packaged: Any = None  # LiteLLM's tokenizer, once it has been asked for one
        self._source = self._packaged_source()
        self._known: Dict[Optional[str], Tuple[Any, TokenModel]] = {}

    def find(self, model: Optional[str]) -> TokenModel:
        """
        Say how a model is counted now.

        Args:
            model: The model's name, or None for LiteLLM's default encoding.

        Returns:
            Encoding and accounting.

        Raises:
            Declined: The model is counted with a Hugging Face tokenizer or a chat template.
        """
        if not self._tables_as_known.holds():
            self._tables_as_known = native.IdentityGuard([], self._tables)
            self._known.clear()
        state = self._state(model)
        known = self._known.get(model)
        if known is not None and known[0] == state:
            return known[1]
        found = TokenModel("cl100k_base", legacy=False) if model is None else self._ask(model)
        if len(self._known) >= _MAX_MODELS:
            self._known.clear()
        self._known[model] = (state, found)
        return found

    def _ask(self, model: str) -> TokenModel:
        kind = self._kind(model)
        if kind == vocabulary.ANTHROPIC and self._is_packaged(model):
            return TokenModel(vocabulary.ANTHROPIC, self._encodings.uses_legacy_message_accounting(model))
        if kind is not None:
            raise Declined("huggingface_tokenizer")
        section = getattr(self._reference, "chat_template_tool_section", None)
        if section is not None and section(model) is not None:
            raise Declined("chat_template_tools")
        return TokenModel(
            self._encodings.openai_tokenizer_encoding_name(model), self._encodings.uses_legacy_message_accounting(model)
        )

    def _kind(self, model: str) -> Optional[str]:
        """Which Hugging Face tokenizer the model is counted with; None for tiktoken."""
        if self._early is not None:
            return self._early.huggingface_tokenizer_kind(model)  # remembered there, whatever the switch says now
        downloads = self._litellm.disable_hf_tokenizer_download is not True
        return self._utils.huggingface_tokenizer_kind(model) if downloads else None

    def _is_packaged(self, model: str) -> bool:
        """Whether LiteLLM counts with the tokenizer it brings, by the `tokenizers` of Python, and as it was loaded."""
        if self._packaged_source() != self._source:
            return False
        self._packaged = tokenizer = self._utils.select_tokenizer(model)["tokenizer"]
        is_python = type(tokenizer).__module__ == "tokenizers"
        text = hashlib.sha256(self._utils.claude_json_str.encode()).hexdigest()
        return is_python and tokenizer.truncation is None and tokenizer.padding is None and text == _ANTHROPIC_SHA256

    def _packaged_source(self) -> Tuple[Any, ...]:
        """What LiteLLM makes Anthropic's tokenizer with, and from."""
        return getattr(self._utils, "_load_huggingface_tokenizer", None), self._utils.claude_json_str

    def _packaged_state(self) -> Tuple[Any, ...]:
        changes = (getattr(self._packaged, "truncation", None), getattr(self._packaged, "padding", None))
        return (*self._packaged_source(), *changes)

    def _state(self, model: Optional[str]) -> Tuple[Any, ...]:
        """Everything the answer depends on, cheap to read and to compare."""
        litellm = self._litellm
        azure, chat = litellm.azure_llms, litellm.open_ai_chat_completion_models
        state = (
            litellm.disable_hf_tokenizer_download is True,
            model in azure,
            model in chat,
            model in litellm.cohere_models,
            model in litellm.anthropic_models and self._packaged_state(),
        )
        if self._early is not None and model is not None:
            return (*state, self._early.huggingface_tokenizer_kind(model))
        if not self._reads_cost_map or model is None:
            return state
        costs = litellm.model_cost
        return (*state, id(azure), len(azure), id(chat), len(chat), id(costs), len(costs), *_entries(costs, model))


def _entries(costs: Dict[str, Any], model: str) -> Tuple[Any, ...]:
    """What the cost map says of a model under the names LiteLLM 1.109 looks up: its path's ends, also Azure's."""
    segments = model.split("/")
    names = {"/".join(segments[start:]) for start in range(len(segments))}
    last = segments[-1]
    if last.startswith("ft:"):
        names.add(last.split(":")[1])
    entries = [costs.get(prefix + name) for name in sorted(names) for prefix in ("", "azure/")]
    return tuple(
        None if entry is None else (entry.get("litellm_provider"), entry.get("mode"), entry.get("supports_pdf_input"))
        for entry in entries
    )
