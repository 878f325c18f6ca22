"""
The candidate of `stream_wrapping` where LiteLLM 1.109 and later keep account of what a stream has said so far.

With every chunk they ask for eight things that one of plain text lacks, which takes longer than anything else they do
with it. One native look tells the text and whether any of the eight is there.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

NAME = "CustomStreamWrapper._accumulate_streamed_delta"
_ASKED = "CustomStreamWrapper._delta_disqualifies_continuation"

SOURCES: Tuple[Source, ...] = (
    Source("litellm.litellm_core_utils.streaming_handler", (NAME, _ASKED)),
    Source("litellm.types.utils", ("Delta.get",)),
)
"""The account and what it asks. Which names it asks for is read from the class, and watched."""


class Plan(NamedTuple):
    """
    One call, prepared.

    Args:
        text: What is added.
        disqualifies: Whether something else is there, so that the stream cannot be continued as text.
    """

    text: str
    disqualifies: bool


class StreamDeltasCandidate(Guarded):
    """
    Keeps account as the control does, or declines.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.streaming_handler`.
        semantics: Names the rules that hold; there is one set.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        from litellm.types.utils import Delta

        self._wrapper = reference.CustomStreamWrapper
        self._delta = Delta
        self._names: Tuple[str, ...] = self._wrapper._CONTINUATION_DISQUALIFYING_DELTA_FIELDS
        self._methods = reach.methods(self._wrapper)
        names = (self._wrapper, "_CONTINUATION_DISQUALIFYING_DELTA_FIELDS")
        asked = [(Delta, "__getattribute__"), (Delta, "__getattr__")]
        lacking = [(Delta, name) for name in ("content", *self._names)]
        places = [*reach.places(SOURCES, NAME), names, *asked]
        super().__init__(native.IdentityGuard(places, lacking=lacking))

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Look at what is new.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        self._untouched.check()
        wrapper, delta = bound(_bound, args, kwargs)
        if type(wrapper) is not self._wrapper or not self._methods.isdisjoint(vars(wrapper)):
            raise Declined("reference_patched")
        names = () if wrapper._emitted_disqualifying_content else self._names
        told = native.told_by_delta(delta, self._delta, names)
        if told is None:
            raise Declined("opaque_value")
        return Plan(*told)

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """Add it to the wrapper's account."""
        wrapper, _ = bound(_bound, args, kwargs)
        wrapper.response_uptil_now += plan.text
        if plan.disqualifies:
            wrapper._emitted_disqualifying_content = True


def _bound(wrapper: Any, delta: Any) -> Tuple[Any, Any]:
    return wrapper, delta
