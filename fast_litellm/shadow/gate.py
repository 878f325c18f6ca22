"""
The judge: whether the evidence suffices to go on, and whether it forbids to.

Looking again and again is legitimate, because each of its tests holds at all times together, see
docs/decisions/0016-gate.md.
Nothing is ever counted anew: evidence is that of one epoch, and a divergence that nobody has accepted ends it for the
candidate's build.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import FrozenSet, Sequence, Tuple

from fast_litellm.shadow import checks
from fast_litellm.shadow.certification import Certification
from fast_litellm.shadow.checks import Check, Step
from fast_litellm.shadow.evidence import Evidence
from fast_litellm.shadow.policy import Policy

__all__ = ["Check", "Gate", "Policy", "Step", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """
    What the gate says.

    Args:
        decision: "promote", "hold" or "roll_back".
        checks: Why: all must hold for a promotion, and a terminal one takes the candidate back.
        certified: The cells whose calls the candidate may answer, such as "tools=some&unicode=rtl".
    """

    decision: str
    checks: Tuple[Check, ...] = ()
    certified: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Gate:
    """
    Judges the evidence of one epoch.

    Args:
        policy: What a promotion takes.
    """

    policy: Policy = field(default_factory=Policy)

    def judge(self, evidence: Evidence, step: Step, now: float) -> Verdict:
        """
        Args:
            evidence: What was found.
            step: Where the feature stands.
            now: Seconds since 1970.

        Returns:
            The verdict. No data is never a promotion.
        """
        certification = Certification(self.policy, evidence)
        found = (
            *checks.of_evidence(self.policy, evidence, certification),
            *checks.of_speed(self.policy, evidence),
            *checks.of_time(self.policy, evidence, step, now),
        )
        return Verdict(_decision(found), found, certification.certified)


def _decision(found: Sequence[Check]) -> str:
    if any(check.is_terminal for check in found):
        return "roll_back"
    return "promote" if all(check.holds for check in found) else "hold"
