"""
The candidate of `stream_parsing`: what the OpenAI SDK constructs of a chunk or of a whole response, as one native walk.

The objects are of the same classes, with the same fields set, the same extras and the same parts shared with what was
received. What it does not reproduce exactly, it declines before doing anything: types that are no class of the SDK's,
values that are not plain builtins, and responses deeper than a hundred levels.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.response_types import ResponseTypes
from fast_litellm.accel.candidates.typed import TypedCandidate
from fast_litellm.accel.fingerprint import Source

if TYPE_CHECKING:
    from fast_litellm.shadow.candidate import Call

SOURCES: Tuple[Source, ...] = (
    Source(
        "openai._models",
        (
            "BaseModel.construct",
            "_construct_field",
            "_get_extra_fields_type",
            "construct_type",
            "validate_type",
            "_validate_non_model_type",
        ),
    ),
    Source("openai._compat", ("field_get_default", "get_model_config", "get_model_fields", "parse_obj")),
    Source("openai._utils._compat", ("get_args", "get_origin", "is_union", "is_literal_type")),
    Source("openai._utils._typing", ("is_annotated_type", "is_type_alias_type", "extract_type_arg")),
    Source("openai._utils._utils", ("is_list", "is_mapping")),
)
"""The parts of the SDK that this candidate reproduces or relies on. The response types are read as they are."""


class Plan(NamedTuple):
    """
    One call, prepared.

    Args:
        constructor: Knows the type's places.
        root: The place of the response.
        untouched: Notices that somebody has given one of its classes a way of its own to construct objects.
    """

    constructor: native.Constructor
    root: int
    untouched: native.IdentityGuard


class StreamParsingCandidate(TypedCandidate[Plan]):
    """
    Constructs as the reference does, or declines.

    Args:
        reference: The loaded module `openai._base_client`, which calls the control.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        from openai import _models

        # the control is replaced where it is called from; in its own module it stands, and asks for itself by its name
        places = [*reach.places(SOURCES, "construct_type"), (vars(_models), "construct_type")]
        untouched = native.IdentityGuard(places)
        super().__init__(untouched, _bound, ("other_parameters", "response_type"))
        self._reference = _models

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Find the plan of the type, or make it.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        plan = super().prepare(args, kwargs)
        plan.untouched.check()
        return plan

    def premises(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            As `Guarded.premises`.

        Raises:
            Declined: Something of the reference, or of the response's classes, is replaced now.
        """
        return super().premises(plan, args, kwargs), plan.untouched.state()

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Construct by a plan.

        Returns:
            What the SDK's caller is to get.

        Raises:
            Declined: Something inside the response is not reproduced.
        """
        return plan.constructor.apply(bound(_bound, args, kwargs)[0], plan.root)

    def _compile(self, cls: Any) -> Optional[Plan]:
        if isinstance(cls, type) and cls.__module__.partition(".")[0] == "openai":
            with suppress(AttributeError, LookupError, NameError, RuntimeError, TypeError):
                types = ResponseTypes(self._reference)
                root = types.index(cls)
                return None if root is None else self._plan(types, root)
        return None

    def _plan(self, types: ResponseTypes, root: int) -> Plan:
        untouched = native.IdentityGuard([(cls, "construct") for cls in types.classes])
        return Plan(native.Constructor(types.nodes), root, untouched)


def chunk_of_texts(call: Call) -> Call:
    """
    Args:
        call: Made up, with anything as arguments.

    Returns:
        The call that constructs a chunk of a stream: a text among the arguments is what it says, the rest is extras.
    """
    from openai.types.chat import ChatCompletionChunk

    texts = [value for value in call[0] if isinstance(value, str)]
    delta = {"role": "assistant", "content": "".join(texts)}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    extras = {f"extra_{index}": value for index, value in enumerate(call[0]) if not isinstance(value, str)}
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]
    return (), {"value": {**chunk, "choices": choices, **extras}, "type_": ChatCompletionChunk}


def _bound(*, value: Any, type_: Any) -> Tuple[Any, Any]:
    return value, type_
