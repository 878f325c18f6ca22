"""
What both sides took: for the same call one right after the other on one thread, and for every compared call, each side
where it ran.

Kept are histograms whose steps are 2 % wide, of the ratios of pairs and of the durations of each side; those of several
processes are added up. What is read from them is rounded up, the median of the ratios so against the candidate.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional

from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.evidence import Latency, Quantiles, Timings
from fast_litellm.shadow.observation import Observation

_STEPS_PER_DOUBLING = 32
_MOST_STEPS = 20 * _STEPS_PER_DOUBLING
_LONGEST_STEPS = 50 * _STEPS_PER_DOUBLING
_TAIL_RATIO = 2
_TAIL_NS = 1_000_000


class Times(NamedTuple):
    """
    One pair.

    Args:
        control_ns: On the wall.
        candidate_ns: On the wall.
        control_cpu_ns: Processor time of the thread.
        candidate_cpu_ns: Processor time of the thread.
    """

    control_ns: int
    candidate_ns: int
    control_cpu_ns: int
    candidate_cpu_ns: int


class Spent(NamedTuple):
    """
    What one compared call took.

    Args:
        control_ns: The control, on the wall.
        candidate_ns: The candidate, on the wall.
        cpu_ns: Processor time of the comparison, with every run that it took.
    """

    control_ns: int
    candidate_ns: int
    cpu_ns: int


class Ran(NamedTuple):
    """
    A candidate's plan for a call for which the candidate has been run already.

    Args:
        plan: The plan.
        candidate: What the candidate did.
        call: The arguments as it left them.
        times: What both sides took.
        is_first: It ran before the control.
    """

    plan: Any
    candidate: Observation
    call: Call
    times: Times
    is_first: bool = False


@dataclass
class PairedTimes:
    """
    The sum of many pairs, and of all compared calls.

    Args:
        pairs: How many.
        faster: Pairs in which the candidate took less time.
        tail: Pairs in which it took more than twice the control's time and more than the control's plus a millisecond.
        ratios: Candidate over control, on the wall: step to pairs.
        cpu_ratios: The same in processor time.
        control: What the control took for compared calls, on the wall: step to calls.
        candidate: The same of the candidate.
        cpu_ns: Processor time of all comparisons.
        told: How often it was told something; not kept.
    """

    pairs: int = 0
    faster: int = 0
    tail: int = 0
    ratios: Counter[int] = field(default_factory=Counter)
    cpu_ratios: Counter[int] = field(default_factory=Counter)
    control: Counter[int] = field(default_factory=Counter)
    candidate: Counter[int] = field(default_factory=Counter)
    cpu_ns: int = 0
    told: int = 0

    def add(self, times: Times) -> None:
        """Counts a pair."""
        self.told += 1
        self.pairs += 1
        self.faster += times.candidate_ns < times.control_ns
        self.tail += times.candidate_ns > max(_TAIL_RATIO * times.control_ns, times.control_ns + _TAIL_NS)
        self.ratios[_step(times.candidate_ns, times.control_ns)] += 1
        self.cpu_ratios[_step(times.candidate_cpu_ns, times.control_cpu_ns)] += 1

    def spend(self, spent: Spent) -> None:
        """Counts a compared call."""
        self.told += 1
        self.control[_duration_step(spent.control_ns)] += 1
        self.candidate[_duration_step(spent.candidate_ns)] += 1
        self.cpu_ns += spent.cpu_ns

    def as_json(self) -> Dict[str, Any]:
        """
        Returns:
            A copy that JSON can hold.
        """
        counts = {"pairs": self.pairs, "faster": self.faster, "tail": self.tail, "cpu_ns": self.cpu_ns}
        histograms = {name: getattr(self, name) for name in ("ratios", "cpu_ratios", "control", "candidate")}
        return {**counts, **{name: {str(step): it[step] for step in it} for name, it in histograms.items()}}


def total(texts: Iterable[str]) -> Timings:
    """
    Args:
        texts: What processes have counted, as JSON.

    Returns:
        All of it.
    """
    counted = [json.loads(text) for text in texts]
    sums = {name: sum(it[name] for it in counted) for name in ("pairs", "faster", "tail")}
    ratio, cpu_ratio = (_quantile(_sum(counted, name), 1 / 2) for name in ("ratios", "cpu_ratios"))
    return Timings(**sums, ratio=ratio, cpu_ratio=cpu_ratio)


def latency(texts: Iterable[str]) -> Latency:
    """
    Args:
        texts: What processes have counted, as JSON; those of earlier versions know nothing of it.

    Returns:
        What each side took, and what comparing took.
    """
    counted = [json.loads(text) for text in texts]
    control, candidate = (_quantiles(_sum(counted, name)) for name in ("control", "candidate"))
    return Latency(control, candidate, sum(it.get("cpu_ns", 0) for it in counted))


def _quantiles(steps: Counter[int]) -> Optional[Quantiles]:
    p50, p90, p99 = (_quantile(steps, share) for share in (0.5, 0.9, 0.99))
    if p50 is None or p90 is None or p99 is None:
        return None
    return Quantiles(sum(steps.values()), p50, p90, p99)


def _duration_step(nanos: int) -> int:
    return min(_LONGEST_STEPS, math.ceil(_STEPS_PER_DOUBLING * math.log2(max(1, nanos))))


def _step(candidate_ns: int, control_ns: int) -> int:
    doublings = math.log2(max(1, candidate_ns) / max(1, control_ns))
    step = math.ceil(_STEPS_PER_DOUBLING * doublings)
    return max(-_MOST_STEPS, min(_MOST_STEPS, step))


def _sum(counted: Iterable[Mapping[str, Any]], name: str) -> Counter[int]:
    steps: Counter[int] = Counter()
    for it in counted:
        steps.update({int(step): count for step, count in it.get(name, {}).items()})
    return steps


def _quantile(steps: Counter[int], share: float) -> Optional[float]:
    below, wanted = 0, share * sum(steps.values())
    for step in sorted(steps):
        below += steps[step]
        if below >= wanted:
            return float(2.0 ** (step / _STEPS_PER_DOUBLING))
    return None
