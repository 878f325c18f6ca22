"""
The candidate of `secret_redaction`: LiteLLM's `python_redact_string`, asked only where a secret could begin.

LiteLLM tries its expression, two dozen alternatives long, at every character. Each alternative needs a literal, so one
native pass for the literals tells all places where a match could begin; there LiteLLM's own expression decides, so that
what is redacted is exactly what it redacts.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

SOURCES: Tuple[Source, ...] = (Source("litellm.litellm_core_utils.secret_redaction"),)
"""The file that holds the expression: its literals are those the native pass looks for."""


class SecretRedactionCandidate(Guarded):
    """
    Redacts as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.litellm_core_utils.secret_redaction`.
        semantics: Names the expression; there is one.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        self._match = reference._SECRET_RE.match
        self._redacted: str = reference.REDACTED
        super().__init__(native.IdentityGuard(reach.places(SOURCES, "python_redact_string")))

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Check that the call is one that is reproduced.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        if type(bound(_bound, args, kwargs)) is not str:
            raise Declined("opaque_value")

    def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> str:  # noqa: ARG002 - there is no plan
        """
        Returns:
            The text with every secret replaced.

        Raises:
            Declined: The places cannot be told.
        """
        value: str = bound(_bound, args, kwargs)
        parts: List[str] = []
        done = 0
        for start in native.secret_starts(value):
            found = self._match(value, start) if start >= done else None
            if found is not None:
                parts += (value[done:start], self._redacted)
                done = found.end()
        return "".join((*parts, value[done:]))


def _bound(value: Any) -> Any:
    return value
