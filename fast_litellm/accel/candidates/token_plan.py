"""
One call of `token_counting`, prepared, and what is then done with it, here or in a worker process.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import vocabulary
from fast_litellm.accel.candidates.token_models import TokenModel


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
    return native.count_call(plan.counter, args, kwargs, fixed_image_tokens=plan.fixed_image_tokens)
