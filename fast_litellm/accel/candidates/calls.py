"""
Binding a call's arguments to the control's parameters.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple, TypeVar

from fast_litellm.errors import Declined

_Bound = TypeVar("_Bound")


def bound(
    parameters: Callable[..., _Bound], args: Tuple[Any, ...], kwargs: Dict[str, Any], reason: str = "control_raises"
) -> _Bound:
    """
    Args:
        parameters: Has the control's parameters, and returns what is to be known of them.
        args: The caller's positional arguments.
        kwargs: The caller's keyword arguments.
        reason: Why a call is declined that does not fit.

    Returns:
        What it returns for the call's arguments.

    Raises:
        Declined: They are not the control's.
    """
    try:
        return parameters(*args, **kwargs)
    except TypeError:
        raise Declined(reason) from None
