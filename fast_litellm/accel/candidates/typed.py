"""
Candidates that make a plan for each type of the SDK's that they are called with, once.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Generic, Optional, Tuple, TypeVar

from fast_litellm.accel import native
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.errors import Declined

_MAX_TYPES = 1024
"""Types remembered, of which the SDK has some 400; a program that makes types as it runs cannot grow the table."""

_Plan = TypeVar("_Plan")


class TypedCandidate(Guarded, Generic[_Plan]):
    """
    Prepares a call by the plan of its type.

    Args:
        untouched: Notices that somebody has replaced something of the reference.
        parameters: Has the control's parameters; returns the value and its type.
        reasons: Why a call is declined with other arguments, and why one of a type that is not reproduced.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(
        self, untouched: native.IdentityGuard, parameters: Callable[..., Tuple[Any, Any]], reasons: Tuple[str, str]
    ) -> None:
        super().__init__(untouched)
        self._parameters = parameters
        self._misfit, self._unknown = reasons
        self._plans: Dict[Any, Optional[_Plan]] = {}

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> _Plan:
        """
        Find the plan of the type, or make it.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        self._untouched.check()
        _, cls = bound(self._parameters, args, kwargs, self._misfit)
        try:
            plan = self._plans[cls] if cls in self._plans else self._remember(cls)
        except TypeError:  # it has no hash
            plan = None
        if plan is None:
            raise Declined(self._unknown)
        return plan

    def _remember(self, cls: Any) -> Optional[_Plan]:
        """Once a type, also for one that is not reproduced: looking at it takes longer than the reference would."""
        if len(self._plans) >= _MAX_TYPES:
            return None
        self._plans[cls] = self._compile(cls)
        return self._plans[cls]

    def _compile(self, cls: Any) -> Optional[_Plan]:
        raise NotImplementedError
