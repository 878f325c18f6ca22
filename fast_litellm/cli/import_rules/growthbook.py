"""
GrowthBook's SDK payload: <https://docs.growthbook.io/lib/build-your-own>.

A unit that a percentage leaves out goes on to the next rule there, and not here;
so such a rule is the last one carried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from fast_litellm.cli.import_rules import conditions
from fast_litellm.cli.import_rules.draft import PYTHON, WHOLE, Draft, Mapping, NotCarriedError, Parts
from fast_litellm.cli.import_rules.draft import implementation as named

if TYPE_CHECKING:
    from fast_litellm.cli.import_rules.draft import Listing

HASH = "growthbook2"
_BUCKETS = 10_000
_HASH_VERSION = 2
_LEFT_OPEN = "Python answers the calls that reach it"
# What a rule may have without changing who gets what.
_SILENT = frozenset(
    {"id", "name", "meta", "phase", "tracks", "disableStickyBucketing", "bucketVersion", "minBucketVersion"}
)
_READ = frozenset(
    {"condition", "coverage", "hashAttribute", "hashVersion", "seed", "key", "force", "variations", "weights"}
)
_TESTS: Dict[str, Tuple[str, Callable[[Any], Any]]] = {
    "$eq": ("equals", conditions.scalar),
    "$ne": ("not_equals", conditions.scalar),
    "$in": ("in", conditions.listed),
    "$nin": ("not_in", conditions.listed),
    "$gt": ("gt", conditions.ordered),
    "$gte": ("gte", conditions.ordered),
    "$lt": ("lt", conditions.ordered),
    "$lte": ("lte", conditions.ordered),
    "$regex": ("matches", conditions.pattern),
    "$regexi": ("matches", conditions.pattern_ignoring_case),
    "$notRegex": ("not_matches", conditions.pattern),
    "$notRegexi": ("not_matches", conditions.pattern_ignoring_case),
    "$exists": ("exists", bool),
}
_GROUPS = {"$inGroup": "in", "$notInGroup": "not_in"}
_VERSIONS = {"$veq": "=", "$vgt": ">", "$vgte": ">=", "$vlt": "<", "$vlte": "<="}
_EQUAL_WEIGHTS_OUTSIDE = (0.99, 1.01)


def flags(document: Mapping) -> Dict[str, Mapping]:
    """
    Returns:
        The features by key, each with the saved groups it may refer to.
    """
    groups = document.get("savedGroups") or {}
    return {key: {**feature, "groups": groups} for key, feature in document["features"].items()}


def converted(name: str, feature: Mapping, listing: Listing) -> Draft:
    """
    Convert a feature.

    Args:
        name: The feature's key.
        feature: The feature as `flags` gives it.
        listing: Learns what is left out.

    Returns:
        The flag.
    """
    draft = Draft(salt=name)
    with listing.leaving_out(_LEFT_OPEN):
        fallback = named(feature.get("defaultValue"), listing)
        reader = _Reader(name, feature, listing, draft)
        rules = feature.get("rules") or []
        for position, rule in enumerate(rules):
            if reader.add(rule, fallback, last=position == len(rules) - 1):
                return draft
        draft.otherwise = fallback
    return draft


class _Reader:
    """Reads one feature's rules into its draft."""

    def __init__(self, name: str, feature: Mapping, listing: Listing, draft: Draft) -> None:
        self._name, self._groups, self._listing, self._draft = name, feature["groups"], listing, draft

    def add(self, rule: Mapping, fallback: str, *, last: bool) -> bool:
        """Adds a rule; whether nothing can follow it."""
        if unknown := sorted(set(rule) - _READ - _SILENT):
            raise NotCarriedError(f"rule with {', '.join(unknown)}", "it has no counterpart")
        when = Conditions(self._groups).read(rule.get("condition") or {})
        parts = self._forced(rule) if "force" in rule else self._varied(rule)
        rest = WHOLE - sum(millionths for _, millionths in parts)
        open_end = any(name is None for name, _ in parts) or rest > 0
        if open_end and not last:
            self._listing.add("rules after a percentage", "here a rule that holds decides for every unit", _LEFT_OPEN)
        beyond = fallback if last else PYTHON
        filled: Parts = [(name or beyond, millionths) for name, millionths in [*parts, (None, rest)]]
        return self._draft.rule(when, self._action(rule, filled)) or (open_end and not last)

    def _action(self, rule: Mapping, parts: Parts) -> Any:
        if len({name for name, millionths in parts if millionths}) > 1 and rule.get("hashVersion") != _HASH_VERSION:
            raise NotCarriedError("hash version 1", "the hash is GrowthBook's version 2")
        tracked = rule.get("key") if "variations" in rule else None
        salt = rule.get("seed") or tracked or self._name
        return self._draft.draw(parts, salt, rule.get("hashAttribute") or "id")

    def _forced(self, rule: Mapping) -> List[Any]:
        coverage = rule.get("coverage")
        share = WHOLE if coverage is None else _below(min(max(coverage, 0), 1))
        return [(named(rule["force"], self._listing), share)]

    def _varied(self, rule: Mapping) -> List[Any]:
        """Each variation's part, and one without a name for each gap that coverage leaves."""
        if "variations" not in rule:
            raise NotCarriedError("rule", "it has neither force nor variations")
        names = [named(value, self._listing) for value in rule["variations"]]
        coverage = min(max(rule.get("coverage", 1), 0), 1)
        parts: List[Any] = []
        start = 0.0
        for name, weight in zip(names, _weights(rule.get("weights"), len(names))):
            first, covered, end = _below(start), _below(start + coverage * weight), _below(start + weight)
            parts += [(name, covered - first), (None, end - covered)]
            start += weight
        return [(name, millionths) for name, millionths in parts if millionths]


def _weights(written: Optional[List[float]], count: int) -> List[float]:
    low, high = _EQUAL_WEIGHTS_OUTSIDE
    if not written or len(written) != count or not low <= sum(written) <= high:
        return [1 / count] * count
    return written


def _below(bound: float) -> int:
    """How many millionths lie below a bound: whole buckets, by the very comparison GrowthBook makes."""
    inside = max(int(bound * _BUCKETS) - 1, 0)
    while inside < _BUCKETS and inside / _BUCKETS < bound:
        inside += 1
    return inside * (WHOLE // _BUCKETS)


class Conditions:
    """
    Converts conditions.

    Args:
        groups: The payload's saved groups.
    """

    def __init__(self, groups: Mapping) -> None:
        self._groups = groups

    def read(self, condition: Mapping) -> Optional[Mapping]:
        """
        Returns:
            The condition; None for an empty one, which always holds.

        Raises:
            NotCarriedError: A part has no counterpart.
        """
        return conditions.all_of([self._part(key, value) for key, value in condition.items()])

    def _part(self, key: str, value: Any) -> Mapping:
        if key == "$not":
            return conditions.none_of(self._some(value))
        if key == "$and":
            return conditions.all_of([self._some(part) for part in value]) or conditions.any_of([])
        if key in {"$or", "$nor"}:
            either = conditions.any_of([self._some(part) for part in value])
            return either if key == "$or" else conditions.none_of(either)
        if key.startswith("$"):
            raise NotCarriedError(key, "there is no such condition")
        return self._attribute(key, value)

    def _some(self, condition: Mapping) -> Mapping:
        return self.read(condition) or conditions.any_of([])

    def _attribute(self, attribute: str, value: Any) -> Mapping:
        if value is None:
            return conditions.tested(attribute, "exists", False)
        if not isinstance(value, dict):
            return conditions.tested(attribute, "equals", conditions.scalar(value))
        parts = [self._test(attribute, operator, operand) for operator, operand in value.items()]
        return conditions.all_of(parts) or conditions.any_of([])

    def _test(self, attribute: str, operator: str, operand: Any) -> Mapping:
        if operator in _TESTS:
            name, value = _TESTS[operator]
            return conditions.tested(attribute, name, value(operand))
        if operator in _VERSIONS:
            return conditions.version(attribute, _VERSIONS[operator], operand)
        if operator == "$not":
            return conditions.none_of(self._attribute(attribute, operand))
        if operator in _GROUPS and isinstance(self._groups.get(operand), list):
            return conditions.tested(attribute, _GROUPS[operator], conditions.listed(self._groups[operand]))
        raise NotCarriedError(f"{operator} of {attribute}", "there is no such test")
