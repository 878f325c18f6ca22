"""
One flag of a rule file.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from fast_litellm.flags import fields, percent
from fast_litellm.flags.conditions import ConditionReader

if TYPE_CHECKING:
    from fast_litellm.flags.nodes import Entry, Findings, Node

STAGES = ("off", "shadow", "canary", "on")
DEFAULT_BUDGET = 50_000
"""Of one core, how many millionths shadow runs may take: 5 %."""

_KEYS = ("enabled", "stage", "owner", "expires", "salt", "unit", "rules", "otherwise", "shadow")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")

Action = Dict[str, Any]
"""What a rule does, in the form the engine reads: {"serve": name} or {"split": [[name, millionths], ...]}."""


class Flag(NamedTuple):
    """
    A flag that has been read.

    Args:
        compiled: What the engine needs of it.
        notes: What only people and the shadow runner need: owner, expires, shadow.
    """

    compiled: Dict[str, Any]
    notes: Dict[str, Any]


class FlagReader:
    """
    Reads the flags of one file.

    Args:
        findings: Where problems are noted.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._conditions = ConditionReader(findings)

    @property
    def references(self) -> List[Tuple[Node, str]]:
        """The segments that rules name, and where."""
        return self._conditions.references

    def read(self, entry: Entry) -> Flag:
        """Returns the flag; with problems noted, it may have holes."""
        found = fields.mapping(entry.value, self._findings, _KEYS)
        shadow = self._shadow(found.get("shadow"))
        enabled = "enabled" not in found or fields.boolean(found["enabled"], self._findings)
        compiled = {
            "line": entry.key.line,
            "killed": enabled is False,
            "stage": fields.choice(found.get("stage"), self._findings, STAGES),
            "salt": fields.text(found.get("salt"), self._findings),
            "unit": fields.attribute(found.get("unit"), self._findings),
            "rules": self._rules(found.get("rules")),
            "otherwise": self._otherwise(found.get("otherwise")),
            "shadow": None if shadow is None else shadow["percent"],
        }
        self._check_pin(found, compiled)
        notes = {
            "owner": fields.text(found.get("owner"), self._findings),
            "expires": self._date(found.get("expires")),
            "shadow": shadow or {"percent": percent.WHOLE, "budget": DEFAULT_BUDGET},
        }
        return Flag(compiled, notes)

    def _shadow(self, node: Optional[Node]) -> Optional[Dict[str, int]]:
        if node is None:
            return None
        found = fields.mapping(node, self._findings, ("percent", "budget"))
        budget = fields.percentage(found.get("budget"), self._findings, DEFAULT_BUDGET)
        if budget == 0:
            self._findings.expected(
                found["budget"], "a share of one core above 0%", "to compare nothing, write percent: 0"
            )
        return {"percent": fields.percentage(found.get("percent"), self._findings, percent.WHOLE), "budget": budget}

    def _date(self, node: Optional[Node]) -> Optional[str]:
        if node is None:
            return None
        try:
            dt.date.fromisoformat(node.text if _DATE.match(node.text) else "")
        except ValueError:
            self._findings.expected(node, "a date such as 2027-03-31")
        return node.text

    def _rules(self, node: Optional[Node]) -> List[Dict[str, Any]]:
        if node is None:
            return []
        items = fields.items(node, self._findings)
        rules = [self._rule(item) for item in items]
        seen: Dict[str, Node] = {}
        for rule, item in zip(rules, items):
            first = seen.setdefault(rule["name"], item)
            if first is not item and rule["name"] is not None:
                self._findings.add(
                    item, f'expected each rule\'s name once, got "{rule["name"]}" again (first: {first.path})'
                )
        return rules

    def _rule(self, node: Node) -> Dict[str, Any]:
        found = fields.mapping(node, self._findings, ("name", "when", "serve", "split"))
        when = fields.required(node, found, "when", self._findings)
        return {
            "name": fields.text(fields.required(node, found, "name", self._findings), self._findings),
            "line": node.line,
            "when": None if when is None else self._conditions.read(when),
            "then": self._action(node, found),
        }

    def _otherwise(self, node: Optional[Node]) -> Optional[Action]:
        if node is None:
            return None
        if isinstance(node.value, dict):
            return self._action(node, fields.mapping(node, self._findings, ("serve", "split")))
        return {"serve": self._implementation(node)}

    def _action(self, node: Node, found: Dict[str, Node]) -> Optional[Action]:
        if ("serve" in found) == ("split" in found):
            if isinstance(node.value, dict):
                got = "both" if "serve" in found else "neither"
                self._findings.add(node, f"expected either serve or split, got {got}")
            return None
        if "serve" in found:
            return {"serve": self._implementation(found["serve"])}
        return {"split": self._split(found["split"])}

    def _split(self, node: Node) -> List[Tuple[str, int]]:
        found = fields.named(node, self._findings)
        shares = [(name, percent.millionths(entry.value, self._findings)) for name, entry in found.items()]
        parts = [(name, share) for name, share in shares if share is not None]
        total = sum(share for _, share in parts)
        if isinstance(node.value, dict) and len(parts) == len(node.value) and total != percent.WHOLE:
            hint = (
                ""
                if "python" in found or total > percent.WHOLE
                else f"add python: {percent.shown(percent.WHOLE - total)}"
            )
            self._findings.add(node, f"expected percentages that add up to 100, got {percent.shown(total)}", hint)
        return parts

    def _implementation(self, node: Node) -> Optional[str]:
        name = fields.text(node, self._findings)
        if name is not None and not fields.NAME.match(name):
            self._findings.expected(node, "python, rust or another implementation's name", fields.NAME_WANTED)
        return name

    def _check_pin(self, found: Dict[str, Node], compiled: Dict[str, Any]) -> None:
        """Notes pinned stages that contradict the flag so far that they could only be a mistake."""
        stage, otherwise = compiled["stage"], compiled["otherwise"]
        if stage == "on" and not compiled["rules"] and otherwise is not None and _only_python(otherwise):
            hint = "remove otherwise, or write stage: off"
            self._findings.add(
                found["otherwise"], "expected an implementation that stage: on can serve, got only python", hint
            )
        if stage == "shadow" and compiled["shadow"] == 0:
            hint = "raise the percentage, or write stage: off"
            self._findings.add(found["shadow"], "expected something for stage: shadow to compare, got 0 percent", hint)


def _only_python(action: Action) -> bool:
    if "serve" in action:
        return bool(action["serve"] == "python")
    return all(name == "python" or share == 0 for name, share in action["split"])
