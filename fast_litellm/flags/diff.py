"""
What a change of rules changes: which units go to another side, in which flag, because of which line.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

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
    accounts = _account(old, name), _account(new, name)
    hashed = {attribute for account in accounts for attribute in _hashed(account) if attribute not in attributes}

    def call(unit: str) -> Dict[str, Any]:
        return {**attributes, **dict.fromkeys(hashed, unit)}

    moved = [unit for unit in units if before(unit, call(unit)) != after(unit, call(unit))]
    counts = Counter(
        (
            _side(old.decide(name, unit=unit, attributes=call(unit)), accounts[0]),
            _side(new.decide(name, unit=unit, attributes=call(unit)), accounts[1]),
        )
        for unit in moved
    )
    changes = [Change(count, *sides) for sides, count in counts.most_common()]
    return FlagDifference(name, (_stage(old, name), _stage(new, name)), changes)


def _account(manager: FlagManager, name: str) -> Dict[str, Any]:
    """What a flag would do; nothing when it is not declared."""
    try:
        return manager.describe(name)
    except UnknownFlagError:
        return {}


def _hashed(account: Mapping[str, Any]) -> Iterator[str]:
    """The attributes that are hashed instead of the call's unit: a sampled unit stands in each of them."""
    ramps = [action["ramp"] for action in (*account.get("rules", ()), account.get("otherwise", {})) if "ramp" in action]
    for hashing in (account, account.get("layer") or {}, *ramps):
        if hashing and not hashing["unit"]["explicit_first"]:
            yield hashing["unit"]["attribute"]


def _side(decision: Decision, account: Mapping[str, Any]) -> Side:
    reason = " ".join(filter(None, (decision.reason, decision.detail)))
    return Side(decision.serve, decision.rule, _line(decision, account), reason)


def _line(decision: Decision, account: Mapping[str, Any]) -> int:
    """The line that decided. What stands before the rules has the flag's own."""
    if not account:
        return 0
    if decision.rule is not None:
        return next((rule["line"] for rule in account["rules"] if rule["name"] == decision.rule), 0)
    before_rules = decision.reason == "DISABLED" or decision.detail == "layer_excluded" or not account["consults_rules"]
    otherwise: int = account["otherwise_line"] or account["line"]
    return int(account["line"]) if before_rules else otherwise


def _stage(manager: FlagManager, name: str) -> str:
    return manager.stage(name) if name in manager.status()["flags"] else _ABSENT
