"""The conditions of a rule file, and what other engines' tests need to become one."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any, List, Optional

from fast_litellm.cli.import_rules.draft import Mapping, NotCarriedError

_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Constructs of other dialects that no linear-time engine has.
_NOT_LINEAR = re.compile(r"\(\?(?!:|i\)|P?<[A-Za-z_])|\\[1-9]|\\k|[*+?}]\+")


def tested(attribute: str, operator: str, value: Any) -> Mapping:
    """
    Returns:
        The condition that an attribute passes one test.

    Raises:
        NotCarriedError: The attribute's path has an empty part, or a part of a text is searched that is empty.
    """
    if not all(attribute.split(".")):
        raise NotCarriedError(f'attribute "{attribute}"', "a path has no empty parts")
    if value == "" and operator in {"contains", "starts_with", "ends_with", "matches"}:
        raise NotCarriedError(f"test of {attribute}", "every text has an empty part")
    return {"attr": attribute, operator: value}


def all_of(parts: List[Mapping]) -> Optional[Mapping]:
    """
    Returns:
        The condition that every part holds; None when there is no part, which always holds.
    """
    return {"all": parts} if len(parts) > 1 else next(iter(parts), None)


def any_of(parts: List[Mapping]) -> Mapping:
    """
    Returns:
        The condition that a part holds.

    Raises:
        NotCarriedError: There is no part.
    """
    if not parts:
        raise NotCarriedError("empty condition", "a condition needs something to test")
    return {"any": parts} if len(parts) > 1 else parts[0]


def listed(values: List[Any]) -> List[Any]:
    """
    Returns:
        The values.

    Raises:
        NotCarriedError: There is none, or one is no text, number or truth value.
    """
    if not values:
        raise NotCarriedError("empty list", "a condition needs something to test")
    return [scalar(value) for value in values]


def none_of(part: Mapping) -> Mapping:
    """
    Returns:
        The condition's exact opposite.
    """
    return {"not": part}


def scalar(value: object) -> Any:
    """
    Returns:
        The value.

    Raises:
        NotCarriedError: It is no text, number or truth value.
    """
    if not isinstance(value, (str, int, float)):
        raise NotCarriedError(f"value of kind {type(value).__name__}", "tests compare texts, numbers and truth values")
    return value


def number(value: object) -> Any:
    """
    Returns:
        The number that a text is, or the number.

    Raises:
        NotCarriedError: It is none.
    """
    if not isinstance(value, str):
        return ordered(value)
    try:
        return ordered(int(value) if value.lstrip("-").isdigit() else float(value))
    except ValueError:
        raise NotCarriedError("comparison", "only numbers are ordered") from None


def ordered(value: object) -> Any:
    """
    Returns:
        The number.

    Raises:
        NotCarriedError: It is none; texts have no order here.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise NotCarriedError("comparison", "only numbers are ordered")
    return value


def pattern(value: object) -> str:
    """
    Returns:
        A regular expression.

    Raises:
        NotCarriedError: It needs more than linear time, or is none.
    """
    if not isinstance(value, str) or _NOT_LINEAR.search(value):
        raise NotCarriedError("regular expression", "it has a construct that takes more than linear time")
    try:
        re.compile(value)
    except re.error:
        raise NotCarriedError("regular expression", "it is not valid") from None
    return value


def pattern_ignoring_case(value: object) -> str:
    """
    Returns:
        As `pattern`, one in which upper and lower case are the same.
    """
    return f"(?i){pattern(value)}"


def moment(value: object) -> str:
    """
    Returns:
        A time with its zone.

    Raises:
        NotCarriedError: It is none.
    """
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise NotCarriedError("time", "expected one with its zone, as in 2027-01-05T09:00:00Z")
    return value


def networks(values: List[Any]) -> List[str]:
    """
    Returns:
        The networks and addresses.

    Raises:
        NotCarriedError: There is none, or one of them is neither.
    """
    try:
        return [str(ipaddress.ip_network(value, strict=False)) for value in listed(values)]
    except ValueError:
        raise NotCarriedError("network", "expected networks and addresses, as in 10.0.0.0/8") from None


def version(attribute: str, comparison: str, value: object) -> Mapping:
    """
    Compare versions by precedence, pre-releases included.

    Args:
        attribute: Whose text is a version.
        comparison: One of = < <= > >=.
        value: The version it is compared with.

    Returns:
        The condition.

    Raises:
        NotCarriedError: The value is no version with three numbers.
    """
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise NotCarriedError("version", "expected three numbers, as in 1.2.3")
    return tested(attribute, "semver", f"{comparison}{value.lstrip('v')}")
