"""
Unleash's client features: <https://docs.getunleash.io/reference/api/unleash/get-all-client-features>.

A flag is on when any of its strategies is; ours takes the first rule that holds. Both agree when every strategy but the
last puts all its units on, so those come first, and at most one that divides units comes last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from fast_litellm.cli.import_rules import conditions
from fast_litellm.cli.import_rules.draft import PYTHON, RUST, WHOLE, Draft, Mapping, NotCarriedError, Parts, valid_name
from fast_litellm.cli.import_rules.draft import implementation as named

if TYPE_CHECKING:
    from fast_litellm.cli.import_rules.draft import Listing

HASH = "unleash"
_PERCENT = WHOLE // 100
_WEIGHT = WHOLE // 1000
_LEFT_OPEN = "Python answers the calls it would have put on"
_TEXTS = {"STR_STARTS_WITH": "starts_with", "STR_ENDS_WITH": "ends_with", "STR_CONTAINS": "contains"}
_AROUND = {"STR_STARTS_WITH": "^(?:{})", "STR_ENDS_WITH": r"(?:{})\z", "STR_CONTAINS": "{}"}
_NUMBERS = {"NUM_EQ": "equals", "NUM_GT": "gt", "NUM_GTE": "gte", "NUM_LT": "lt", "NUM_LTE": "lte"}
_LISTS = {"IN": "in", "NOT_IN": "not_in"}
_DATES = {"DATE_AFTER": "after", "DATE_BEFORE": "before"}
_VERSIONS = {"SEMVER_EQ": "=", "SEMVER_GT": ">", "SEMVER_LT": "<", "SEMVER_GTE": ">=", "SEMVER_LTE": "<="}
_ROLLOUTS = {"gradualRolloutUserId": "userId", "gradualRolloutSessionId": "sessionId"}


def flags(document: Mapping) -> Dict[str, Mapping]:
    """
    Returns:
        The features by name, each with the segments it may refer to.
    """
    segments = {segment["id"]: segment.get("constraints", []) for segment in document.get("segments", ())}
    return {feature["name"]: {**feature, "segment_constraints": segments} for feature in document["features"]}


def converted(name: str, feature: Mapping, listing: Listing) -> Draft:
    """
    Convert a feature.

    Args:
        name: The feature's name.
        feature: The feature as `flags` gives it.
        listing: Learns what is left out.

    Returns:
        The flag.
    """
    draft = Draft(salt=name, enabled=bool(feature.get("enabled")))
    with listing.leaving_out("Python answers all its calls"):
        draft.requires = [_requirement(parent, listing) for parent in feature.get("dependencies", ())]
        _Reader(name, feature, listing, draft).read()
    return draft


def _requirement(parent: Mapping, listing: Listing) -> Mapping:
    if parent.get("enabled") is False or parent.get("variants"):
        raise NotCarriedError("dependency", "only a parent that is on can be required")
    return {"flag": valid_name(parent["feature"], listing), "serves": RUST}


class _Reader:
    """Reads one feature into its draft."""

    def __init__(self, name: str, feature: Mapping, listing: Listing, draft: Draft) -> None:
        self._name, self._feature, self._listing, self._draft = name, feature, listing, draft

    def read(self) -> None:
        """Adds the strategies: those that put everyone on first, and one that divides units last."""
        divided = []
        for strategy in self._feature.get("strategies") or [{"name": "default"}]:
            with self._listing.leaving_out(_LEFT_OPEN):
                if self._share(strategy) < WHOLE:
                    divided.append(strategy)
                elif self._add(strategy):
                    return
        for position, strategy in enumerate(divided):
            with self._listing.leaving_out(_LEFT_OPEN):
                if position:
                    raise NotCarriedError(f"strategy {strategy['name']}", "a second strategy divides units")
                self._add(strategy)

    def _add(self, strategy: Mapping) -> bool:
        constraints = list(strategy.get("constraints") or ())
        for segment in strategy.get("segments") or ():
            if segment not in self._feature["segment_constraints"]:
                raise NotCarriedError(f"segment {segment}", "the file does not have it")
            constraints += self._feature["segment_constraints"][segment]
        parts = [constraint(each, self._listing) for each in constraints] + _own_tests(strategy)
        return self._draft.rule(conditions.all_of(parts), self._action(strategy))

    def _share(self, strategy: Mapping) -> int:
        parameters = strategy.get("parameters") or {}
        if strategy.get("disabled"):
            raise NotCarriedError(f"disabled strategy {strategy['name']}", "it puts nobody on")
        if strategy["name"] == "flexibleRollout":
            return _percentage(parameters.get("rollout"))
        if strategy["name"] in _ROLLOUTS:
            return _percentage(parameters.get("percentage"))
        if strategy["name"] in {"default", "userWithId", "remoteAddress"}:
            return WHOLE
        raise NotCarriedError(f"strategy {strategy['name']}", "it is not one of those with a counterpart")

    def _action(self, strategy: Mapping) -> Any:
        share, parameters = self._share(strategy), strategy.get("parameters") or {}
        group = parameters.get("groupId") or self._name
        if variants := strategy.get("variants"):
            return self._variants(variants, group, share)
        if variants := self._feature.get("variants"):
            return self._variants(variants, self._name, share)
        if share in {0, WHOLE}:
            return RUST if share else PYTHON
        unit = _ROLLOUTS.get(strategy["name"]) or self._stickiness(parameters.get("stickiness", "default"))
        return self._draft.draw([(RUST, share), (PYTHON, WHOLE - share)], group, unit)

    def _variants(self, variants: List[Mapping], group: str, share: int) -> Any:
        if share < WHOLE:
            raise NotCarriedError("variants", "they are drawn a second time, among the units of the percentage")
        if any(variant.get("overrides") for variant in variants):
            raise NotCarriedError("variant overrides", "a variant has no list of units")
        parts: Parts = [(named(each["name"], self._listing), each["weight"] * _WEIGHT) for each in variants]
        if sum(millionths for _, millionths in parts) != WHOLE:
            raise NotCarriedError("variants", "their weights do not add up to 1000")
        owners = [name for name, millionths in parts if millionths]
        if len(set(owners)) > 1 and owners[0] != PYTHON and set(owners[1:]) == {PYTHON}:
            raise NotCarriedError("variants", "one candidate before Python alone would be drawn as a percentage")
        return self._draft.draw(parts, group, self._stickiness(variants[0].get("stickiness", "default")))

    def _stickiness(self, stickiness: str) -> str:
        if stickiness == "random":
            raise NotCarriedError("random stickiness", "a unit always has one side")
        if stickiness != "default":
            return stickiness
        self._listing.add(
            "default stickiness", "one attribute is hashed: userId", "Python answers calls that have only a session"
        )
        return "userId"


def _percentage(written: object) -> int:
    if not re.fullmatch(r"\d{1,3}", str(written)):
        raise NotCarriedError("percentage", "expected a whole number from 0 to 100")
    return min(int(str(written)), 100) * _PERCENT


def _own_tests(strategy: Mapping) -> List[Mapping]:
    parameters = strategy.get("parameters") or {}
    if strategy["name"] == "userWithId":
        return [conditions.tested("userId", "in", conditions.listed(_words(parameters.get("userIds"))))]
    if strategy["name"] == "remoteAddress":
        return [conditions.tested("remoteAddress", "cidr", conditions.networks(_words(parameters.get("IPs"))))]
    return []


def _words(written: Optional[str]) -> List[str]:
    return [word.strip() for word in (written or "").split(",") if word.strip()]


def constraint(written: Mapping, listing: Listing) -> Mapping:
    """
    Convert a constraint.

    Args:
        written: With contextName, operator, values or value, inverted and caseInsensitive.
        listing: Learns what differs.

    Returns:
        The condition.

    Raises:
        NotCarriedError: It has no counterpart.
    """
    condition = _positive(written, listing)
    return conditions.none_of(condition) if written.get("inverted") else condition


def _positive(written: Mapping, listing: Listing) -> Mapping:
    attribute, operator, value = written["contextName"], written["operator"], written.get("value")
    values, ignoring_case = list(written.get("values") or ()), bool(written.get("caseInsensitive"))
    if operator in _LISTS:
        return conditions.tested(attribute, _LISTS[operator], conditions.listed(values))
    if operator == "CIDR":
        return conditions.tested(attribute, "cidr", conditions.networks(values))
    if operator in _TEXTS:
        return _text(attribute, operator, values, ignoring_case)
    if operator in _VERSIONS:
        return conditions.version(attribute, _VERSIONS[operator], value)
    if operator == "REGEX":
        pattern = conditions.pattern_ignoring_case if ignoring_case else conditions.pattern
        return conditions.tested(attribute, "matches", pattern(value))
    return _compared(attribute, operator, value, listing)


def _compared(attribute: str, operator: str, value: object, listing: Listing) -> Mapping:
    if operator in _NUMBERS:
        condition = conditions.tested(attribute, _NUMBERS[operator], conditions.number(value))
        listing.add(f"{attribute} in {operator}", "numbers are compared with numbers", "give the attribute as a number")
        return condition
    if operator in _DATES and attribute != "currentTime":
        return conditions.tested(attribute, _DATES[operator], conditions.moment(value))
    raise NotCarriedError(f"{operator} of {attribute}", "there is no such test")


def _text(attribute: str, operator: str, values: List[str], ignoring_case: bool) -> Mapping:
    if not ignoring_case:
        return conditions.any_of([conditions.tested(attribute, _TEXTS[operator], value) for value in values])
    choices = "|".join(map(re.escape, conditions.listed(values)))
    return conditions.tested(attribute, "matches", "(?i)" + _AROUND[operator].format(choices))
