"""
What a comparator is, and what it is asked: whether two observations are of the same behaviour.
"""

from __future__ import annotations

from typing import Any, FrozenSet, Optional, Protocol, Tuple

from fast_litellm.shadow import engine
from fast_litellm.shadow.comparators.difference import KINDS, Difference
from fast_litellm.shadow.observation import Observation


class Comparator(Protocol):
    """
    Compares two returned values.

    `name` names the comparator, its parameters and its version: evidence belongs to it. Values of `safe_types` and
    dict keys in `known_keys` are never content and may be shown. With `takes_snapshots`, it is given frozen copies,
    and a value of which none can be made is not compared; a comparator with a `freeze` of its own makes them itself.
    """

    @property
    def name(self) -> str: ...

    @property
    def safe_types(self) -> Tuple[type, ...]: ...

    @property
    def known_keys(self) -> FrozenSet[str]: ...

    @property
    def takes_snapshots(self) -> bool: ...

    def __call__(self, control: Any, candidate: Any, /) -> Optional[Difference]: ...


def snapshot(comparator: Comparator, value: Any, max_bytes: int) -> Any:
    """
    Returns:
        What is kept of an answer until it is compared, in a form nobody can change any more.

    Raises:
        Unsnapshotable: There is none, or it is too large.
    """
    if not comparator.takes_snapshots:
        return value
    freeze = getattr(comparator, "freeze", engine.current().freeze)
    return freeze(value, max_bytes)[0]


def compare(comparator: Comparator, control: Observation, candidate: Observation) -> Optional[Difference]:
    """
    Compare two observations: values by the comparator, exceptions by class and text.

    Returns:
        None when both sides did the same. A comparator that raises is a difference of its own kind.
    """
    if candidate.error_type is not None and is_panic(candidate.error_type):
        return Difference("panic", (), control, candidate)
    if control.error_type is not None:
        return _exceptions(control, candidate)
    if candidate.error_type is not None:
        return Difference("value_against_exception", (), control, candidate)
    try:
        return _checked(comparator(control.value, candidate.value))
    except BaseException as error:
        return Difference("comparator_error", (), control, Observation(error_type=type(error)))


def is_panic(error_type: type) -> bool:
    """
    Returns:
        Whether this is the class PyO3 raises for a panic; it has no importable name.
    """
    return error_type.__name__ == "PanicException" and error_type.__module__ == "pyo3_runtime"


def _checked(found: object) -> Optional[Difference]:
    """A comparator that answers something else, or a kind nobody knows, must not pass for a match."""
    if found is None or (isinstance(found, Difference) and found.kind in KINDS):
        return found
    raise TypeError(f"a comparator returns None or a Difference of a known kind, not {type(found).__name__}")


def _exceptions(control: Observation, candidate: Observation) -> Optional[Difference]:
    if candidate.error_type is None:
        return Difference("exception_against_value", (), control, candidate)
    if control.error_type is not candidate.error_type:
        return Difference("exception_class", (), control, candidate)
    if control.error_text != candidate.error_text:
        return Difference("exception_text", (), control, candidate)
    return None
