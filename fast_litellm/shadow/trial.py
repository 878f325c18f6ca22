"""
One trial: run the candidate on a copy of a call, compare, and run both sides again before believing a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Optional, Tuple

from fast_litellm.errors import Declined
from fast_litellm.shadow import comparators, noise, tape
from fast_litellm.shadow.asynchronous import InContext
from fast_litellm.shadow.candidate import Call, Crashed, TimedOut, Withheld
from fast_litellm.shadow.comparators import Difference
from fast_litellm.shadow.experiment import Experiment, Limits
from fast_litellm.shadow.frames import innermost_function
from fast_litellm.shadow.isolation import Isolated, Raised
from fast_litellm.shadow.mutation import Mutations, fresh
from fast_litellm.shadow.observation import Observation
from fast_litellm.shadow.timing import Ran

_NS_PER_MS = 1_000_000
_ENDINGS: Dict[Optional[type], str] = {TimedOut: "timeout", Crashed: "crash"}


@dataclass(frozen=True)
class Finding:
    """
    What a trial found.

    Args:
        outcome: "matched", "waived" or "diverged".
        candidate: What the candidate did at first.
        difference: The first difference of the first run; None when matched.
        confirmed_on_rerun: The second runs differed in the same way; of a paired experiment, differences are proven to
            be more than noise.
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

    A difference counts as diverged, with three exceptions that count as waived: the control's second run differs from
    its own first, so the reference is noisy; a timeout that does not happen again; or a known flaw of the control's
    without which it does what the candidate did. What else is done for a function that is known to be noisy, `noise`
    says.

    Args:
        experiment: The two sides.
        limits: The deadline, and the clock it is measured with.
    """

    def __init__(self, experiment: Experiment, limits: Limits) -> None:
        self._experiment = experiment
        self._isolated = experiment.candidate if isinstance(experiment.candidate, Isolated) else None
        self._clock = limits.clock
        self._deadline_ns = limits.deadline_ms * _NS_PER_MS
        self._hang_ns = limits.hang_ns
        self._mutations = Mutations(lambda call: self.observe(experiment.control, call))
        self._signs = noise.Signs() if experiment.noise == "paired" else None

    def run(self, plan: Any, call: Call, control: Observation, served: Optional[Observation] = None) -> Finding:
        """
        Args:
            plan: What the candidate prepared on the caller's path.
            call: A frozen copy of the arguments; it is left as it is.
            control: What the control did.
            served: What the candidate did, when it has answered the caller; else it is run.

        Returns:
            The finding.

        Raises:
            Declined: The candidate, now that it runs, does not cover the call.
            Withheld: The candidate cannot be run now.
        """
        if isinstance(plan, InContext):
            return plan.context.run(self._run, plan.plan, call, control, served)
        if self._experiment.noise == "tape":
            return self._run_on_tape(plan.plan if isinstance(plan, Ran) else plan, call)
        if isinstance(plan, Ran):
            return self._run(plan.plan, call, control, plan.candidate, plan.call)
        return self._run(plan, call, control, served)

    def control(self, plan: Any, call: Call) -> Observation:
        """
        Returns:
            What the control does with a call, off its caller's path.
        """
        if isinstance(plan, InContext):
            return plan.context.run(self._control, call)
        if self._experiment.noise == "tape":  # the program may count on its own generator's numbers
            with tape.Tape().on_this_thread():
                return self._control(call)
        return self._control(call)

    def premises(self, plan: Any, call: Call) -> Any:
        """
        Args:
            plan: What the candidate prepared on the caller's path.
            call: A frozen copy of the arguments.

        Returns:
            What the candidate says of all else that the control depends on.

        Raises:
            Declined: It is no longer as it was when the call was made.
        """
        if self._experiment.premises is None:
            return None
        if isinstance(plan, InContext):
            return plan.context.run(self.premises, plan.plan, call)
        args, kwargs = fresh(call)
        return self._experiment.premises(plan.plan if isinstance(plan, Ran) else plan, args, kwargs)

    def _control(self, call: Call) -> Observation:
        return self.observe(self._experiment.control, fresh(call))

    @property
    def cpu_elsewhere_ns(self) -> int:
        """What candidates have used so far in processes of their own."""
        return 0 if self._isolated is None else self._isolated.cpu_ns

    def close(self) -> None:
        """Ends what a candidate runs in."""
        if self._isolated is not None:
            self._isolated.close()

    def hung(self, control: Observation) -> Finding:
        """
        End a trial that does not end by itself.

        Returns:
            What is found of it: nobody knows more than that it took too long, once.
        """
        if self._isolated is not None:
            self._isolated.abandon()
        candidate = Observation(error_type=TimedOut, duration_ns=int(self._hang_ns))
        return Finding("waived", candidate, Difference("timeout", (), control, candidate))

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
            with tape.run():
                observation = Observation(value=function(*call[0], **call[1]))
        except (Declined, Withheld):
            raise
        except BaseException as error:
            observation = of_error(error)
        return replace(observation, duration_ns=self._clock() - started)

    def _run(
        self, plan: Any, call: Call, control: Observation, did: Optional[Observation], left: Optional[Call] = None
    ) -> Finding:
        if did is None:
            candidate, difference = self._compare(plan, call, control)
        else:
            candidate, difference = did, self._difference(control, did) or self._mutation(call, left)
        if self._signs is not None and noise.may_be_noise(difference):
            return self._weigh(self._signs, call, control, candidate, difference)
        if difference is None:
            return Finding("matched", candidate)
        second_control = self._control(call)
        second = self._compare_again(plan, call, second_control)
        noisy = self._is_noisy(control, second_control)
        confirmed = second is not None and second.kind == difference.kind
        if noisy and noise.may_be_noise(difference):
            return Finding("waived", candidate, replace(difference, note=noise.WITHIN), confirmed, noisy)
        if noise.may_be_noise(difference) and self._is_flaw(call, candidate):
            return Finding("waived", candidate, replace(difference, note=noise.FLAW), confirmed, noisy)
        waived = difference.kind == "timeout" and not confirmed
        return Finding("waived" if waived else "diverged", candidate, difference, confirmed, noisy)

    def _is_flaw(self, call: Call, candidate: Observation) -> bool:
        without_flaw = self._experiment.without_flaw
        repaired = None if without_flaw is None else without_flaw(call)
        return repaired is not None and self._difference(self._control(repaired), candidate) is None

    def _run_on_tape(self, plan: Any, call: Call) -> Finding:
        """What either side did before had other numbers, so both are run. Another process would draw its own."""
        if self._isolated is not None:
            raise Withheld("tape_not_isolated", is_final=True)
        common = tape.Tape()
        with common.on_this_thread():
            finding = self._run(plan, call, self._control(call), None)
        if finding.difference is None or not common.is_exhausted:
            return finding
        return replace(finding, difference=replace(finding.difference, note=tape.EXHAUSTED))

    def _weigh(
        self, signs: noise.Signs, call: Call, control: Observation, candidate: Observation, found: Optional[Difference]
    ) -> Finding:
        """Holds the control's difference with itself against the candidate's. Calls that match are counted, too."""
        noisy = self._is_noisy(control, self._control(call))
        signs.add(candidate=found is not None, control=noisy)
        if found is None:
            return Finding("matched", candidate)
        is_beyond = signs.is_excess and not noisy
        noted = replace(found, note=noise.BEYOND if is_beyond else noise.WITHIN)
        return Finding("diverged" if is_beyond else "waived", candidate, noted, is_beyond, noisy)

    def _compare_again(self, plan: Any, call: Call, control: Observation) -> Optional[Difference]:
        """A difference that was seen stays one when the candidate cannot be run once more."""
        try:
            return self._compare(plan, call, control)[1]
        except Withheld:
            return None

    def _compare(self, plan: Any, call: Call, control: Observation) -> Tuple[Observation, Optional[Difference]]:
        if self._isolated is not None:
            self._isolated.make_ready()
        candidate_call = fresh(call)
        candidate = self.observe(
            lambda *args, **kwargs: self._experiment.candidate.run(plan, args, kwargs), candidate_call
        )
        return candidate, self._difference(control, candidate) or self._mutation(call, candidate_call)

    def _difference(self, control: Observation, candidate: Observation) -> Optional[Difference]:
        if candidate.error_type in _ENDINGS:
            return Difference(_ENDINGS[candidate.error_type], (), control, candidate)
        difference = comparators.compare(self._experiment.comparator, control, candidate)
        if difference is None and candidate.duration_ns > self._deadline_ns:
            return Difference("timeout", (), control, candidate)
        return difference

    def _mutation(self, call: Call, left: Optional[Call]) -> Optional[Difference]:
        """Nobody knows what the candidate left when it worked on the caller's own arguments."""
        return None if left is None else self._mutations.difference(call, left)

    def _is_noisy(self, first: Observation, second: Observation) -> bool:
        found = comparators.compare(self._experiment.comparator, first, second)
        return found is not None and found.kind != "comparator_error"


def of_error(error: BaseException, *, is_caught_natively: bool = False) -> Observation:
    """
    Args:
        error: What was raised.
        is_caught_natively: As for `frames.innermost_function`.

    Returns:
        The observation of a raised exception. Its text is taken at once: the object can be changed later.
    """
    if isinstance(error, Raised):
        return Observation(error_type=error.error_type, error_text=error.text)
    try:
        text = str(error)
    except BaseException as text_error:
        text = f"str() raised {type(text_error).__qualname__}"
    frame = innermost_function(error, is_caught_natively=is_caught_natively)
    return Observation(error_type=type(error), error_text=text, frame=frame)
