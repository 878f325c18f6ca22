"""
The `when` of a rule, and segments.

    {attr: team, in: [a, b]}                  one attribute passes a test; several tests of one attribute must all pass
    {segment: beta_orgs}                      the named condition holds
    {all: [...]} {any: [...]} {not: {...}}    every, at least one, not this

Kinds are strict: a text never equals a number, and true never equals 1; 1 equals 1.0. A missing attribute (absent or
None) or one of a kind the test does not know makes a test false, and therefore its `not` true.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from fast_litellm.flags import engine, fields

if TYPE_CHECKING:
    from fast_litellm.flags.nodes import Findings, Node

Condition = Dict[str, Any]
"""A condition in the form the engine reads; for rules with problems it may have holes."""

_FORMS = ("attr", "segment", "all", "any", "not")
_INTEGERS = range(-(2**63), 2**63)


class ConditionReader:
    """
    Reads conditions and remembers which segments they name.

    Args:
        findings: Where problems are noted.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.references: List[Tuple[Node, str]] = []

    def read(self, node: Node) -> Optional[Condition]:
        """Returns the condition in the engine's form."""
        known = (*_FORMS, *_OPERATORS)
        found = fields.mapping(node, self._findings, known)
        forms = [form for form in _FORMS if form in found]
        if len(forms) != 1:
            if isinstance(node.value, dict):
                got = " and ".join(forms) or "none of them"
                self._findings.add(node, f"expected exactly one of {', '.join(_FORMS)}, got {got}")
            return None
        if forms[0] == "attr":
            return self._attribute(node, found)
        for name in found.keys() - {forms[0]}:
            self._findings.add(found[name], f'expected "{forms[0]}" alone, got "{name}" beside it')
        return self._composed(forms[0], found[forms[0]])

    def _composed(self, form: str, node: Node) -> Optional[Condition]:
        if form == "segment":
            name = fields.text(node, self._findings)
            if name is not None:
                self.references.append((node, name))
            return {"segment": name}
        if form == "not":
            return {"not": self.read(node)}
        return {form: [self.read(part) for part in fields.items(node, self._findings)]}

    def _attribute(self, node: Node, found: Dict[str, Node]) -> Optional[Condition]:
        path = fields.attribute(found.pop("attr"), self._findings)
        if isinstance(node.value, dict) and node.value.keys() == {"attr"}:
            self._findings.add(node, f"expected a test ({', '.join(_OPERATORS)}), got none")
        tests = [{"attr": [path, {name: _OPERATORS[name](value, self._findings)}]} for name, value in found.items()]
        return tests[0] if len(tests) == 1 else {"all": tests}


def _scalar(node: Node, findings: Findings) -> Any:
    value = node.value
    if isinstance(value, str):
        return value if fields.is_unicode(value) else findings.expected(node, "Unicode text")
    if isinstance(value, bool):
        return value
    return _number(node, findings, "a text, a number, true or false")


def _number(node: Node, findings: Findings, wanted: str = "a number") -> Any:
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _INTEGERS else findings.expected(node, "a whole number within 64 bits")
    if isinstance(value, float) and math.isfinite(value):
        return value
    hint = "to test for absence, write exists: false" if value is None else ""
    return findings.expected(node, wanted, hint)


def _scalars(node: Node, findings: Findings) -> List[Any]:
    return [_scalar(item, findings) for item in fields.items(node, findings)]


def _pattern(node: Node, findings: Findings) -> Optional[str]:
    pattern = fields.text(node, findings)
    problem = engine.current().pattern_problem(pattern) if pattern is not None else None
    if problem is not None:
        reason = problem.strip().splitlines()[-1].replace("error: ", "")
        findings.add(node, f"expected a regular expression, got an invalid one: {reason}")
    return pattern


_OPERATORS: Dict[str, Callable[[Node, Findings], Any]] = {
    "equals": _scalar,
    "in": _scalars,
    "contains": _scalar,
    "starts_with": fields.text,
    "ends_with": fields.text,
    "matches": _pattern,
    "gt": _number,
    "gte": _number,
    "lt": _number,
    "lte": _number,
    "exists": fields.boolean,
}
