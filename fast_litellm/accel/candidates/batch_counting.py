"""
The candidate of `batch_token_counting`: what `count_tokens_batch` asks LiteLLM for one item at a time, counted natively
on all processors.

What a single call's candidate declines, this one declines for the whole list: Python then counts its items one by one.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Dict, List, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import token_counting
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.candidates.token_counting import TokenCountingCandidate
from fast_litellm.accel.candidates.token_plan import Plan
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined
from fast_litellm.shadow.candidate import Call

SOURCES: Tuple[Source, ...] = (
    *token_counting.SOURCES,
    Source("litellm.utils", ("token_counter", "get_token_counter_new")),
)
"""The parts of LiteLLM that a single call goes through."""

_GETTERS = ("get_token_counter_new", "_get_token_counter_new")
"""What a single call asks for the counter, in this release or an earlier one."""


class BatchCountingCandidate(Guarded):
    """
    Counts as single calls do, or declines.

    Args:
        module: The loaded module `fast_litellm.accel.counting`.
        semantics: The release line of LiteLLM whose rules hold.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, module: Any, semantics: str) -> None:
        reference = importlib.import_module("litellm.litellm_core_utils.token_counter")
        self._single = TokenCountingCandidate(reference, semantics)
        self._litellm: Any = importlib.import_module("litellm")
        self._utils: Any = importlib.import_module("litellm.utils")
        self._asked = self._utils.token_counter
        self._getter = next(name for name in _GETTERS if hasattr(self._utils, name))
        self._counts_one = inspect.unwrap(reference.token_counter)
        beneath = vars(self._utils)
        names = [(beneath, "token_counter"), (beneath, self._getter)]
        super().__init__(native.IdentityGuard([(vars(module), "count_tokens"), *names]))

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Read all live state that the counts depend on, once for the list.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        model, items = bound(_bound, args, kwargs)
        if not self._is_untouched():
            raise Declined("reference_patched")
        if type(items) is not list:
            raise Declined("opaque_value")
        return self._single.prepare((), {"model": model, "text": ""})

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> List[int]:
        """
        Count by a plan.

        Returns:
            The number of tokens of each item.

        Raises:
            Declined: An item is not reproduced, or the control would raise for it.
        """
        _, items = bound(_bound, args, kwargs)
        if plan.counter is None:
            return [0] * len(items)
        return native.count_batch(plan.counter, items, fixed_image_tokens=plan.fixed_image_tokens)

    def premises(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            As `Guarded.premises`, with those of a single call.

        Raises:
            Declined: As of a single call.
        """
        if not self._is_untouched():
            raise Declined("reference_patched")
        model, _ = bound(_bound, args, kwargs)
        single = self._single.premises(plan, (), {"model": model, "text": ""})
        return super().premises(plan, args, kwargs), single

    def _is_untouched(self) -> bool:
        """What stands at the single call's seam may come and go with the rules; the function beneath it may not."""
        counts_one = inspect.unwrap(getattr(self._utils, self._getter)())
        is_asked = self._litellm.token_counter is self._asked
        return self._untouched.holds() and is_asked and counts_one is self._counts_one


def _bound(model: Any, items: Any) -> Tuple[Any, Any]:
    return model, items


def batch_of_texts(call: Call) -> Call:
    """
    Args:
        call: Made up, with anything as arguments.

    Returns:
        The call that counts the texts among them.
    """
    values = [item for value in call[0] for item in (value if isinstance(value, list) else [value])]
    return ("gpt-4o", [value for value in values if isinstance(value, str)]), {}
