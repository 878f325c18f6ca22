"""
The candidate of `token_counting`: LiteLLM's `token_counter` with the message walk and the counting in Rust.

What it does not reproduce exactly, it declines before doing anything: custom tokenizers and those of Hugging Face but
for the one of Anthropic that LiteLLM brings, chat templates, images at high detail or (from 1.109) inline, PDF
documents, citations, message models, subclasses of builtin types, calls while debug logging would show them, and every
call for which the control raises, so that the exception is the control's own.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Dict, List, Optional, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates import vocabulary
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.candidates.token_models import TokenModel, TokenModels
from fast_litellm.accel.candidates.token_plan import CounterSettings, Plan, count
from fast_litellm.accel.candidates.tokenizers_made import TokenizersMade
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

SOURCES: Tuple[Source, ...] = (
    Source("litellm.litellm_core_utils.token_counter"),
    Source("litellm.litellm_core_utils.prompt_templates.chat_template_tools"),
    Source("litellm.litellm_core_utils.prompt_templates.common_utils", ("extract_search_results_text",)),
    Source(
        "litellm.types.llms.anthropic",
        ("AnthropicMessagesToolUseParam", "AnthropicMessagesToolResultParam", "AnthropicSearchResultParam"),
    ),
    Source(
        "litellm.utils",
        (
            "cleanup_none_field_in_message",
            "convert_list_message_to_dict",
            "convert_to_dict",
            "huggingface_tokenizer_kind",
            "select_tokenizer",
            "_return_openai_tokenizer",
            "_select_tokenizer_helper",
            "uses_anthropic_tokenizer",
        ),
    ),
)
"""The parts of LiteLLM that this candidate reproduces or relies on."""

_DECLINED_BEYOND = frozenset(
    {
        "_auto_image_dimensions",
        "_count_chat_template_tools",
        "_count_inline_pdf_tokens",
        "_return_huggingface_tokenizer",
        "_select_custom_tokenizer_helper",
        "get_image_dimensions",
        "print_verbose",
    }
)
"""What the reference calls only for calls that are declined; before a Hugging Face tokenizer is returned, the reference
asks `huggingface_tokenizer_kind`, which is among the sources itself."""

_NOT_COUNTED = Plan(None)


class TokenCountingCandidate(Guarded):
    """
    Counts as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.token_counter`.
        semantics: The release line whose rules hold: "1.83", "1.106", "1.108", "1.109" or "1.110".
    """

    build = f"fast-litellm {native.BUILD}"
    factory = "fast_litellm.accel.candidates.token_plan:InWorker"

    def __init__(self, reference: Any, semantics: str) -> None:
        self._reference = reference
        self._litellm = reference.litellm
        self._semantics = _rules(reference, semantics)
        self._models = TokenModels(reference, reads_cost_map=hasattr(reference, "_openai_model_name"))
        self._plans: Dict[TokenModel, Plan] = {}
        # The limits are default arguments of the reference, so they are fixed when it is imported.
        self._limits = (
            _limit(reference, "_get_tiktoken_count_function"),
            _limit(reference, "_get_extrapolating_count_function"),
        )
        # A test or another tool that replaces one of these expects to see its own object used.
        places = reach.places(SOURCES, "token_counter", _DECLINED_BEYOND)
        super().__init__(native.IdentityGuard([*places, *_tokenizer_places(reference)]))
        self._made = TokenizersMade()

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Read all live state that the call depends on.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        self._untouched.check()
        self._made.check()
        is_counted = self._litellm.disable_token_counter is not True
        name, is_image_fixed = native.token_call(args, kwargs, is_counted=is_counted)
        if not is_counted:
            return _NOT_COUNTED
        if self._litellm.set_verbose is True or self._reference.verbose_logger.isEnabledFor(logging.DEBUG):
            raise Declined("debug_logging")
        plan = self._plan(self._models.find(name))
        return plan._replace(fixed_image_tokens=self._reference.DEFAULT_IMAGE_TOKEN_COUNT) if is_image_fixed else plan

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> int:
        """
        Count by a plan.

        Returns:
            The number of tokens.

        Raises:
            Declined: Something inside the messages or tools is not reproduced.
        """
        return count(plan, args, kwargs)

    def premises(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            As `Guarded.premises`.

        Raises:
            Declined: Something of the reference is replaced, or live state makes another plan of the call.
        """
        if self.prepare(args, kwargs) != plan:
            raise Declined("state_changed")
        return super().premises(plan, args, kwargs)

    def portable(self, plan: Plan) -> Tuple[Optional[Tuple[Any, ...]], Optional[int]]:
        """
        Returns:
            The plan in plain values, from which a worker process makes an equal one.
        """
        settings = None if plan.model is None else tuple(self._settings(plan.model))
        return settings, plan.fixed_image_tokens

    def _plan(self, model: TokenModel) -> Plan:
        """Of a call whose images are looked at; it is the same one for every call, because making it takes a while."""
        plan = self._plans.get(model)
        if plan is None:
            plan = self._plans[model] = Plan(self._settings(model).make(), None, model)
            vocabulary.announce(vocabulary.directory(self._litellm, "cl100k_base"))
        return plan

    def _settings(self, model: TokenModel) -> CounterSettings:
        base_image_tokens = _default(self._reference.calculate_img_tokens, "base_tokens")
        directory = vocabulary.directory(self._litellm, model.encoding)
        # Hugging Face tokenizers are given a text in one piece.
        limits = (sys.maxsize, self._limits[1]) if model.encoding == vocabulary.ANTHROPIC else self._limits
        return CounterSettings(model.encoding, directory, limits, self._semantics, model.legacy, base_image_tokens)


def _rules(reference: Any, semantics: str) -> str:
    """From 1.110 on blocks nest, as deep as a variable says; if that is less than the walk goes, they stay Python."""
    shallow = getattr(reference, "DEFAULT_MAX_RECURSE_DEPTH", native.WALK_DEPTH) < native.WALK_DEPTH
    return "1.109" if shallow and semantics == "1.110" else semantics


def _tokenizer_places(reference: Any) -> List[reach.Place]:
    """What LiteLLM's tokenizers come down to, outside of its sources."""
    import tiktoken

    own = getattr(reference, "OpenAIEncoding", None)
    chooses = getattr(getattr(reference, "get_encoding", None), "__globals__", {})
    tables = [(vars(tiktoken.model), name) for name in ("MODEL_TO_ENCODING", "MODEL_PREFIX_TO_ENCODING")]
    return [
        (vars(tiktoken), "get_encoding"),
        (vars(tiktoken.registry), "ENCODINGS"),
        (vars(tiktoken.model), "encoding_name_for_model"),
        *tables,
        *((chooses, name) for name in ("get_encoding", "_python_encoding") if name in chooses),
        (tiktoken.Encoding, "encode"),
        *([(own, "count")] if own is not None else []),
    ]


def _limit(reference: Any, name: str) -> int:
    """The number of characters a function takes at once; the releases that have no such function take all."""
    return _default(getattr(reference, name)) if hasattr(reference, name) else sys.maxsize


def _default(function: Any, name: Optional[str] = None) -> int:
    """A parameter's default; without a name, the last parameter's."""
    if name is None:
        return int(function.__defaults__[-1])
    code = function.__code__
    first = code.co_argcount - len(function.__defaults__)
    return int(function.__defaults__[code.co_varnames.index(name) - first])
