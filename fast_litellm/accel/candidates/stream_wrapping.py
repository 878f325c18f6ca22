"""
The candidate of `stream_wrapping`: what LiteLLM's `CustomStreamWrapper.chunk_creator` makes of a chunk of plain text.

Most chunks of a stream differ in their text alone, and the wrapper's state stays as it was. So the control is asked on
a twin of the wrapper, once a stream, what it makes of two probes in that state. When both answers differ in the probes
and in the time only, later chunks are made by that rule, as long as neither their frame nor the wrapper's state
changes. Everything else is declined before anything is done: first and last chunks, tool calls, reasoning, usage.
"""

from __future__ import annotations

import copy
import inspect
import logging
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional, Tuple
from weakref import WeakKeyDictionary

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.candidates.steady import Unsteady, learned
from fast_litellm.accel.candidates.stream_deltas import NAME as STREAM_DELTAS
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined
from fast_litellm.interruptions import is_from_elsewhere

_MODULE = "litellm.litellm_core_utils.streaming_handler"

SOURCES: Tuple[Source, ...] = (
    Source(_MODULE),
    Source(
        "litellm.types.utils",
        ("Delta.__init__", "StreamingChoices.__init__", "ModelResponseBase.model_dump", "ModelResponseStream.__init__"),
    ),
    Source("litellm.litellm_core_utils.core_helpers", ("preserve_upstream_non_openai_attributes",)),
    Source("litellm.litellm_core_utils.hidden_params"),
)
"""What makes chunks. Which of it runs for a chunk of plain text is known for each release of the table."""

_CONTROL = "CustomStreamWrapper.chunk_creator"
_WATCHED = (Source(_MODULE, ("CustomStreamWrapper",)), *SOURCES[1:])

_PROVIDERS = ("openai", "azure")
_VARYING = frozenset(("chunks", "response_uptil_now", "_repeated_messages_count"))
"""Of the wrapper's attributes: what is read of them for a chunk of plain text, `raise_on_model_repetition` reads."""

_MAX_LESSONS = 3
_PROBES = ("\x00probe", "\x01another probe")


class Steady:
    """
    What is known of one stream.

    Args:
        frame: Of its last chunk of plain text.
        state: Of the wrapper before that.
        lessons: How often its rule was learned.
    """

    def __init__(self, frame: List[Any], state: Dict[str, Any], lessons: int) -> None:
        self.frame = frame
        self.state = state
        self.lessons = lessons
        self.recipe: Optional[native.Recipe] = None


class Plan(NamedTuple):
    """
    One call, prepared.

    Args:
        recipe: Makes the answer.
        varying: Of what.
    """

    recipe: native.Recipe
    varying: List[str]


class StreamWrappingCandidate(Guarded):
    """
    Answers as the control does, or declines.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.streaming_handler`.
        semantics: Names the rules that hold; there is one set.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        from openai.types.chat import chat_completion_chunk as classes

        wrapper = reference.CustomStreamWrapper
        self._reference = reference
        self._control = inspect.unwrap(vars(wrapper)["chunk_creator"])
        self._twins = type(
            "Twin", (wrapper,), {"__del__": lambda _: None}
        )  # a twin that goes has no context to restore
        self._classes = (classes.ChatCompletionChunk, classes.Choice, classes.ChoiceDelta)
        self._methods = reach.methods(wrapper)
        self._streams: WeakKeyDictionary[Any, Steady] = WeakKeyDictionary()
        super().__init__(native.IdentityGuard(reach.places(SOURCES, _CONTROL)))
        # A seam of its own, which the control does not ask.
        watched = [place for place in reach.places(_WATCHED, _CONTROL) if not STREAM_DELTAS.endswith(f".{place[1]}")]
        self._teachable = native.IdentityGuard(watched)

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Find the rule by which the stream's chunks are made, or learn it.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        wrapper, chunk = bound(_bound, args, kwargs)
        self._check(wrapper)
        has_rules = bool(self._reference.litellm.post_call_rules)  # from 1.110 on they are asked for with every chunk
        text = native.plain_text(chunk, self._classes, has_rules)
        if text is None:
            raise Declined("not_plain_text")
        frame, varying = text
        stream = self._streams.get(wrapper)
        if stream is None or stream.frame != frame or not native.is_in_state(vars(wrapper), stream.state, _VARYING):
            self._streams[wrapper] = Steady(frame, _state(wrapper), 0 if stream is None else stream.lessons)
            raise Declined("unsteady")
        if stream.recipe is None:
            self._learn(stream, wrapper, chunk, len(varying))
        return Plan(stream.recipe or _unsteady(), varying)

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Make an answer by the rule. The wrapper's state stays as it is, but for its counter of repetitions.

        Returns:
            A chunk for LiteLLM's caller.
        """
        wrapper, _ = bound(_bound, args, kwargs)
        made = plan.recipe.make([self._reference.time.time(), *plan.varying])
        wrapper.raise_on_model_repetition()
        return made

    def _check(self, wrapper: Any) -> None:
        """What the control would do besides, or instead."""
        litellm, logger = self._reference.litellm, self._reference.verbose_logger
        self._untouched.check()
        if type(wrapper) is not self._reference.CustomStreamWrapper or wrapper.custom_llm_provider not in _PROVIDERS:
            raise Declined("provider")
        if not self._methods.isdisjoint(vars(wrapper)):
            raise Declined("reference_patched")
        if litellm.set_verbose or litellm._custom_providers or logger.isEnabledFor(logging.DEBUG):
            raise Declined("settings")
        if wrapper._repeated_messages_count + 1 >= litellm.REPEATED_STREAMING_CHUNK_LIMIT:
            raise Declined("repetition")

    def _learn(self, stream: Steady, wrapper: Any, chunk: Any, varying: int) -> None:
        if not self._teachable.holds():  # what stands there might do more with a probe than answer
            raise Declined("reference_patched")
        stream.lessons += 1
        if stream.lessons > _MAX_LESSONS:
            raise Declined("unsteady")
        one, other = ([f"{probe} {index}" for index in range(varying)] for probe in _PROBES)
        answers = [self._asked(stream, wrapper, _probed(chunk, probe)) for probe in (one, other)]
        first, second = (answer._hidden_params.get("created_at") for answer in answers)
        slots = {pair: slot for slot, pair in enumerate([(first, second), *zip(one, other)])}
        try:
            stream.recipe = learned(answers[0], answers[1], slots)
        except Unsteady:
            _unsteady()

    def _asked(self, stream: Steady, wrapper: Any, chunk: Any) -> Any:
        """What the control makes of a chunk, on a twin of the wrapper whose state must not change by it."""
        twin: Any = object.__new__(self._twins)
        vars(twin).update(vars(wrapper), chunks=[])
        try:
            answer = self._control(twin, chunk)
        except Exception as error:
            if is_from_elsewhere(error):
                raise
            _unsteady()
        if not all(native.is_in_state(vars(it), stream.state, _VARYING) for it in (twin, wrapper)):
            _unsteady()
        return answer if hasattr(answer, "_hidden_params") else _unsteady()


def _state(wrapper: Any) -> Dict[str, Any]:
    """A wrapper's attributes but for the varying ones; of a dict a copy, because it could change."""
    return {
        name: value.copy() if type(value) is dict else value
        for name, value in vars(wrapper).items()
        if name not in _VARYING
    }


def _probed(chunk: Any, probe: List[str]) -> Any:
    """The same chunk with other varying parts."""
    made, choice, delta = (copy.copy(it) for it in (chunk, chunk.choices[0], chunk.choices[0].delta))
    vars(made)["choices"], vars(choice)["delta"], vars(delta)["content"] = [choice], delta, probe[0]
    made.__pydantic_extra__.update(zip(made.__pydantic_extra__, probe[1:]))
    return made


def _unsteady() -> NoReturn:
    raise Declined("unsteady")


def _bound(wrapper: Any, chunk: Any) -> Tuple[Any, Any]:
    return wrapper, chunk
