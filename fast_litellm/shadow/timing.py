"""
Paired timings: what both sides took for the same call, one right after the other on one thread.

Only ratios are kept, in a histogram whose steps are 2 % wide. A median read from it is rounded against the candidate.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional

from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.evidence import Timings
from fast_litellm.shadow.observation import Observation

_STEPS_PER_DOUBLING = 32
_MOST_STEPS = 20 * _STEPS_PER_DOUBLING
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
    The sum of many pairs.

    Args:
        pairs: How many.
        faster: Pairs in which the candidate took less time.
        tail: Pairs in which it took more than twice the control's time and more than the control's plus a millisecond.
        ratios: Candidate over control, on the wall: step to pairs.
        cpu_ratios: The same in processor time.
    """

    pairs: int = 0
    faster: int = 0
    tail: int = 0
    ratios: Counter[int] = field(default_factory=Counter)
    cpu_ratios: Counter[int] = field(default_factory=Counter)

    def add(self, times: Times) -> None:
        """Counts a pair."""
        self.pairs += 1
        self.faster += times.candidate_ns < times.control_ns
        self.tail += times.candidate_ns > max(_TAIL_RATIO * times.control_ns, times.control_ns + _TAIL_NS)
        self.ratios[_step(times.candidate_ns, times.control_ns)] += 1
        self.cpu_ratios[_step(times.candidate_cpu_ns, times.control_cpu_ns)] += 1

    def as_json(self) -> Dict[str, Any]:
        """
        Returns:
            A copy that JSON can hold.
        """
        counts = {"pairs": self.pairs, "faster": self.faster, "tail": self.tail}
        histograms = {"ratios": self.ratios, "cpu_ratios": self.cpu_ratios}
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
    ratio, cpu_ratio = (_median([it[name] for it in counted]) for name in ("ratios", "cpu_ratios"))
    return Timings(**sums, ratio=ratio, cpu_ratio=cpu_ratio)


def _step(candidate_ns: int, control_ns: int) -> int:
    doublings = math.log2(max(1, candidate_ns) / max(1, control_ns))
    step = math.ceil(_STEPS_PER_DOUBLING * doublings)
    return max(-_MOST_STEPS, min(_MOST_STEPS, step))


def _median(histograms: Iterable[Mapping[str, int]]) -> Optional[float]:
    pairs: Counter[int] = Counter()
    for histogram in histograms:
        pairs.update({int(step): count for step, count in histogram.items()})
    below, half = 0, sum(pairs.values()) / 2
    for step in sorted(pairs):
        below += pairs[step]
        if below >= half:
            return float(2.0 ** (step / _STEPS_PER_DOUBLING))
    return None
