"""
Other comparators at other places of one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, FrozenSet, Hashable, Iterable, Mapping, Optional, Tuple

from fast_litellm.shadow.comparators import paths
from fast_litellm.shadow.comparators.comparison import Comparator
from fast_litellm.shadow.comparators.difference import Item, Key
from fast_litellm.shadow.comparators.exact import equal, exact
from fast_litellm.shadow.comparators.structure import Structure


class Ignored:
    """Finds everything equal; a dict may even lack the key."""

    name = "ignored/1"
    safe_types: Tuple[type, ...] = ()
    known_keys: FrozenSet[str] = frozenset()
    takes_snapshots = True

    def __call__(self, _control: Any, _candidate: Any) -> None:
        """Nothing differs."""

    def key(self, _value: Any) -> Hashable:
        """
        Returns:
            The same for every value.
        """
        return None


IGNORED = Ignored()
Rule = Tuple[paths.Steps, Comparator]


@dataclass(frozen=True)
class ByField(Structure):
    """
    Compares what a path leads to by that path's comparator, and everything else by `otherwise`.

    Containers on the way to a path are compared in order, type and length. What no path leads to is given to
    `otherwise` as a whole. Where several paths lead to one place, the first of them counts.

    Args:
        rules: Steps yet to be taken, and the comparator they lead to; none of the first is empty.
        otherwise: The comparator for everything else.
        name: What to call it.
    """

    rules: Tuple[Rule, ...]
    otherwise: Comparator
    name: str = ""

    @property
    def safe_types(self) -> Tuple[type, ...]:
        """Those of `otherwise`; a difference at a path is shown by the rule of that path."""
        return self.otherwise.safe_types

    @property
    def known_keys(self) -> FrozenSet[str]:
        """Those of all comparators, and those that are written in a path."""
        named = (step.key for steps, _ in self.rules for step in steps if isinstance(step, Key))
        nested = [self.otherwise.known_keys, *(comparator.known_keys for _, comparator in self.rules)]
        return frozenset(key for key in named if key is not paths.ANY_KEY.key).union(*nested)

    @property
    def takes_snapshots(self) -> bool:
        """Whether every comparator does."""
        return all(it.takes_snapshots for it in (self.otherwise, *(comparator for _, comparator in self.rules)))

    @property
    def is_uniform(self) -> bool:
        """Whether no path names an index here."""
        return all(not isinstance(steps[0], Item) or steps[0].index is None for steps, _ in self.rules)

    @property
    def rule(self) -> Any:
        """Containers on the way are compared on behalf of `otherwise`."""
        return self.otherwise

    def item(self, index: Optional[int]) -> Comparator:
        """
        Returns:
            The comparator for an item.
        """
        return self._after(Item(index))

    def value(self, key: Any) -> Optional[Comparator]:
        """
        Returns:
            The comparator for a dict's value, or None when it is ignored.
        """
        found = self._after(Key(key))
        return None if found is IGNORED else found

    def scalars(self, control: Any, candidate: Any) -> Optional[str]:
        """
        Returns:
            "value" when two scalars differ where a path expects a container, else None.
        """
        return None if equal(control, candidate) else "value"

    def _after(self, step: Any) -> Comparator:
        rules = tuple((steps[1:], comparator) for steps, comparator in self.rules if paths.covers(steps[0], step))
        if not rules:
            return self.otherwise
        reached = next((comparator for steps, comparator in rules if not steps), None)
        return reached or ByField(rules, self.otherwise)


def by_field(comparators: Mapping[str, Comparator], otherwise: Comparator = exact) -> Comparator:
    """
    Args:
        comparators: Path to comparator, such as `{"$.usage.cost": tolerance(relative=1e-12)}`; see `paths`.
        otherwise: The comparator for everything no path leads to.

    Returns:
        A comparator of dicts, lists and tuples.

    Raises:
        ValueError: A path cannot be read, or one leads to something inside what another leads to.
    """
    parsed = [(path, paths.parse(path)) for path in comparators]
    overlap = paths.first_overlap(parsed)
    if overlap is not None:
        hint = f"give the comparator of {overlap[0]} the rest of the path itself: by_field(...) there"
        raise ValueError(f"{overlap[1]} lies inside {overlap[0]}, which has a comparator already\n    hint: {hint}")
    rules = tuple((steps, comparators[path]) for path, steps in parsed)
    parts = [f"{path}={comparator.name}" for path, comparator in comparators.items()]
    return ByField(rules, otherwise, f"by_field({','.join([*parts, f'otherwise={otherwise.name}'])})/1")


def ignoring(ignored: Iterable[str], then: Comparator = exact) -> Comparator:
    """
    Args:
        ignored: Paths of what need not be equal, nor even be there; not the whole value.
        then: The comparator for everything else.

    Returns:
        A comparator of dicts, lists and tuples.

    Raises:
        ValueError: A path cannot be read, or one leads to something inside what another leads to.
    """
    names = tuple(ignored)
    made = by_field(dict.fromkeys(names, IGNORED), then)
    if "$" in names:
        raise ValueError("a comparator that ignores everything finds nothing")
    return made
