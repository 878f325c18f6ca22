"""
A program's own function as a comparator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, FrozenSet, Optional, Tuple, Union

from fast_litellm.shadow import source
from fast_litellm.shadow.comparators.difference import Difference
from fast_litellm.shadow.comparators.exact import NEVER_CONTENT

Function = Callable[[Any, Any], Union[bool, Difference, None]]


@dataclass(frozen=True)
class Custom:
    """
    Asks a function. What it raises, or answers beside True, False and a `Difference`, is a comparator error.

    Args:
        function: Called with the control's value and the candidate's, which it must not change. True means equal;
            None does not, because it is what a function returns that forgot to.
        version: To be changed with whatever the function relies on beyond its own code, such as what it calls.
        safe_types: Types whose values are never content.
        known_keys: Dict keys that may be shown in paths.
        takes_snapshots: Whether it is given frozen copies of plain values, or the very objects.
    """

    function: Function
    version: str = "1"
    safe_types: Tuple[type, ...] = NEVER_CONTENT
    known_keys: FrozenSet[str] = frozenset()
    takes_snapshots: bool = True

    @property
    def name(self) -> str:
        """The function's name with a digest of its code, so that evidence is lost with a change of either."""
        return f"custom({source.name(self.function)})/{self.version}"

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Returns:
            None when the function found them equal, otherwise its difference or one of the whole values.

        Raises:
            TypeError: It answered neither with a bool nor with a `Difference`.
        """
        answer = self.function(control, candidate)
        if answer is True:
            return None
        if answer is False:
            return Difference("value", (), control, candidate, self)
        if isinstance(answer, Difference):
            return replace(answer, rule=self)
        raise TypeError(f"a comparator's function returns True, False or a Difference, not {type(answer).__name__}")


def custom(function: Function, version: str = "1") -> Custom:
    """
    Returns:
        A comparator that asks a function; see `Custom`.
    """
    return Custom(function, version)
