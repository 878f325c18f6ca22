"""
LiteLLM's own native code as further candidates, under the name `litellm_rust`: its tokenizer and its redaction.

LiteLLM switches them by one variable for all of its routes, or not at all. Here they are asked directly, below that
switch, so that rules can give them calls and the shadow can compare them. They are not declared equal to anything: what
they answer otherwise is a divergence, and a divergence is what is looked for.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from fast_litellm.accel.candidates.secret_redaction import SecretRedactionCandidate
from fast_litellm.accel.candidates.token_counting import TokenCountingCandidate
from fast_litellm.accel.candidates.token_models import TokenModel, TokenModels
from fast_litellm.accel.candidates.token_plan import Plan
from fast_litellm.errors import Declined

LITELLM_RUST = "litellm_rust"
"""What rules call these candidates."""

_ANTHROPIC = "anthropic"
_UNUSABLE = ("ForkedAfterNativeRuntimeStarted", "ProcessReservedForForking")
"""What LiteLLM's native code raises where it must not run: in a child forked after its first call, and in a process
that is going to fork. Python answers there."""


class LiteLLMTokenCountingCandidate(TokenCountingCandidate):
    """
    Counts by LiteLLM's own walk over the messages, with its native tokenizer in the place of tiktoken and tokenizers.

    `TokenCounter.acount_request` is not asked: it is a coroutine function, which a plain seam cannot await, and a
    process that has asked it may abort when it exits.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.token_counter`.
        semantics: The release line whose rules hold.
    """

    factory = None  # type: ignore[assignment] # in a worker process there is no LiteLLM

    def __init__(self, reference: Any, semantics: str) -> None:
        super().__init__(reference, semantics)
        self._control = inspect.unwrap(reference.token_counter)
        self._models = _Models(reference, reads_cost_map=hasattr(reference, "_openai_model_name"))
        self._tokenizers: Dict[str, _Tokenizer] = {}

    @functools.cached_property
    def build(self) -> str:  # type: ignore[override] # reading a file of 38 MB is for those who ask
        """Names LiteLLM's binary."""
        return _build()

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> int:
        """
        Count by a plan.

        Returns:
            The number of tokens.

        Raises:
            Declined: An image would have to be downloaded.
        """
        if plan.counter is None:
            return 0
        if plan.fixed_image_tokens is None and _mentions_high_detail((args, kwargs)):
            raise Declined("image")
        chosen = {"type": "huggingface_tokenizer", "tokenizer": plan.counter}
        if len(args) > 1:  # it is the second parameter
            return int(self._control(args[0], chosen, *args[2:], **kwargs))
        return int(self._control(*args, **{**kwargs, "custom_tokenizer": chosen}))

    def _plan(self, model: TokenModel) -> Plan:
        tokenizer: Any = self._tokenizers.get(model.encoding)
        if tokenizer is None:
            tokenizer = self._tokenizers[model.encoding] = self._make(model.encoding)
        tokenizer.check()
        return Plan(tokenizer, None, model)

    def _make(self, encoding: str) -> _Tokenizer:
        factory = _native().Tokenizer
        if encoding != _ANTHROPIC:
            return _Tokenizer(_asked(factory.from_tiktoken, encoding), self._limits[0])
        packaged = importlib.import_module("litellm.utils").claude_json_str
        return _Tokenizer(_asked(factory.from_json, packaged), None)


class LiteLLMRedactionCandidate(SecretRedactionCandidate):
    """
    Redacts by LiteLLM's native diagnostics, which find secrets without its regular expression.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.secret_redaction`.
        semantics: Names the expression; there is one.
    """

    @functools.cached_property
    def build(self) -> str:  # type: ignore[override] # as above
        """Names LiteLLM's binary."""
        return _build()

    def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> str:  # noqa: ARG002 - there is no plan
        """
        Returns:
            The text with every secret replaced.

        Raises:
            Declined: LiteLLM's native code is not there, or must not run in this process.
        """
        return str(_asked(self._processor.redact_text, *args, *kwargs.values()))

    @functools.cached_property
    def _processor(self) -> Any:
        shortest = importlib.import_module("litellm.constants").MINIMUM_CUSTOM_KEY_LENGTH
        return _asked(_native().NativeDiagnosticProcessor, shortest)


class _Models(TokenModels):
    """The models LiteLLM's native code has a tokenizer for: the packaged Anthropic one beside tiktoken's encodings."""

    def _ask(self, model: str) -> TokenModel:
        downloads = self._litellm.disable_hf_tokenizer_download is not True
        if downloads and self._utils.huggingface_tokenizer_kind(model) == _ANTHROPIC:
            return TokenModel(_ANTHROPIC, legacy=False)
        return super()._ask(model)


class _Tokenizer:
    """
    LiteLLM's native tokenizer with the one method that its `token_counter` asks of a `custom_tokenizer`.

    Args:
        native: The tokenizer.
        piece: How many characters are encoded at a time, as the reference does for tiktoken's encodings; None is all.
    """

    def __init__(self, native: Any, piece: Optional[int]) -> None:
        self._native = native
        self._piece = piece

    def check(self) -> None:
        """
        Find out beforehand what would look like bad content inside the reference's walk.

        Raises:
            Declined: It must not be asked in this process.
        """
        _asked(self._native.count, "", True)

    def encode_batch_fast(self, texts: List[str]) -> List[range]:
        """Returns, for each text, something as long as its tokens are many."""
        return [range(self._count(text)) for text in texts]

    def _count(self, text: str) -> int:
        piece = self._piece or max(len(text), 1)
        starts = range(0, len(text), piece)
        return sum(self._native.count(text[start : start + piece], True) for start in starts)


def _native() -> Any:
    try:
        return importlib.import_module("litellm.rust_bridge._native")
    except ImportError:
        raise Declined("native_absent") from None


def _asked(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except RuntimeError as error:
        if type(error).__name__ in _UNUSABLE:
            raise Declined("native_unusable") from None
        raise


def _build() -> str:
    try:
        path = Path(_native().__file__)
    except Declined:
        return "litellm without native code"
    return f"litellm {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def _mentions_high_detail(value: Any) -> bool:
    """Whether an image is to be looked at closely, for which the reference downloads it."""
    if isinstance(value, dict):
        return value.get("detail") == "high" or any(map(_mentions_high_detail, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_mentions_high_detail, value))
