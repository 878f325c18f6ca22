"""
The plan of a rollout: by which steps a candidate takes over, and which of them is reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class PlanStep:
    """
    One step.

    Args:
        name: As a rule file has it: "shadow", "5%" or "on".
        share: Of the units, in [0, 1].
        bake: Seconds that it lasts at least; None for as long as the gate says.
    """

    name: str
    share: float
    bake: Optional[float] = None


@dataclass(frozen=True)
class Plan:
    """
    The steps of one flag.

    Args:
        is_automatic: The gate takes the next step; otherwise a person does.
        steps: In rising order; the first one serves nothing.
        reached: An index into them, as the ledger has it. One beyond the last means that the plan was shortened: then
            nothing is served.
    """

    is_automatic: bool
    steps: Tuple[PlanStep, ...]
    reached: int = 0

    @property
    def step(self) -> PlanStep:
        """The step that is reached."""
        return self.steps[self.reached if self.reached < len(self.steps) else 0]

    def position(self, name: str) -> Optional[int]:
        """Returns the index of the step of a name, None when there is none."""
        return next((index for index, step in enumerate(self.steps) if step.name == name), None)
