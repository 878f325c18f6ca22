"""
The candidate of `stream_wrapping` where the usage of a stream is summed up: LiteLLM's sum, of the chunks that matter.

LiteLLM asks every chunk three times for its usage, and one that has none takes microseconds to say so. One native pass
leaves out those that have neither usage nor a reason to finish, of which the sum takes nothing; the rest is LiteLLM's.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, Dict, List, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

NAME = "ChunkProcessor._calculate_usage_per_chunk"
_TYPES = "litellm.types.utils"

SOURCES: Tuple[Source, ...] = (
    Source(
        "litellm.litellm_core_utils.streaming_chunk_builder_utils",
        (
            NAME,
            "ChunkProcessor._last_provider_pricing_field",
            "ChunkProcessor._extract_usage_chunk",
            "ChunkProcessor.extract_usage_chunk",
            "ChunkProcessor._reset_anthropic_cursor_completion_tokens",
            "ChunkProcessor._saw_finish_reason",
            "ChunkProcessor._finish_reason_of_choice",
            "ChunkProcessor._chunk_choices",
        ),
    ),
    Source(
        _TYPES,
        (
            "ModelResponseStream.__contains__",
            "ModelResponseStream.__getitem__",
            "ModelResponseBase.hidden_params.fget",
        ),
    ),
)
"""What looks at chunks: all of them, or the first."""


class StreamUsageCandidate(Guarded):
    """
    Sums up as the control does, or declines.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.streaming_chunk_builder_utils`.
        semantics: Names the rules that hold; there is one set.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        types = sys.modules[_TYPES]
        self._processor = reference.ChunkProcessor
        self._control = inspect.unwrap(vars(self._processor)[NAME.rpartition(".")[2]])
        self._methods = reach.methods(self._processor)
        self._classes = (types.ModelResponseStream, types.StreamingChoices)
        chunk, choice = self._classes
        asked = [(it, name) for it in self._classes for name in ("__getattribute__", "__getattr__")]
        lacking = [(chunk, "usage"), (chunk, "choices"), (choice, "finish_reason")]
        super().__init__(native.IdentityGuard([*reach.places(SOURCES, NAME), *asked], lacking=lacking))

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> List[Any]:
        """
        Find the chunks that matter.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        self._untouched.check()
        processor, chunks = bound(_bound, args, kwargs)
        if type(processor) is not self._processor or not self._methods.isdisjoint(vars(processor)):
            raise Declined("reference_patched")
        if type(chunks) is not list:
            raise Declined("opaque_value")
        return native.telling_chunks(chunks, *self._classes)

    def run(self, plan: List[Any], args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            LiteLLM's sum of them.
        """
        processor, _ = bound(_bound, args, kwargs)
        return self._control(processor, plan)


def _bound(processor: Any, chunks: Any) -> Tuple[Any, Any]:
    return processor, chunks
