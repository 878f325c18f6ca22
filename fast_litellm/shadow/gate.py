"""
The judge: whether the evidence suffices to go on, and whether it forbids to.

For a deterministic function there is an exact test. If a candidate diverged on a share p0 of the calls, n comparisons
would all match with probability (1 - p0)^n; so once n >= ln(alpha) / ln(1 - p0) without a divergence, that rate is
excluded at level alpha (Clopper-Pearson at zero). Looking again and again is legitimate only because the first
divergence that is not waived ends it for the candidate's build: under the hypothesis (1 - p0)^-n is a martingale that
drops to zero there, and stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping, Tuple

# One call in 100,000, at 99 %: 460,515 comparisons.
_DEFAULT_RATE = 1e-5
_DEFAULT_ALPHA = 0.01


@dataclass(frozen=True)
class Verdict:
    """
    What the gate says.

    Args:
        decision: "hold", "promote" or "roll_back".
        reasons: Why, in words.
        missing: What would have to come for a promotion, in words; empty unless the decision is "hold".
    """

    decision: str
    reasons: Tuple[str, ...] = ()
    missing: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """
    Judges readings of one epoch's counters.

    Comparisons are counted, not distinct inputs: a million calls of three prompts prove less than they seem to.

    Args:
        max_rate: The divergence rate to be excluded, in (0, 1).
        alpha: How often a candidate that diverges that often may be promoted, in (0, 1).

    Raises:
        ValueError: An argument is out of range.
    """

    max_rate: float = _DEFAULT_RATE
    alpha: float = _DEFAULT_ALPHA

    def __post_init__(self) -> None:
        for name in ("max_rate", "alpha"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name)}")

    @property
    def needed(self) -> int:
        """How many comparisons without a divergence exclude `max_rate`."""
        return math.ceil(math.log(self.alpha) / math.log1p(-self.max_rate))

    def judge(self, reading: Mapping[str, Any]) -> Verdict:
        """
        Args:
            reading: "offered", "sampled_out", "compared", "matched", "waived", "diverged", "shed" and "in_flight" of
                one epoch.

        Returns:
            The verdict. No data is never a promotion.
        """
        if reading["diverged"]:
            return Verdict("roll_back", (f"{reading['diverged']} of {reading['compared']} comparisons diverged",))
        accounted = reading["sampled_out"] + reading["compared"] + sum(reading["shed"].values()) + reading["in_flight"]
        if reading["offered"] != accounted:
            return Verdict("hold", (f"{reading['offered']} calls were offered, {accounted} are accounted for",))
        clean = reading["matched"]
        if clean < self.needed:
            return Verdict("hold", missing=(f"{self.needed - clean} more comparisons without a divergence",))
        return Verdict("promote", (f"no divergence in {clean} comparisons: a rate of {self.max_rate:g} is excluded",))
