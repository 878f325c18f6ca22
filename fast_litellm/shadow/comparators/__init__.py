"""
Comparators: whether a control and a candidate did the same, and if not, how and where they differ.

    exact                          equal values of identical types
    ordered                        the same, and the keys of dicts in the same order
    models                         the same, of objects of pydantic's model classes as well
    tolerance(relative=1e-12)      the same, but numbers may differ a little
    unordered(items)               a list or tuple in any order
    ignoring(["$.id"])             some places need not be equal
    by_field({"$.cost": ...})      other comparators at other places
    canonical(uuids, times)        equal once identifiers and times are masked
    custom(function)               whatever a function says

They compose: `by_field({"$.choices": unordered(ignoring(["$.id"]))}, otherwise=tolerance(ulp=4))`. Paths are described
in `paths`. Each comparator has a `name` with its parameters and a version, and evidence belongs to it: a comparator
that is changed starts from nothing.
"""

from __future__ import annotations

from fast_litellm.shadow.comparators.canonical import Canonical, Mask, canonical, times, uuids
from fast_litellm.shadow.comparators.comparison import Comparator, compare, is_panic, snapshot
from fast_litellm.shadow.comparators.custom import Custom, custom
from fast_litellm.shadow.comparators.difference import KINDS, NOTHING, Difference, Item, Key, Path, Step
from fast_litellm.shadow.comparators.exact import Exact, exact
from fast_litellm.shadow.comparators.fields import by_field, ignoring
from fast_litellm.shadow.comparators.models import Models, models
from fast_litellm.shadow.comparators.ordered import Ordered, ordered
from fast_litellm.shadow.comparators.tolerance import Tolerance, tolerance
from fast_litellm.shadow.comparators.unordered import Unordered, unordered

__all__ = [
    "KINDS",
    "NOTHING",
    "Canonical",
    "Comparator",
    "Custom",
    "Difference",
    "Exact",
    "Item",
    "Key",
    "Mask",
    "Models",
    "Ordered",
    "Path",
    "Step",
    "Tolerance",
    "Unordered",
    "by_field",
    "canonical",
    "compare",
    "custom",
    "exact",
    "ignoring",
    "is_panic",
    "models",
    "ordered",
    "snapshot",
    "times",
    "tolerance",
    "unordered",
    "uuids",
]
