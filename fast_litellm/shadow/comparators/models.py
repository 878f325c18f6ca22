"""
Objects of pydantic's model classes, compared by all that they are made of.

Such an object is more than its `==` and its `repr` tell: which of its fields were set, what else it was given, and the
order of both decide how it is dumped. No model class is known here; an object is one by the attributes it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, FrozenSet, Optional, Tuple

from fast_litellm.shadow import engine
from fast_litellm.shadow.comparators.difference import Difference
from fast_litellm.shadow.comparators.exact import NEVER_CONTENT
from fast_litellm.shadow.comparators.ordered import ordered


@dataclass(frozen=True)
class Models:
    """
    Compares values in which there are models, and the order of their keys. Of a model count its very class, its fields,
    which of them were set, its extras and its private attributes.

    Args:
        known_keys: Dict keys that may be shown in paths: the parts of a model.
    """

    name: str = field(default="models/1", init=False)
    safe_types: Tuple[type, ...] = NEVER_CONTENT
    known_keys: FrozenSet[str] = frozenset({"class", "fields", "fields_set", "extra", "private"})
    takes_snapshots: bool = field(default=True, init=False)

    def freeze(self, value: Any, max_bytes: int) -> Tuple[Any, int]:
        """
        Returns:
            A copy in which models are told by plain dicts, and its size as `engine.freeze` estimates it.

        Raises:
            Unsnapshotable: There is something in it of which no copy can be made, or it is too large.
        """
        return engine.current().freeze_models(value, max_bytes)

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Returns:
            None when they are equal, otherwise their first difference.

        Raises:
            Unsnapshotable: Something in them is neither plain nor a model.
        """
        ours, theirs = engine.current().freeze_models(control)[0], engine.current().freeze_models(candidate)[0]
        return ordered(ours, theirs)


models = Models()
"""Shows no value but True, False and None, and no name of a field."""
