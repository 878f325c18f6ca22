"""
Equal values of identical types, with the keys of every dict in the same order: for what is sent as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Hashable, Optional

from fast_litellm.shadow.comparators.difference import Difference
from fast_litellm.shadow.comparators.exact import Exact
from fast_litellm.shadow.comparators.structure import identity


@dataclass(frozen=True)
class Ordered(Exact):
    """Stricter than `Exact`: two dicts are of one order, as their JSON texts are then the same."""

    name: str = field(default="ordered/1", init=False)

    def key(self, value: Any) -> Hashable:
        """
        Returns:
            A stand-in that tells the order of keys as well.

        Raises:
            TypeError: The type is not plain.
        """
        if type(value) is dict:
            return dict, tuple((identity(key), self.key(item)) for key, item in value.items())
        return super().key(value)

    def _dicts(self, control: Dict[Any, Any], candidate: Dict[Any, Any]) -> Optional[Difference]:
        found = super()._dicts(control, candidate)
        if found is None and list(control) != list(candidate):
            return self._found("order", control, candidate)
        return found


ordered = Ordered()
"""Shows no value but True, False and None."""
