"""
What to do with a feature on this machine's traffic, and the numbers that say so.

Nothing is recommended without data, and nothing that the gate does not allow: the gate says what is safe, this says
what is worth it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Optional, Tuple

from fast_litellm.shadow import checks
from fast_litellm.shadow.policy import Policy

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Position

NO_DATA, PROMOTE, LEAVE, SWITCH_OFF = "no data", "promote", "leave", "switch off"
_MOST_DECLINED = 1 / 2
_EVEN = 1 / 2
_NS_PER_US = 1_000


@dataclass(frozen=True)
class Recommendation:
    """
    What to do with one feature.

    Args:
        feature: The flag's name.
        stage: Where it is; None when nobody says.
        action: "no data" | "promote" | "leave" | "switch off".
        why: The reason, in words.
        evidence: What is known, one line each.
        figures: The same as numbers.
    """

    feature: str
    stage: Optional[str]
    action: str
    why: str
    evidence: Tuple[str, ...]
    figures: Mapping[str, Any]


def recommend(
    name: str, counts: Mapping[str, Any], position: Optional[Position], gate: Mapping[str, Any]
) -> Recommendation:
    """
    Args:
        name: The flag's name.
        counts: What the ledger's status says of it, over all processes.
        position: Where it stands; None while nothing was compared.
        gate: What the rules say of its gate, as `Policy.of` takes it.

    Returns:
        The recommendation.

    Raises:
        ValueError: The rules ask the gate for something it does not have.
    """
    figures = _figures(counts, position)
    action, why = _judged(counts, position, gate, figures)
    return Recommendation(name, counts["stage"], action, why, tuple(_lines(figures)), figures)


def _figures(counts: Mapping[str, Any], position: Optional[Position]) -> Mapping[str, Any]:
    served, declined = counts["served"], sum(counts["declined"].values())
    asked = sum(served.values()) - served.get("python", 0) + counts["compared"] + declined
    found: Mapping[str, Any] = {
        "served": served,
        "offered": counts["offered"],
        "compared": counts["compared"],
        "diverged": counts["diverged"],
        "shed": counts["shed"],
        "declined": counts["declined"],
        "declined_share": declined / asked if asked else None,
    }
    if position is None:
        return found
    latency, timings, compared = position.evidence.latency, position.evidence.timings, position.evidence.account
    return {
        **found,
        "pairs": timings.pairs,
        "faster": timings.faster,
        "ratio": timings.ratio,
        "control_p50_ns": None if latency.control is None else latency.control.p50,
        "candidate_p50_ns": None if latency.candidate is None else latency.candidate.p50,
        "cpu_ns_per_comparison": latency.cpu_ns / compared.compared if compared.compared else None,
    }


def _judged(
    counts: Mapping[str, Any], position: Optional[Position], gate: Mapping[str, Any], figures: Mapping[str, Any]
) -> Tuple[str, str]:
    if counts["stage"] == "blocked":
        return SWITCH_OFF, "this build differs from LiteLLM's own and is blocked"
    share = figures["declined_share"]
    if share is not None and share > _MOST_DECLINED:
        return LEAVE, f"it declines {checks.percent(share)} of the calls, mostly as {_most(counts['declined'])}"
    if position is None or not position.evidence.account.compared:
        return NO_DATA, "nothing was compared"
    if _is_slower(position, Policy.of(gate)):
        return SWITCH_OFF, "it is slower than LiteLLM's own"
    return _by_gate(position)


def _by_gate(position: Position) -> Tuple[str, str]:
    decision = position.verdict.decision
    if decision == "roll_back":
        return SWITCH_OFF, _unmet(position)
    if position.next is None:
        return LEAVE, "it is at the end of its plan"
    if decision == "promote":
        return PROMOTE, f"the gate opens for {position.plan.steps[position.next].name}"
    return LEAVE, f"the gate waits for {_unmet(position)}"


def _is_slower(position: Position, policy: Policy) -> bool:
    """At the confidence that the gate asks for, and at whatever moment one looks."""
    timings = position.evidence.timings
    if policy.latency is None or not timings.pairs:
        return False
    return policy.latency.interval(timings.faster, timings.pairs)[1] < _EVEN


def _unmet(position: Position) -> str:
    unmet = [check for check in position.verdict.checks if not check.holds]
    first = next((check for check in unmet if check.is_terminal), unmet[0])
    left = "" if first.seconds_left is None else f", in {checks.span(first.seconds_left)}"
    more = f" and {len(unmet) - 1} more" if len(unmet) > 1 else ""
    return f"{first.name}: {first.missing or first.saw}{left}{more}"


def _lines(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"{figures['compared']:,} compared, {figures['diverged']:,} diverged"
    if sum(figures["shed"].values()):
        yield f"{sum(figures['shed'].values()):,} not compared, mostly as {_most(figures['shed'])}"
    if figures["declined_share"]:
        yield f"{checks.percent(figures['declined_share'])} declined, mostly as {_most(figures['declined'])}"
    if figures.get("ratio"):
        yield f"{1 / figures['ratio']:.3g} times as fast in the median of {figures['pairs']:,} pairs"
    elif figures["compared"]:
        yield "speed is not known: no pairs"
    if figures.get("control_p50_ns") is not None:
        yield f"p50 {_us(figures['control_p50_ns'])} by Python, {_us(figures['candidate_p50_ns'])} by the candidate"
    if figures.get("cpu_ns_per_comparison"):
        yield f"a comparison takes {_us(figures['cpu_ns_per_comparison'])} of processor time"


def _most(counts: Mapping[str, int]) -> str:
    return max(counts, key=lambda word: counts[word])


def _us(nanos: float) -> str:
    return f"{nanos / _NS_PER_US:,.3g} us"
