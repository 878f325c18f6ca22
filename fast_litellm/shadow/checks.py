"""
The gate's checklist, line by line. Every line says what it saw, what it needs and what is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import List, Optional, Tuple

from fast_litellm.shadow.cells import proportional
from fast_litellm.shadow.certification import Certification, lost_share
from fast_litellm.shadow.evidence import Account, Evidence
from fast_litellm.shadow.policy import Bound, Latency, Policy

# A process writes once a second; one that has not for so long is gone, or cannot.
_SILENCE_SECONDS = 60.0
# Kinds of divergence that one bound covers, each with a line of its own.
_ENDINGS = {"timeouts": "timeout", "panics": "panic", "crashes": "crash"}
# Of a fingerprint, as the commands shorten it.
_DIGITS = 8
# A median that takes more pairs than this cannot be told from one half.
_MOST_PAIRS = 10_000_000
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True)
class Check:
    """
    One line of the checklist.

    Args:
        name: What is asked for, in a word.
        holds: Whether it is met.
        saw: What was found, in words.
        needs: What is asked for, in words.
        missing: What has yet to come; empty when it holds.
        seconds_left: When it will hold at the present rate, 0 when it does; None when nobody can tell.
        is_terminal: It speaks against the candidate's build, and nothing that may yet come can make up for it.
    """

    name: str
    holds: bool
    saw: str
    needs: str
    missing: str = ""
    seconds_left: Optional[float] = 0.0
    is_terminal: bool = False


@dataclass(frozen=True)
class Step:
    """
    Where a feature stands in its plan.

    Args:
        name: Such as "shadow" or "5%".
        since: When it began, in seconds since 1970.
        bake: Seconds that it lasts at least; None for the policy's.
    """

    name: str = "shadow"
    since: float = 0.0
    bake: Optional[float] = None


def of_evidence(policy: Policy, evidence: Evidence, certification: Certification) -> List[Check]:
    """
    Returns:
        The lines about what was compared, and how the comparisons ended.
    """
    return [
        _data(evidence),
        _accounting(evidence),
        _divergences(evidence),
        _divergence_rate(policy.divergence, evidence),
        _cells(policy, certification),
        *(_ending(policy.timeouts, name, evidence) for name in _ENDINGS),
        _completeness(policy, evidence),
    ]


def of_speed(policy: Policy, evidence: Evidence) -> List[Check]:
    """
    Returns:
        The lines about latency; none when the policy does not ask.
    """
    return [] if policy.latency is None else [_median(policy.latency, evidence), _tail(policy.latency, evidence)]


def of_time(policy: Policy, evidence: Evidence, step: Step, now: float) -> List[Check]:
    """
    Returns:
        The lines about how long, where, and by whom.
    """
    return [_bake(policy, evidence, step, now), _hosts(policy, evidence), _heartbeats(evidence, now)]


def _data(evidence: Evidence) -> Check:
    compared, distinct = evidence.account.compared, _distinct(evidence)
    saw = f"{compared:,} comparisons of {distinct:,} distinct inputs"
    if compared > 0 and distinct > 0:
        return Check("data", True, saw, "some")
    return Check("data", False, saw, "some", "a first comparison", None)


def _accounting(evidence: Evidence) -> Check:
    """Counters that do not add up say nothing, whatever they say."""
    needs = "every call accounted for"
    unaccounted = max(abs(_unaccounted(account)) for account in _accounts(evidence))
    offered = evidence.account.offered
    if unaccounted:
        return Check(
            "accounting", False, f"{unaccounted:,} calls too many or too few", needs, "counters that add up", None
        )
    return Check("accounting", True, f"all of {offered:,} calls", needs)


def _divergences(evidence: Evidence) -> Check:
    """A divergence is counted a moment before its class is: one without may belong to an accepted class."""
    name, needs = "divergences", "none that nobody has accepted"
    accepted, unaccepted, unknown = evidence.accepted, evidence.unaccepted, evidence.unclassed
    if unaccepted or (unknown and not accepted):
        comparisons = _counted(max(unknown, sum(found.count for found in unaccepted)), "comparison", "comparisons")
        saw = f"{comparisons} in {_counted(len(unaccepted), 'class', 'classes')}"
        named = unaccepted[0].fingerprint[:_DIGITS] if len(unaccepted) == 1 else "CLASS"
        missing = f"another build of the candidate, or `fast-litellm waive {evidence.epoch.feature} {named}`"
        return Check(name, False, saw, needs, missing, None, is_terminal=True)
    if unknown:
        saw = f"{_counted(unknown, 'comparison', 'comparisons')} without a class"
        return Check(name, False, saw, needs, "their classes", None)
    saw = _counted(len(accepted), "accepted class", "accepted classes") if accepted else "none"
    return Check(name, True, saw, needs)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def differing_of_distinct(evidence: Evidence) -> Tuple[int, int]:
    """
    Returns:
        How many comparisons differed, and of how many distinct inputs, counted as if all shapes had been sampled alike.
        A timeout is neither a match nor a difference, and has a bound of its own.
    """
    account = evidence.account
    timeouts = evidence.kinds.get("timeout", 0) if _kinds_fit(evidence) else 0
    distinct = proportional(evidence.profile, evidence.shapes)
    return account.waived + account.diverged - timeouts, min(distinct, account.compared) - timeouts


def _divergence_rate(bound: Bound, evidence: Evidence) -> Check:
    differing, total = differing_of_distinct(evidence)
    further = bound.further(differing, total)
    saw = f"{differing:,} of {total:,} distinct inputs differ: below {percent(bound.upper(differing, total))}"
    return _bounded(Check("rate", further == 0, saw, _below(bound), f"{further:,} distinct inputs"), further, evidence)


def _cells(policy: Policy, certification: Certification) -> Check:
    count, total = len(certification.certified), len(certification.standings)
    saw = f"{count:,} of {total:,} cells certified: {certification.share:.1%} of the calls, the rest stays with Python"
    needs = f"one shape with cells below {percent(policy.cells.rate)} and pairs below {percent(policy.pairs.rate)}"
    if not certification.is_empty:
        return Check("cells", True, saw, needs)
    wait, cell = certification.nearest
    return Check("cells", False, saw, needs, _missing_of(cell, certification), wait)


def _missing_of(cell: str, certification: Certification) -> str:
    if not cell:
        return "calls whose shape is known"
    standing = certification.standings[cell]
    if standing.further:
        return f"{standing.further:,} distinct inputs in cell {cell}"
    return f"fewer lost calls in cell {cell}: {standing.lost:.1%} were given up"


def _ending(bound: Bound, name: str, evidence: Evidence) -> Check:
    """Three endings share the level at which too many of them take the candidate back."""
    bad, total = evidence.kinds.get(_ENDINGS[name], 0), evidence.account.compared
    saw = f"{bad:,} of {total:,} comparisons"
    if _kinds_fit(evidence) and bound.is_exceeded(bad, total, tests=len(_ENDINGS)):
        return _exceeded(name, bound, saw)
    further = bound.further(bad, total)
    return _bounded(Check(name, further == 0, saw, _below(bound), f"{further:,} comparisons"), further, evidence)


def _completeness(policy: Policy, evidence: Evidence) -> Check:
    """What the sample left out was chosen before anything ran; what was given up may be what would have differed."""
    lost = lost_share(evidence.account)
    saw, needs = f"{lost:.2%} of the calls were given up", f"at most {percent(policy.not_compared)}"
    if lost <= policy.not_compared:
        return Check("completeness", True, saw, needs)
    reason = max(evidence.account.shed, key=lambda word: evidence.account.shed[word])
    return Check("completeness", False, saw, needs, f"fewer lost calls, most of them for {reason}", None)


def _median(latency: Latency, evidence: Evidence) -> Check:
    timings = evidence.timings
    low, high = latency.interval(timings.faster, timings.pairs)
    ratio = "unknown" if timings.ratio is None else f"{timings.ratio:.2f}"
    saw = f"faster on {low:.1%} to {high:.1%} of {timings.pairs:,} pairs, median ratio {ratio}"
    needs = f"faster on most pairs, at {_confidence(latency.alpha)}; median ratio at most {latency.median_ratio:g}"
    if low > 1 / 2 and timings.ratio is not None and timings.ratio <= latency.median_ratio:
        return Check("latency", True, saw, needs)
    further = _further_pairs(latency, timings.faster, timings.pairs)
    missing = _inline(further) if further else "a faster candidate"
    return Check("latency", False, saw, needs, missing, None)


def _inline(pairs: int) -> str:
    """Nothing but inline runs can be paired: a thread of its own has waited, and its caches are others."""
    return f"{pairs:,} inline pairs; they need shadow: {{mode: inline}}, or gate: {{latency: none}}"


def _further_pairs(latency: Latency, faster: int, pairs: int) -> int:
    """How many more pairs decide if as many are faster as so far, all if there is none; 0 when none ever will."""
    share = faster / pairs if pairs > 0 else 1.0
    if not 1 / 2 < share <= 1:
        return 0
    total = max(pairs, 1)
    while total < _MOST_PAIRS and latency.interval(math.floor(share * total), total)[0] <= 1 / 2:
        total += max(total // 16, 1)
    return max(total - pairs, 0)


def _tail(latency: Latency, evidence: Evidence) -> Check:
    bad, pairs, bound = evidence.timings.tail, evidence.timings.pairs, latency.tail_bound
    saw = f"{bad:,} of {pairs:,} pairs much slower"
    if bound.is_exceeded(bad, pairs):
        return _exceeded("tail", bound, saw)
    further = bound.further(bad, pairs)
    if further:
        return Check("tail", False, saw, _below(bound), _inline(further), None)
    return Check("tail", True, saw, _below(bound))


def _bake(policy: Policy, evidence: Evidence, step: Step, now: float) -> Check:
    """Time before the evidence began was spent with another candidate, comparator or set of rules."""
    needed = policy.bake if step.bake is None else step.bake
    passed = now - max(step.since, evidence.opened_at)
    saw, needs = f"{span(passed)} in step {step.name}", f"at least {span(needed)}"
    if passed >= needed:
        return Check("bake", True, saw, needs)
    left = needed - passed
    return Check("bake", False, saw, needs, f"{span(left)} more", left if math.isfinite(left) else None)


def _hosts(policy: Policy, evidence: Evidence) -> Check:
    saw, needs = f"{evidence.hosts:,}", f"at least {policy.hosts:,}"
    missing = max(policy.hosts - evidence.hosts, 0)
    return Check("hosts", not missing, saw, needs, f"{missing:,} more" if missing else "", None if missing else 0.0)


def _heartbeats(evidence: Evidence, now: float) -> Check:
    age = max(now - evidence.heard_at, 0.0)
    alive = _counted(evidence.processes, "process alive", "processes alive")
    saw = f"{alive}, {evidence.silent:,} silent; last heard {span(age)} ago"
    needs = f"each within {span(_SILENCE_SECONDS)}"
    if age <= _SILENCE_SECONDS and evidence.processes > 0 and evidence.silent == 0:
        return Check("heartbeats", True, saw, needs)
    return Check("heartbeats", False, saw, needs, "a sign of life", None)


def _bounded(check: Check, further: int, evidence: Evidence) -> Check:
    """The check as it reads when it holds, or with the time that its missing comparisons take."""
    if check.holds:
        return replace(check, missing="")
    rate = evidence.per_second or 0.0
    return replace(check, seconds_left=further / rate if rate > 0 else None)


def _exceeded(name: str, bound: Bound, saw: str) -> Check:
    missing = "another build of the candidate"
    return Check(name, False, f"{saw}: proven to be above", _below(bound), missing, None, is_terminal=True)


def _below(bound: Bound) -> str:
    return f"below {percent(bound.rate)}, at {_confidence(bound.alpha)}"


def _distinct(evidence: Evidence) -> int:
    """A shape is a function of the input, so that no input is counted under two."""
    return sum(shape.distinct for shape in evidence.shapes)


def _kinds_fit(evidence: Evidence) -> bool:
    """Kinds are those of divergence classes, which may be older than the epoch: what they say must fit."""
    return sum(evidence.kinds.values()) <= evidence.account.waived + evidence.account.diverged


def _accounts(evidence: Evidence) -> List[Account]:
    return [evidence.account, *(shape.account for shape in evidence.shapes)]


def _unaccounted(account: Account) -> int:
    known = account.sampled_out + account.compared + sum(account.shed.values()) + account.in_flight
    return account.offered - known


def percent(share: float) -> str:
    """
    Returns:
        A share in percent, to three digits.
    """
    return f"{100 * share:.3g}%"


def span(seconds: float) -> str:
    """
    Returns:
        A time in the greatest unit that it fills, such as "3.5 h".
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    found = next(((size, unit) for size, unit in _UNITS if seconds >= size), None)
    return f"{seconds:.0f} s" if found is None else f"{seconds / found[0]:.3g} {found[1]}"


def _confidence(alpha: float) -> str:
    return f"{100 * (1 - alpha):.4g}% confidence"
