"""
flagd's flag definitions: <https://flagd.dev/reference/flag-definitions>, with JsonLogic as targeting.

An `if` becomes rules in its order, an `if` within a result becomes rules that also ask what led to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from fast_litellm.cli.import_rules import conditions
from fast_litellm.cli.import_rules.draft import WHOLE, Draft, Mapping, NotCarriedError, Parts
from fast_litellm.cli.import_rules.draft import implementation as named

if TYPE_CHECKING:
    from fast_litellm.cli.import_rules.draft import Listing

HASH = "flagd2"
_LEFT_OPEN = "Python answers the calls that reach it"
_UNIT = "targetingKey"
_OWN_KEY = {"var": "$flagd.flagKey"}
_EQUAL = {"==": "equals", "===": "equals", "!=": "not_equals", "!==": "not_equals"}
_ORDERS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_MIRRORED = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
_TEXTS = {"starts_with": "starts_with", "ends_with": "ends_with"}
_VERSIONS = {"=": "=", "!=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FORMS = ("cat:", "text:")


def flags(document: Mapping, *, as_text: bool = False) -> Dict[str, Mapping]:
    """
    Args:
        document: The whole file.
        as_text: What percentages hash is text, as flagd did before it hashed CBOR.

    Returns:
        The flags by key, each with its references filled in.
    """
    shared = document.get("$evaluators") or {}
    return {
        key: {**flag, "targeting": _filled_in(flag.get("targeting"), shared), "as_text": as_text}
        for key, flag in document["flags"].items()
    }


def _filled_in(logic: Any, shared: Mapping) -> Any:
    if isinstance(logic, list):
        return [_filled_in(part, shared) for part in logic]
    if not isinstance(logic, dict):
        return logic
    if set(logic) == {"$ref"} and logic["$ref"] in shared:
        others = {name: evaluator for name, evaluator in shared.items() if name != logic["$ref"]}
        return _filled_in(shared[logic["$ref"]], others)
    return {operator: _filled_in(operands, shared) for operator, operands in logic.items()}


def converted(name: str, flag: Mapping, listing: Listing) -> Draft:
    """
    Convert a flag.

    Args:
        name: The flag's key.
        flag: The flag as `flags` gives it.
        listing: Learns what is left out.

    Returns:
        The flag.
    """
    draft = Draft(salt=name, enabled=flag.get("state", "ENABLED") == "ENABLED")
    with listing.leaving_out(_LEFT_OPEN):
        _Reader(name, flag, listing, draft).read(flag["targeting"] or None, [])
    return draft


class _Reader:
    """Reads one flag's targeting into its draft."""

    def __init__(self, name: str, flag: Mapping, listing: Listing, draft: Draft) -> None:
        self._name, self._flag, self._listing, self._draft = name, flag, listing, draft
        self._variants = (flag.get("variants") or {}).items()

    def read(self, logic: Any, when: List[Mapping]) -> bool:
        """Adds the rules that give a result under conditions; whether nothing can follow them."""
        if not (isinstance(logic, dict) and set(logic) == {"if"}):
            return self._draft.rule(conditions.all_of(when), self._result(logic))
        operands = _operands(logic["if"])
        for position in range(0, len(operands) - 1, 2):
            if self.read(operands[position + 1], [*when, _condition(operands[position])]):
                return True
        return self.read(operands[-1] if len(operands) % 2 else None, when)

    def _result(self, logic: Any) -> Any:
        if isinstance(logic, dict):
            if set(logic) != {"fractional"}:
                raise NotCarriedError(f"result by {', '.join(logic)}", "a result is a variant or a fractional")
            return self._fractional(_operands(logic["fractional"]))
        return self._variant(logic)

    def _variant(self, variant: Any) -> str:
        key = self._flag.get("defaultVariant") if variant is None else variant
        key = str(key).lower() if isinstance(key, bool) else key
        if key is None:
            return named(None, self._listing)
        variants = {str(name).lower() if isinstance(name, bool) else name: value for name, value in self._variants}
        value = variants.get(key, key)
        return named(value if isinstance(value, bool) else key, self._listing)

    def _fractional(self, operands: List[Any]) -> Any:
        explicit = bool(operands) and not isinstance(operands[0], list)
        salt, unit = self._bucketing(operands[0]) if explicit else (self._short_salt(), _UNIT)
        weighted = [self._weighted(part) for part in operands[explicit:]]
        total = sum(weight for _, weight in weighted)
        parts: Parts = []
        passed = 0
        for name, weight in weighted:
            parts.append((name, _exact(passed + weight, total) - _exact(passed, total)))
            passed += weight
        return self._draft.draw(parts, salt, unit)

    def _weighted(self, part: Any) -> Tuple[str, int]:
        name, weight = (*part, 1)[:2]
        if isinstance(name, (dict, list)) or isinstance(weight, bool) or not isinstance(weight, int):
            raise NotCarriedError("computed fractional", "variants and weights stand in the file")
        return self._variant(name), max(weight, 0)

    def _short_salt(self) -> str:
        if self._flag["as_text"]:
            return f"text:{self._name}"
        if self._name.startswith(_FORMS):
            raise NotCarriedError("fractional", "a salt that begins so says how flagd joins it with the unit")
        return self._name

    def _bucketing(self, logic: Any) -> Tuple[str, str]:
        """The salt and the unit of `{"var": unit}` or `{"cat": [text, ..., {"var": unit}]}`."""
        pieces = _operands(logic["cat"]) if isinstance(logic, dict) and set(logic) == {"cat"} else [logic]
        before = [self._name if piece == _OWN_KEY else piece for piece in pieces[:-1]]
        unit = _variable(pieces[-1])
        if unit is None or not all(isinstance(piece, str) for piece in before):
            raise NotCarriedError("bucketing value", "expected texts followed by one attribute")
        return ("text:" if self._flag["as_text"] else "cat:") + "".join(before), unit


def _exact(weight: int, total: int) -> int:
    """A cumulative weight in millionths. It must be a whole number of them, since flagd scales by the total weight."""
    if not total or weight * WHOLE % total:
        raise NotCarriedError("weights", f"their total of {total} does not divide into steps of 0.0001 %")
    return weight * WHOLE // total


def _operands(operands: Any) -> List[Any]:
    return operands if isinstance(operands, list) else [operands]


def _variable(logic: Any) -> Optional[str]:
    """The attribute that logic reads; None when it does anything else."""
    if not isinstance(logic, dict) or set(logic) != {"var"}:
        return None
    operands = _operands(logic["var"])
    path = operands[0] if len(operands) == 1 else None
    return path if isinstance(path, str) and path and not path.startswith("$flagd") else None


def _condition(logic: Any) -> Mapping:
    if not isinstance(logic, dict) or len(logic) != 1:
        raise NotCarriedError("condition", "expected one operator")
    ((operator, written),) = logic.items()
    operands = _operands(written)
    if operator in {"and", "or"}:
        parts = [_condition(part) for part in operands]
        return conditions.any_of(parts) if operator == "or" or not parts else conditions.all_of(parts) or {}
    if operator == "!" and len(operands) == 1:
        return conditions.none_of(_condition(operands[0]))
    if operator == "!!" and len(operands) == 1:
        return _condition(operands[0])
    if operator == "sem_ver" and len(operands) == 3:  # noqa: PLR2004 - version, comparison, version
        return _version(operands)
    return _test(operator, operands)


def _test(operator: str, operands: List[Any]) -> Mapping:
    if len(operands) != 2:  # noqa: PLR2004 - the two sides
        raise NotCarriedError(operator, "expected two operands")
    left, right = (_variable(operand) for operand in operands)
    attribute, other = (left, operands[1]) if left else (right, operands[0])
    if attribute is None or isinstance(other, dict):
        raise NotCarriedError(operator, "expected one attribute and one value")
    if operator in _EQUAL and other is None:
        return conditions.tested(attribute, "exists", _EQUAL[operator] != "equals")
    if operator in _EQUAL:
        return conditions.tested(attribute, _EQUAL[operator], conditions.scalar(other))
    if operator in _ORDERS:
        order = _ORDERS[operator] if left else _MIRRORED[_ORDERS[operator]]
        return conditions.tested(attribute, order, conditions.ordered(other))
    if operator in _TEXTS and left and isinstance(other, str):
        return conditions.tested(attribute, _TEXTS[operator], other)
    if operator == "in" and left and isinstance(other, list):
        return conditions.tested(attribute, "in", conditions.listed(other))
    if operator == "in" and right and isinstance(other, str):
        return conditions.tested(attribute, "contains", other)
    raise NotCarriedError(f"{operator} of {attribute}", "there is no such test")


def _version(operands: List[Any]) -> Mapping:
    attribute, comparison, wanted = _variable(operands[0]), operands[1], operands[2]
    if attribute is None or not isinstance(comparison, str):
        raise NotCarriedError("sem_ver", "expected an attribute, a comparison and a version")
    if comparison in {"^", "~"}:
        conditions.version(attribute, "=", wanted)
        return _same_release(attribute, comparison, wanted)
    if comparison not in _VERSIONS:
        raise NotCarriedError(f"sem_ver {comparison}", "there is no such comparison")
    condition = conditions.version(attribute, _VERSIONS[comparison], wanted)
    return conditions.none_of(condition) if comparison == "!=" else condition


def _same_release(attribute: str, comparison: str, wanted: str) -> Mapping:
    """The tests ^ and ~ ask for the same major, or major and minor, number; also when the version is lower."""
    major, minor = map(int, wanted.lstrip("v").split(".")[:2])
    first, beyond = (
        (f"{major}.0.0", f"{major + 1}.0.0") if comparison == "^" else (f"{major}.{minor}.0", f"{major}.{minor + 1}.0")
    )
    # A pre-release called 0 comes before every other of its version.
    return conditions.tested(attribute, "semver", f">={first}-0, <{beyond}-0")
