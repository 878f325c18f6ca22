"""
One call of `token_counting`, prepared, and what is then done with it, here or in a worker process.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import vocabulary
from fast_litellm.accel.candidates.token_models import TokenModel
from fast_litellm.errors import Declined


class Plan(NamedTuple):
    """
    One call, prepared: everything that live state decides.

    Args:
        counter: Counts for the call's model; None when counting is switched off and the answer is 0.
        fixed_image_tokens: What every image counts, or None to look at each.
        model: How the call's model is counted.
    """

    counter: Optional[native.TokenCounter]
    fixed_image_tokens: Optional[int] = None
    model: Optional[TokenModel] = None


class CounterSettings(NamedTuple):
    """
    All that a counter is made from, in plain values.

    Args:
        encoding: tiktoken's name of the encoding.
        directory: Where its vocabulary is.
        limits: The reference's numbers of characters, for a piece and for all that is counted exactly.
        semantics: The release line whose rules hold.
        legacy: Messages are priced as for gpt-3.5-turbo-0301.
        base_image_tokens: What an image counts at least.
    """

    encoding: str
    directory: str
    limits: Tuple[int, int]
    semantics: str
    legacy: bool
    base_image_tokens: int

    def make(self) -> native.TokenCounter:
        """
        Returns:
            The counter.

        Raises:
            Declined: The vocabulary cannot be used.
        """
        return native.TokenCounter(
            vocabulary.load(self.encoding, self.directory),
            self.limits,
            self.semantics,
            legacy=self.legacy,
            base_image_tokens=self.base_image_tokens,
        )


class Call(NamedTuple):
    """The control's parameters, bound."""

    model: Any
    custom_tokenizer: Any
    text: Any
    messages: Any
    count_response_tokens: Any
    tools: Any
    tool_choice: Any
    use_default_image_token_count: Any


class InWorker:
    """The candidate in a worker process. It has no LiteLLM: whatever live state decides is in the plan."""

    def __init__(self) -> None:
        self._counters: Dict[CounterSettings, native.TokenCounter] = {}

    def run(
        self,
        plan: Tuple[Optional[Tuple[Any, ...]], Optional[int]],
        args: Tuple[Any, ...],
        kwargs: Dict[str, Any],
    ) -> int:
        """
        Count by a plan as `TokenCountingCandidate.portable` returns it.

        Returns:
            The number of tokens.

        Raises:
            Declined: Something inside the messages or tools is not reproduced.
        """
        values, fixed_image_tokens = plan
        if values is None:
            return 0
        settings = CounterSettings(*values)
        counter = self._counters.get(settings)
        if counter is None:
            counter = self._counters[settings] = settings.make()
        return count(Plan(counter, fixed_image_tokens), args, kwargs)


def count(plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> int:
    """
    Count by a plan.

    Returns:
        The number of tokens.

    Raises:
        Declined: Something inside the messages or tools is not reproduced.
    """
    if plan.counter is None:
        return 0
    call = bind(args, kwargs)
    if call.text is not None:
        return plan.counter.count_text(_joined(call.text))
    return plan.counter.count_messages(
        call.messages,
        call.tools,
        call.tool_choice,
        fixed_image_tokens=plan.fixed_image_tokens,
        with_extras=call.count_response_tokens is False,
    )


def bind(args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Call:
    """
    Returns:
        The arguments by the names of the control's parameters.

    Raises:
        Declined: They do not fit, and the control says so.
    """
    try:
        return _bound(*args, **kwargs)
    except TypeError:
        raise Declined("control_raises") from None


def _bound(  # noqa: PLR0913 - the control's own parameters
    model: Any = "",
    custom_tokenizer: Any = None,
    text: Any = None,
    messages: Any = None,
    count_response_tokens: Any = False,
    tools: Any = None,
    tool_choice: Any = None,
    use_default_image_token_count: Any = False,
    default_token_count: Any = None,  # noqa: ARG001 - it only matters where the control meets an error
) -> Call:
    return Call(
        model,
        custom_tokenizer,
        text,
        messages,
        count_response_tokens,
        tools,
        tool_choice,
        use_default_image_token_count,
    )


def _joined(text: Any) -> str:
    """The text that is counted: a list's strings joined, its other elements dropped."""
    if type(text) is str:
        return text
    if type(text) is not list:
        raise Declined("text_type")
    parts: List[str] = [part for part in text if isinstance(part, str)]
    if any(type(part) is not str for part in parts):
        raise Declined("opaque_value")
    return "".join(parts)
