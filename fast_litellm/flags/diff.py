"""
What a change of rules changes: which units go to another side, in which flag, because of which line.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from fast_litellm.errors import UnknownFlagError

if TYPE_CHECKING:
    from fast_litellm.flags.decision import Decision
    from fast_litellm.flags.manager import FlagManager

_ABSENT = "absent"


class Side(NamedTuple):
    """
    Who answers, and what decided that.

    Args:
        serve: The implementation.
        rule: The name of the rule that matched; None when none did.
        line: The line that decided: the rule's, that of `otherwise`, or the flag's; 0 when the flag is absent.
        reason: The decision's reason and detail.
    """

    serve: str
    rule: Optional[str]
    line: int
    reason: str


class Change(NamedTuple):
    """
    Units that go to another side for the same reason.

    Args:
        units: How many of the sample.
        before: Their side by the old rules.
        after: Their side by the new ones.
    """

    units: int
    before: Side
    after: Side


class FlagDifference(NamedTuple):
    """
    What changes about one flag.

    Args:
        flag: Its name.
        stages: Its stage before and after; "absent" where it is not declared.
        changes: The largest first.
    """

    flag: str
    stages: Tuple[str, str]
    changes: List[Change]


def compare(
    old: FlagManager, new: FlagManager, units: Sequence[str], attributes: Mapping[str, Any]
) -> List[FlagDifference]:
    """
    Decide the same units by two sets of rules.

    Args:
        old: The rules before.
        new: The rules after.
        units: The sample.
        attributes: What every call carries.

    Returns:
        Every flag whose stage changes or in which a unit changes side, in the order of their names.
    """
    names = sorted({*old.status()["flags"], *new.status()["flags"]})
    found = [_flag(name, old, new, (units, attributes)) for name in names]
    return [difference for difference in found if difference.changes or difference.stages[0] != difference.stages[1]]


def _flag(
    name: str, old: FlagManager, new: FlagManager, sample: Tuple[Sequence[str], Mapping[str, Any]]
) -> FlagDifference:
    units, attributes = sample
    before, after = old.bind(name), new.bind(name)
    moved = [unit for unit in units if before(unit, attributes) != after(unit, attributes)]
    places = _lines(old, name), _lines(new, name)
    counts = Counter(
        (
            _side(old.decide(name, unit=unit, attributes=attributes), places[0]),
            _side(new.decide(name, unit=unit, attributes=attributes), places[1]),
        )
        for unit in moved
    )
    changes = [Change(count, *sides) for sides, count in counts.most_common()]
    return FlagDifference(name, (_stage(old, name), _stage(new, name)), changes)


def _lines(manager: FlagManager, name: str) -> Dict[Optional[str], int]:
    """The line of each rule, and under None that of the end of the rules."""
    try:
        account = manager.describe(name)
    except UnknownFlagError:
        return {}
    lines: Dict[Optional[str], int] = {rule["name"]: rule["line"] for rule in account["rules"]}
    lines[None] = account["otherwise_line"] or account["line"]
    return lines


def _side(decision: Decision, lines: Mapping[Optional[str], int]) -> Side:
    reason = " ".join(filter(None, (decision.reason, decision.detail)))
    return Side(decision.serve, decision.rule, lines.get(decision.rule, 0), reason)


def _stage(manager: FlagManager, name: str) -> str:
    return manager.stage(name) if name in manager.status()["flags"] else _ABSENT
