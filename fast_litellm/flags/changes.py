"""
What is different about the rules since one last looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple

from fast_litellm.errors import UnknownFlagError

if TYPE_CHECKING:
    from fast_litellm.flags.manager import FlagManager

_PLACES = frozenset({"file", "line", "otherwise_line"})


class Change(NamedTuple):
    """
    The difference between two looks.

    Args:
        flags: The names of the flags that may decide differently, in alphabetical order.
        revised: Whether other rules are in force, be it that only a remark in them is another.
        problems: How many problems the rules have that were rejected last; 0 when the rules are not stale.
        rejected: Whether the rules have become stale.
        recovered: Whether the rules have ceased to be stale.
    """

    flags: List[str]
    revised: bool
    problems: int
    rejected: bool
    recovered: bool


class Changes:
    """
    Compares the rules with what they were at the last look. Looks must not overlap.

    Args:
        manager: The rules.
    """

    def __init__(self, manager: FlagManager) -> None:
        self._manager = manager
        self._accounts = _accounts(manager)
        self._revision = manager.cell.revision
        self._stale = False  # rules that are stale from the beginning are news at the first look

    def look(self) -> Change:
        """Returns what has changed."""
        status, accounts = self._manager.status(), _accounts(self._manager)
        before, revision, was_stale = self._accounts, self._revision, self._stale
        self._accounts, self._revision, self._stale = accounts, status["revision"], status["stale"]
        return Change(
            flags=sorted(name for name in {*before, *accounts} if before.get(name) != accounts.get(name)),
            revised=self._revision != revision,
            problems=len(status["problems"]),
            rejected=self._stale and not was_stale,
            recovered=was_stale and not self._stale,
        )


def _accounts(manager: FlagManager) -> Dict[str, Any]:
    accounts = {}
    for name in manager.cell.stages():
        try:
            account = manager.describe(name)
        except UnknownFlagError:  # a reload in another thread has just removed it, and will be looked at in its turn
            continue
        accounts[name] = (_without_places(account), manager.cell.revision if _uses_segments(account) else "")
    return accounts


def _uses_segments(account: Dict[str, Any]) -> bool:
    """An account names segments without saying what is in them, so any change of the file may be one of theirs."""
    return any("segment " in rule["when"] for rule in account["rules"])


def _without_places(part: Any) -> Any:
    """A flag that has only moved within its file has not changed."""
    if isinstance(part, dict):
        return {key: _without_places(value) for key, value in part.items() if key not in _PLACES}
    return [_without_places(item) for item in part] if isinstance(part, list) else part
