"""
The candidate of `request_transform`: the OpenAI SDK's `maybe_transform` and `async_maybe_transform` as one native walk.

What it does not reproduce exactly, it declines before doing anything: values that are not plain builtins, tuples, sets
and bytes among them, types that rename keys, and bodies deeper than a hundred levels.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.request_types import RequestTypes
from fast_litellm.accel.candidates.typed import TypedCandidate
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined
from fast_litellm.shadow.candidate import Call

SOURCES: Tuple[Source, ...] = (
    Source("openai._utils._transform"),
    Source("openai._utils._typing"),
    Source("openai._utils._utils", ("is_given", "is_list", "is_mapping", "is_iterable", "is_sequence")),
    Source("openai._utils._compat", ("get_args", "get_origin", "is_union", "is_typeddict")),
)
"""The parts of the SDK that this candidate reproduces or relies on. The parameter types are read as they are."""


_ANNOTATIONS = (type(List[int]), type(Union[int, str]))
"""What a type in a call may be besides a class. Like the SDK's sentinels, it is one object that nobody changes."""


class Plan(NamedTuple):
    """
    One call, prepared.

    Args:
        transformer: Knows the type's nodes.
        root: The node of the body.
    """

    transformer: native.Transformer
    root: int


class RequestTransformCandidate(TypedCandidate[Plan]):
    """
    Transforms as the reference does, or declines.

    Args:
        reference: The loaded module `openai._utils._transform`.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        from openai._types import NotGiven, Omit

        places = [*reach.places(SOURCES, "maybe_transform"), *reach.places(SOURCES, "async_maybe_transform")]
        super().__init__(native.IdentityGuard(places), _bound, ("control_raises", "request_type"))
        self._types = RequestTypes(reference)
        self._not_given = [NotGiven, Omit]
        native.share_instances([*self._not_given, *_ANNOTATIONS])

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Transform by a plan.

        Returns:
            The body to send.

        Raises:
            Declined: Something inside the body is not reproduced.
        """
        return plan.transformer.apply(bound(_bound, args, kwargs)[0], plan.root)

    def _compile(self, cls: Any) -> Optional[Plan]:
        with suppress(Declined):
            root = self._types.index(cls)
            return Plan(native.Transformer(self._types.nodes, self._not_given), root)
        return None


class AsyncRequestTransformCandidate(RequestTransformCandidate):
    """
    The same, awaited: the reference's coroutine waits for files only, and a body with files in it is declined.
    """

    async def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Transform by a plan.

        Returns:
            The body to send.

        Raises:
            Declined: Something inside the body is not reproduced.
        """
        return super().run(plan, args, kwargs)


def chat_request(call: Call) -> Call:
    """
    Args:
        call: Made up, with the parameters of a chat as keyword arguments.

    Returns:
        The call that transforms their body.
    """
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

    return (call[1], CompletionCreateParamsNonStreaming), {}


def _bound(data: Any, expected_type: Any) -> Tuple[Any, Any]:
    return data, expected_type
