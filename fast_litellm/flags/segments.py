"""
Named conditions, and what can be wrong with naming them: unknown names, circles, expansion without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from fast_litellm.flags import fields
from fast_litellm.flags.conditions import ConditionReader
from fast_litellm.flags.nodes import nearest

if TYPE_CHECKING:
    from fast_litellm.flags.conditions import Condition
    from fast_litellm.flags.nodes import Findings, Node

NESTING_LIMIT = 32
"""How many segments may lead from one to the next."""

TESTS_LIMIT = 10_000
"""How many tests a segment may come to with all it names: every one of them may be evaluated in one decision."""


class SegmentReader:
    """
    Reads the segments of a file and checks every reference to one.

    Args:
        findings: Where problems are noted.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._keys: Dict[str, Node] = {}
        self._conditions: Dict[str, Optional[Condition]] = {}
        self._references: Dict[str, List[Tuple[Node, str]]] = {}
        self._tests: Dict[str, Tuple[int, int]] = {}  # name to tests and nesting

    def read(self, node: Node) -> Dict[str, Optional[Condition]]:
        """Returns the segments in the engine's form."""
        for name, entry in fields.named(node, self._findings).items():
            reader = ConditionReader(self._findings)
            self._keys[name] = entry.key
            self._conditions[name] = reader.read(entry.value)
            self._references[name] = reader.references
        for name, references in self._references.items():
            self.check(references)
            self._measure(name, [])
        return self._conditions

    def check(self, references: List[Tuple[Node, str]]) -> None:
        """Notes every reference to a segment that does not exist."""
        for node, name in references:
            if name not in self._keys:
                known = ", ".join(self._keys) or "none is defined"
                self._findings.add(node, f'expected a segment ({known}), got "{name}"', nearest(name, self._keys))

    def _measure(self, name: str, chain: List[str]) -> Tuple[int, int]:
        """Returns how many tests a segment comes to and how deep it nests."""
        if name in chain:
            self._refuse(
                name, f"expected segments without a circle, got {' -> '.join([*chain[chain.index(name) :], name])}"
            )
            return 0, 0
        if name in self._tests or name not in self._keys:
            return self._tests.get(name, (0, 0))
        if len(chain) > NESTING_LIMIT:
            return 0, len(chain)
        named = [self._measure(other, [*chain, name]) for _, other in self._references[name]]
        tests = _own_tests(self._conditions[name]) + sum(tests for tests, _ in named)
        nesting = 1 + max((nesting for _, nesting in named), default=0)
        self._tests[name] = self._checked(name, tests, nesting)
        return self._tests[name]

    def _checked(self, name: str, tests: int, nesting: int) -> Tuple[int, int]:
        """Returns the size of a segment; nothing once it is refused, so that those who name it are not refused, too."""
        if tests > TESTS_LIMIT:
            self._refuse(name, f"expected at most {TESTS_LIMIT} tests with all it names, got {tests}")
        elif nesting > NESTING_LIMIT:
            self._refuse(name, f"expected at most {NESTING_LIMIT} segments in a chain, got more")
        else:
            return tests, nesting
        return 0, 0

    def _refuse(self, name: str, message: str) -> None:
        self._findings.add(self._keys[name], f'segment "{name}": {message}')


def _own_tests(condition: Optional[Condition]) -> int:
    if condition is None:
        return 0
    form, inner = next(iter(condition.items()))
    if form == "not":
        return _own_tests(inner)
    return sum(map(_own_tests, inner)) if form in {"all", "any"} else 1
