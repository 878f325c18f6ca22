"""
The second candidate of `stream_wrapping`: the OpenAI SDK's `AsyncStream.__aiter__`, without what abandoning it costs.

LiteLLM begins to iterate over the SDK's stream anew for every chunk, and leaves the asynchronous generator it was given
after one item. The event loop learns of each: it is woken up and closes it in a task. Closing that generator does
nothing, since the stream's own iterator lives on in the stream. So the control's generator is made by the control
itself, the same object in every respect, but outside of the loop's sight: `sys.set_asyncgen_hooks` is read when a
generator is first asked (PEP 525), and at that moment names nobody.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, Dict, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import calls
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

SOURCES: Tuple[Source, ...] = (Source("openai._streaming", ("AsyncStream.__aiter__",)),)
"""The control, which awaits nothing once it is closed."""

_WARNS_OF_UNAWAITED = (3, 13)
"""From this Python on, to ask a generator without awaiting its answer is worth a warning."""


class StreamIterationCandidate:
    """
    Answers as the control does, or declines.

    Args:
        reference: The loaded module `openai._streaming`.
        semantics: Names the rules that hold; there is one set.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        self._control = inspect.unwrap(vars(reference.AsyncStream)["__aiter__"])

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Have the control make its generator; nothing of it runs yet.

        Raises:
            Declined: This Python would warn, or the control refuses the arguments.
        """
        if sys.version_info >= _WARNS_OF_UNAWAITED:
            raise Declined("python_version")
        return calls.bound(self._control, args, kwargs)

    def run(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - it is in the plan
        """
        Ask the generator once while nobody is told of generators.

        Returns:
            The generator, before its first item.
        """
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            plan.__anext__()
        finally:
            sys.set_asyncgen_hooks(*hooks)
        return plan
