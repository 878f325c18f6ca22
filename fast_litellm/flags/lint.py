"""
What is allowed in a rule file and still deserves a second look.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Tuple

from fast_litellm.flags import rule_file
from fast_litellm.flags.manager import FlagManager

if TYPE_CHECKING:
    import os

ERROR, WARNING, INFO = "error", "warning", "info"

Doubt = Tuple[str, str, int, str, str]
"""Level, code, line or 0 for the flag's own, message and hint of what deserves a second look in one flag."""

_SOON = timedelta(days=14)
_RULELESS = ("off", "shadow")


class Finding(NamedTuple):
    """
    One thing that deserves a second look.

    Args:
        file: The file as it was named.
        line: Where.
        level: error | warning | info.
        code: A name for this kind of finding, such as "expired".
        message: What was found.
        hint: What to do about it.
    """

    file: str
    line: int
    level: str
    code: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}[{self.code}] {self.message}\n    hint: {self.hint}"


def check(
    path: os.PathLike[str] | str, today: date, further: Callable[[Dict[str, Any]], Iterable[Doubt]] = lambda _: ()
) -> List[Finding]:
    """
    Look through a rule file.

    Args:
        path: The file.
        today: The day on which flags expire or not.
        further: What somebody else knows of a flag, who is given what it would do.

    Returns:
        The findings in the order of the file.

    Raises:
        RuleError: The file cannot be used at all; every problem is listed.
    """
    manager = FlagManager.from_file(path, scope="process")
    file = str(path)
    found = list(_segments(file))
    for account in map(manager.describe, manager.status()["flags"]):
        found.extend(_findings(file, account, (*_doubts(account, today), *further(account))))
    return sorted(found, key=lambda finding: finding.line)


def _doubts(account: Dict[str, Any], today: date) -> Iterator[Doubt]:
    yield from _expiry(account, today)
    yield from _owner(account)
    yield from _idle(account)
    yield from _pin(account)
    yield from _rules(account)
    yield from _ramps(account, today)


def _findings(file: str, account: Dict[str, Any], doubts: Iterable[Doubt]) -> Iterator[Finding]:
    for level, code, line, message, hint in doubts:
        yield Finding(file, line or account["line"], level, code, f"{account['flag']}: {message}", hint)


def _expiry(account: Dict[str, Any], today: date) -> Iterator[Doubt]:
    if account["expires"] is None:
        yield INFO, "no_expiry", 0, "the flag has no date to be gone by", "add expires: YYYY-MM-DD"
        return
    left = date.fromisoformat(account["expires"]) - today
    hint = "remove the flag, or move the date"
    if left < timedelta():
        yield ERROR, "expired", 0, f"expired {-left.days} day(s) ago, on {account['expires']}", hint
    elif left <= _SOON:
        yield INFO, "expires_soon", 0, f"expires in {left.days} day(s), on {account['expires']}", hint


def _owner(account: Dict[str, Any]) -> Iterator[Doubt]:
    if account["owner"] is None:
        yield WARNING, "unowned", 0, "nobody owns the flag", "add owner: whom to ask about it"


def _idle(account: Dict[str, Any]) -> Iterator[Doubt]:
    if account["rules"] or account["otherwise"] != {"serve": "python"}:
        return
    if account["stage"] == "off" and account["consults_rules"]:
        message = "nothing says what it does, so that Python answers and nothing is compared"
        yield WARNING, "does_nothing", 0, message, "write a stage, such as stage: shadow; or stage: off, if meant"
    elif account["stage"] == "canary":
        message = "without a rule or a share its canary serves nobody"
        hint = "write otherwise: {split: {rust: 5, python: 95}}, a rule, or stage: shadow"
        yield WARNING, "serves_nobody", 0, message, hint


def _pin(account: Dict[str, Any]) -> Iterator[Doubt]:
    if account["rules"] and not account["consults_rules"] and account["stage"] in _RULELESS:
        message = f"at stage {account['stage']} none of its {len(account['rules'])} rule(s) is asked"
        yield WARNING, "rules_not_asked", 0, message, "remove the rules, or what keeps the flag at this stage"


def _rules(account: Dict[str, Any]) -> Iterator[Doubt]:
    seen: Dict[str, str] = {}
    for rule in account["rules"]:
        if rule.get("never"):
            message = f'rule "{rule["name"]}" never matches: its tests contradict each other'
            yield WARNING, "never_matches", rule["line"], message, "correct the condition, or remove the rule"
        elif rule["when"] in seen:
            message = f'rule "{rule["name"]}" never matches: "{seen[rule["when"]]}" has the same condition'
            yield WARNING, "never_matches", rule["line"], message, "correct the condition, or remove the rule"
        seen.setdefault(rule["when"], rule["name"])


def _ramps(account: Dict[str, Any], today: date) -> Iterator[Doubt]:
    actions = [(rule["line"], rule) for rule in account["rules"]]
    for line, action in [*actions, (account["otherwise_line"], account["otherwise"])]:
        if "ramp" in action and _day(action["ramp"]["steps"][-1][0]) < today:
            message = f"the ramp took its last step on {_day(action['ramp']['steps'][-1][0])}"
            yield INFO, "ramp_finished", line, message, "write its last percentage as a split"


def _day(moment: str) -> date:
    parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return parsed.astimezone(timezone.utc).date()


def _segments(file: str) -> Iterator[Finding]:
    rules = rule_file.from_bytes(Path(file).read_bytes(), file)
    for name, line in rules.unused_segments():
        message, hint = f"no rule names the segment {name}", "remove it, or name it in a rule"
        yield Finding(file, line, WARNING, "unused_segment", message, hint)
