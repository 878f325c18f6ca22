"""
The life of a feature in five acts: each sends traffic through LiteLLM, then asks the counters whether its claims hold.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from fast_litellm.cli.demo import rules, traffic
from fast_litellm.cli.demo.mistake import OffByOne
from fast_litellm.cli.demo.stage import FEATURE, Counters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fast_litellm.cli.demo.logbook import Logbook
    from fast_litellm.cli.demo.stage import Stage

CANARY_SHARE = 0.1

# Beyond four standard deviations lies 1 of 16,000 honest measurements.
_STANDARD_DEVIATIONS = 4

# Each user of the canary act calls this often, so that a change of sides would be seen.
_CALLS_PER_USER = 2


@dataclass(frozen=True)
class Check:
    """
    One thing an act claims.

    Args:
        claim: What must hold.
        holds: Whether it does.
        found: What was found, for the reader when it does not.
    """

    claim: str
    holds: bool
    found: str = ""


@dataclass(frozen=True)
class Report:
    """
    What an act did.

    Args:
        name: The act's name.
        calls: Calls sent through LiteLLM.
        counters: What the feature did meanwhile.
        checks: What the act claims.
        remark: One line for the table.
    """

    name: str
    calls: int
    counters: Counters
    checks: Sequence[Check]
    remark: str

    @property
    def ok(self) -> bool:
        """Whether every claim holds."""
        return all(check.holds for check in self.checks)


@dataclass(frozen=True)
class Act:
    """
    One act.

    Args:
        name: Its name.
        share: Its part of all calls.
        play: Plays it with so many calls.
    """

    name: str
    share: float
    play: Callable[[Stage, Logbook, int], Report]


def off(stage: Stage, logbook: Logbook, count: int) -> Report:  # noqa: ARG001 - every act has the same shape
    """
    Act 1: the rules say off, and nothing is patched.

    Returns:
        What it did.
    """
    stage.install(rules.at("off"))
    wrong = stage.send_all(traffic.calls(1, count, 20))
    standing = stage.litellm.litellm_core_utils.token_counter.token_counter
    counters = stage.counters()
    checks = [
        Check("the function is the original object", standing is stage.control, repr(standing)),
        Check("nothing is offered for comparison", counters.offered == 0, f"{counters.offered} offered"),
        Check("nothing is counted", counters.python + counters.rust == 0, f"{counters.python + counters.rust} served"),
        _same(wrong),
    ]
    return Report("off", count, counters, checks, "the original function, untouched")


def shadow(stage: Stage, logbook: Logbook, count: int) -> Report:
    """
    Act 2: Python answers, Rust runs in its shadow, every call is compared.

    Returns:
        What it did.
    """
    stage.change_rules(rules.at("shadow"), "shadow")
    before = stage.counters()
    wrong = stage.send_all(traffic.calls(2, count, 50))
    counters = stage.settled().since(before)
    compared_or_told = counters.compared + sum(counters.shed.values())
    checks = [
        Check("at least every request is compared", counters.compared >= count, f"{counters.compared} compared"),
        Check("every call is offered", counters.offered == counters.python, f"{counters.offered} of {counters.python}"),
        Check("what was not compared has a reason", counters.offered == compared_or_told, str(dict(counters.shed))),
        Check("only declined calls are shed", set(counters.shed) <= {"declined"}, str(dict(counters.shed))),
        Check("nothing diverged", counters.diverged == 0, f"{counters.diverged} diverged"),
        Check("no divergence is logged", not logbook.divergences, f"{len(logbook.divergences)} logged"),
        Check("Rust answered nobody", counters.rust == 0, f"{counters.rust} answered"),
        _accounted(counters),
        _same(wrong),
    ]
    remark = f"{counters.compared:,} counts compared, none differs{_declined(counters)}"
    return Report("shadow", count, counters, checks, remark)


def wrong_candidate(stage: Stage, logbook: Logbook, count: int) -> Report:
    """
    Act 3: a candidate that is off by one where tools are offered; caught, logged, blocked before it answers anybody.

    Returns:
        What it did.
    """
    first, second = traffic.calls(3, count, 20)[: count // 2], traffic.calls(3, count, 20)[count // 2 :]
    stage.install(rules.at("shadow"), candidates={FEATURE: OffByOne})
    began = stage.counters()
    wrong = stage.send_all(first)
    caught = stage.settled().since(began)
    # The rules now ask for Rust for everybody, and the block must stand.
    stage.change_rules(rules.at("on"), "blocked")
    wrong += stage.send_all(second)
    counters = stage.settled().since(began)
    checks = [
        Check("the candidate ran", caught.compared > 0, f"{caught.compared} compared"),
        Check("it was caught", caught.diverged > 0, f"{caught.diverged} diverged"),
        Check("it was logged", bool(logbook.divergences), "no shadow.divergence event"),
        Check("it is blocked although the rules say on", bool(logbook.blocked), "no shadow.feature_blocked event"),
        Check("it answered nobody", counters.rust == 0, f"{counters.rust} answered"),
        _accounted(counters),
        _same(wrong),
    ]
    return Report("wrong candidate", count, counters, checks, "caught, logged, blocked; it answered nobody")


def canary(stage: Stage, logbook: Logbook, count: int) -> Report:  # noqa: ARG001 - every act has the same shape
    """
    Act 4: Rust answers 10 percent of the users, always the same ones.

    Returns:
        What it did.
    """
    stage.install(rules.at("canary"))
    began = stage.counters()
    users = max(1, count // _CALLS_PER_USER)
    sides: defaultdict[str, set[str]] = defaultdict(set)
    wrong: list[str] = []
    for call in traffic.calls(4, count, users):
        before = stage.counters()
        wrong += stage.send(call)
        sides[call.user] |= _sides(stage.counters().since(before))
    counters = stage.settled().since(began)
    rust_users = sum("rust" in side for side in sides.values())
    wavering = sum(len(side) > 1 for side in sides.values())
    share = rust_users / len(sides)
    allowed = _STANDARD_DEVIATIONS * math.sqrt(CANARY_SHARE * (1 - CANARY_SHARE) / len(sides))
    checks = [
        Check("every user stays on one side", wavering == 0, f"{wavering} of {len(sides)} users met both sides"),
        Check("the share is 10 % within four deviations", abs(share - CANARY_SHARE) <= allowed, f"{share:.1%}"),
        Check("both sides answered", counters.python > 0 and counters.rust > 0, str(counters)),
        _accounted(counters),
        _same(wrong),
    ]
    remark = f"{rust_users} of {len(sides)} users on Rust: {share:.1%} (10.0% +- {allowed:.1%})"
    return Report("canary 10%", count, counters, checks, remark)


def on(stage: Stage, logbook: Logbook, count: int) -> Report:
    """
    Act 5: Rust answers everybody.

    Returns:
        What it did.
    """
    blocked = len(logbook.blocked)
    stage.change_rules(rules.at("on"), "on")
    before = stage.counters()
    wrong = stage.send_all(traffic.calls(5, count, 50))
    counters = stage.settled().since(before)
    declined = sum(counters.declined.values())
    checks = [
        Check("Rust answers", counters.rust > 0, f"{counters.rust} answered"),
        Check("Python answers only what Rust declined", counters.python == declined, f"{counters.python}, {declined}"),
        Check("nothing is blocked", len(logbook.blocked) == blocked, f"{len(logbook.blocked) - blocked} blocked"),
        _accounted(counters),
        _same(wrong),
    ]
    remark = f"Rust answers everybody, exactly as Python would{_declined(counters)}"
    return Report("on", count, counters, checks, remark)


ACTS = (
    Act("off", 0.05, off),
    Act("shadow", 0.30, shadow),
    Act("wrong candidate", 0.10, wrong_candidate),
    Act("canary 10%", 0.40, canary),
    Act("on", 0.15, on),
)


def _sides(counters: Counters) -> set[str]:
    """Who answers a user. What the candidate declined was answered by Python on either side, so it tells nothing."""
    python = counters.python - sum(counters.declined.values())
    return {side for side, answered in (("python", python), ("rust", counters.rust)) if answered > 0}


def _declined(counters: Counters) -> str:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in counters.declined.items())
    return f"; declined beforehand: {reasons}" if reasons else ""


def _same(differences: list[str]) -> Check:
    found = f"{len(differences)} differ, first: {differences[0]}" if differences else ""
    return Check("every count is LiteLLM's own", not differences, found)


def _accounted(counters: Counters) -> Check:
    found = f"{counters.offered} offered, {counters.accounted} accounted for"
    return Check("no comparison is lost", counters.offered == counters.accounted, found)
