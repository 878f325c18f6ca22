"""
Forms in which values that may differ without meaning anything are the same: identifiers and times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, Hashable, Optional, Tuple

from fast_litellm.shadow import source
from fast_litellm.shadow.comparators.comparison import Comparator
from fast_litellm.shadow.comparators.difference import Difference
from fast_litellm.shadow.comparators.exact import exact
from fast_litellm.shadow.comparators.matching import key_of

_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
# RFC 3339, with the blank and the missing offset that it allows agreements on.
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?(?!\d)")

Form = Callable[[Any], Any]


@dataclass(frozen=True)
class Mask:
    """
    Puts a fixed word in place of what a pattern finds, in every text of a plain value, dict keys included.

    Args:
        name: What it is called; with a version, because evidence belongs to it.
        pattern: What to look for.
        word: What to put there.
    """

    name: str
    pattern: re.Pattern[str]
    word: str

    def __call__(self, value: Any) -> Any:
        """
        Args:
            value: A plain value; it is not changed.

        Returns:
            The value, masked.
        """
        kind = type(value)
        if kind is str:
            return self.pattern.sub(self.word, value)
        if kind is dict:
            return _masked_dict(self, value)
        return kind(map(self, value)) if kind in (list, tuple, set, frozenset) else value


def _masked_dict(mask: Mask, value: Any) -> Any:
    masked = [(mask(key), mask(item)) for key, item in value.items()]
    made = dict(masked)
    # Two keys that become one would hide a value: then the items are compared as they come.
    return made if len(made) == len(value) else masked


uuids = Mask("uuids@1", _UUID, "<uuid>")
"""UUIDs in their usual text form."""

times = Mask("times@1", _TIME, "<time>")
"""Points in time as RFC 3339 writes them."""


@dataclass(frozen=True)
class Canonical:
    """
    Compares what functions make of both values.

    Args:
        forms: Applied one after the other; each returns another value and leaves its own alone.
        then: Compares what comes out.
    """

    forms: Tuple[Form, ...]
    then: Comparator = exact

    @property
    def name(self) -> str:
        """The functions, with digests of their code, and what comes after them."""
        return f"canonical({','.join([*map(_form_name, self.forms), f'then={self.then.name}'])})/1"

    @property
    def safe_types(self) -> Tuple[type, ...]:
        """Those of the comparator behind it."""
        return self.then.safe_types

    @property
    def known_keys(self) -> FrozenSet[str]:
        """Those of the comparator behind it."""
        return self.then.known_keys

    @property
    def takes_snapshots(self) -> bool:
        """Whether the comparator behind it does."""
        return self.then.takes_snapshots

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Returns:
            None when both forms are equal, otherwise their first difference.
        """
        return self.then(self._formed(control), self._formed(candidate))

    def key(self, value: Any) -> Hashable:
        """
        Returns:
            A stand-in that is equal for equal values.

        Raises:
            HasNoKey: The comparator behind it has none.
        """
        return key_of(self.then, self._formed(value))

    def _formed(self, value: Any) -> Any:
        for form in self.forms:
            value = form(value)
        return value


def canonical(*forms: Form, then: Comparator = exact) -> Canonical:
    """
    Returns:
        A comparator of what functions make of both values; see `Canonical`.

    Raises:
        ValueError: There is no function.
    """
    if not forms:
        raise ValueError("canonical takes at least one function, such as comparators.uuids")
    return Canonical(forms, then)


def _form_name(form: Form) -> str:
    return form.name if isinstance(form, Mask) else source.name(form)
