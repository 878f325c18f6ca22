"""
One trial: run the candidate on a copy of a call, compare, and run both sides again before believing a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Optional, Tuple

from fast_litellm.errors import Declined
from fast_litellm.shadow import comparators
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.comparators import Difference
from fast_litellm.shadow.experiment import Experiment, Limits
from fast_litellm.shadow.frames import innermost_function
from fast_litellm.shadow.mutation import Mutations, fresh
from fast_litellm.shadow.observation import Observation

_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Finding:
    """
    What a trial found.

    Args:
        outcome: "matched", "waived" or "diverged".
        candidate: What the candidate did at first.
        difference: The first difference of the first run; None when matched.
        confirmed_on_rerun: The second runs differed in the same way.
        control_rerun_differs: The control's second run differed from its first.
    """

    outcome: str
    candidate: Observation
    difference: Optional[Difference] = None
    confirmed_on_rerun: bool = False
    control_rerun_differs: bool = False


class Trial:
    """
    Tries one experiment's candidate.

    A difference counts as diverged, with two exceptions that count as waived: the control's second run differs from
    its own first, so the reference is noisy; or a timeout that does not happen again.

    Args:
        experiment: The two sides.
        limits: The deadline, and the clock it is measured with.
    """

    def __init__(self, experiment: Experiment, limits: Limits) -> None:
        self._experiment = experiment
        self._clock = limits.clock
        self._deadline_ns = limits.deadline_ms * _NS_PER_MS
        self._mutations = Mutations(lambda call: self.observe(experiment.control, call))

    def run(self, plan: Any, call: Call, control: Observation) -> Finding:
        """
        Args:
            plan: What the candidate prepared on the caller's path.
            call: A frozen copy of the arguments; it is left as it is.
            control: What the control did.

        Returns:
            The finding.

        Raises:
            Declined: The candidate, now that it runs, does not cover the call.
        """
        candidate, difference = self._compare(plan, call, control)
        if difference is None:
            return Finding("matched", candidate)
        second_control = self.observe(self._experiment.control, fresh(call))
        _, second = self._compare(plan, call, second_control)
        noisy = self._is_noisy(control, second_control)
        confirmed = second is not None and second.kind == difference.kind
        waived = noisy or (difference.kind == "timeout" and not confirmed)
        return Finding("waived" if waived else "diverged", candidate, difference, confirmed, noisy)

    def observe(self, function: Callable[..., Any], call: Call) -> Observation:
        """
        Run one side. Whatever it raises is what it did, be it SystemExit, KeyboardInterrupt or a panic; only
        `Declined` is not.

        Args:
            function: Takes the call's arguments.
            call: The arguments; the function may change them.

        Returns:
            What it did.
        """
        started = self._clock()
        try:
            observation = Observation(value=function(*call[0], **call[1]))
        except Declined:
            raise
        except BaseException as error:
            observation = of_error(error)
        return replace(observation, duration_ns=self._clock() - started)

    def _compare(self, plan: Any, call: Call, control: Observation) -> Tuple[Observation, Optional[Difference]]:
        candidate_call = fresh(call)
        candidate = self.observe(
            lambda *args, **kwargs: self._experiment.candidate.run(plan, args, kwargs), candidate_call
        )
        difference = comparators.compare(self._experiment.comparator, control, candidate)
        if difference is None and candidate.duration_ns > self._deadline_ns:
            difference = Difference("timeout", (), control, candidate)
        return candidate, difference or self._mutations.difference(call, candidate_call)

    def _is_noisy(self, first: Observation, second: Observation) -> bool:
        found = comparators.compare(self._experiment.comparator, first, second)
        return found is not None and found.kind != "comparator_error"


def of_error(error: BaseException) -> Observation:
    """
    Returns:
        The observation of a raised exception. Its text is taken at once: the object can be changed later.
    """
    try:
        text = str(error)
    except BaseException as text_error:
        text = f"str() raised {type(text_error).__qualname__}"
    return Observation(error_type=type(error), error_text=text, frame=innermost_function(error))
