"""
What happens with an accepted call off its caller's path: it is tried, what was found is told, and its ticket ends.
"""

from __future__ import annotations

import functools
import threading
from typing import Any, Callable

from fast_litellm.errors import Declined
from fast_litellm.shadow import engine, machinery
from fast_litellm.shadow.budget import Budget
from fast_litellm.shadow.candidate import Withheld
from fast_litellm.shadow.experiment import Limits
from fast_litellm.shadow.job import Job
from fast_litellm.shadow.reporter import Cost, Reporter
from fast_litellm.shadow.timing import Ran, Spent
from fast_litellm.shadow.trial import Finding, Trial
from fast_litellm.shadow.worker import MAX_ABANDONED

End = Callable[[], None]

_PROOF = 100
_CHANGED = "premises_changed"
_UNFIT = frozenset({"timeout", "panic", "crash"})


class Judge:
    """
    Judges one experiment's calls.

    Args:
        trial: Runs and compares.
        reporter: Is told of differences.
        tally: The feature's counters.
        budget: Pays for it.
        limits: The clock.
    """

    def __init__(self, trial: Trial, reporter: Reporter, tally: engine.Tally, budget: Budget, limits: Limits) -> None:
        self._trial = trial
        self._reporter = reporter
        self._tally = tally
        self._budget = budget
        self._limits = limits
        self._settled = (0, 0)
        self._matched = 0
        self._is_unfit = False
        self._hung = 0

    @property
    def is_proven(self) -> bool:
        """Whether the candidate has matched often, and has always ended well and in time."""
        return self._matched >= _PROOF and not self._is_unfit

    def judge(self, job: Job, claim: Callable[[Job], bool]) -> None:
        """
        Try a call, and end its ticket.

        Args:
            job: The call.
            claim: Asked once the trial is over; when it says no, the call has ended without it.
        """
        started = self._started()
        try:
            end = self._try(job, started)
            if claim(job):
                end()
        except BaseException as error:
            machinery.failed("judge", error)
        finally:
            elsewhere = job.plan.times.candidate_cpu_ns if isinstance(job.plan, Ran) else 0
            ended = self._cpu_ns()
            self._settled = (threading.get_ident(), ended)
            self._budget.settle(job.reserved, max(1, ended - started + elsewhere))

    def hung(self, job: Job) -> None:
        """Ends the ticket of a call whose trial does not end. Its reservation stays until the thread comes back."""
        finding = self._trial.hung(job.control)
        self._hung += 1
        if self._hung >= MAX_ABANDONED:
            self._reporter.report_stop("hung")
        self._conclude(job, finding, self._cost(job, 0, self._limits.clock() - job.queued_at))

    def give_up(self, job: Job, reason: str) -> None:
        """Ends a call that is not tried, whether it has a ticket yet or not."""
        self._budget.settle(job.reserved, 0)
        self._shed(job, reason)

    def count_declined(self, declined: Declined) -> None:
        """The account of offered calls stands without it, so a reason that cannot be counted changes nothing there."""
        try:
            self._tally.decline(declined.reason)
        except Exception as error:
            machinery.failed("decline", error)

    def _started(self) -> int:
        """Where the thread's last call ended: what it takes to wait for the next one is paid for as well."""
        thread, ended = self._settled
        return ended if thread == threading.get_ident() else self._cpu_ns()

    def _cpu_ns(self) -> int:
        return self._budget.cpu_clock() + self._trial.cpu_elsewhere_ns

    def _try(self, job: Job, started: int) -> End:
        queue_age_ns = self._limits.clock() - job.queued_at
        try:
            finding = self._found(job)
        except Declined as declined:
            return functools.partial(self._decline, job, declined)
        except Withheld as withheld:
            return functools.partial(self._withhold, job, withheld)
        except BaseException as error:
            return functools.partial(self._fail, job, error)
        cost = self._cost(job, self._cpu_ns() - started, queue_age_ns)
        return functools.partial(self._conclude, job, finding, cost)

    def _found(self, job: Job) -> Finding:
        """A difference is none if the control met something else than its caller would have."""
        before = None
        if job.served is not None:
            before = self._premises(job)
            job.control = self._trial.control(job.plan, job.call)
        finding = self._trial.run(job.plan, job.call, job.control, job.served)
        if finding.difference is not None and before not in (None, self._premises(job)):
            raise Withheld(_CHANGED)
        return finding

    def _premises(self, job: Job) -> Any:
        try:
            return self._trial.premises(job.plan, job.call)
        except Declined:  # the call has been answered: this is no decline of it
            raise Withheld(_CHANGED) from None

    def _cost(self, job: Job, cpu_ns: int, queue_age_ns: int) -> Cost:
        elsewhere = "isolated" if self._limits.mode == "isolated" else "off_path"
        return Cost(
            job.control.duration_ns,
            cpu_ns,
            queue_age_ns,
            call=job.call,
            shape=job.shape,
            served="control" if job.served is None else "candidate",
            order="candidate_first" if _began_with_candidate(job) else "control_first",
            exec_path="inline" if isinstance(job.plan, Ran) else elsewhere,
        )

    def _conclude(self, job: Job, finding: Finding, cost: Cost) -> None:
        try:
            self._note(finding)
            outcome = finding.outcome
            if finding.difference is not None:
                outcome = self._reporter.report(finding, finding.difference, cost)
            elif isinstance(job.plan, Ran):
                self._reporter.report_times(job.plan.times)
            self._reporter.report_spent(Spent(cost.control_ns, finding.candidate.duration_ns, cost.cpu_ns))
            if job.ticket is not None:
                job.ticket.compare(outcome, self._reporter.digest(job.call))
        except BaseException as error:
            self._fail(job, error)

    def _note(self, finding: Finding) -> None:
        self._matched += finding.difference is None
        self._is_unfit |= finding.difference is not None and finding.difference.kind in _UNFIT

    def _withhold(self, job: Job, withheld: Withheld) -> None:
        self._shed(job, withheld.reason)
        if withheld.is_final:
            self._reporter.report_stop(withheld.reason)

    def _decline(self, job: Job, declined: Declined) -> None:
        self._shed(job, "declined")
        self.count_declined(declined)

    def _fail(self, job: Job, error: BaseException) -> None:
        self._shed(job, "machinery_failed")
        machinery.failed("judge", error)

    def _shed(self, job: Job, reason: str) -> None:
        if job.ticket is None:
            self._tally.shed(reason, job.shape)
        else:
            job.ticket.shed(reason)


def _began_with_candidate(job: Job) -> bool:
    return job.plan.is_first if isinstance(job.plan, Ran) else job.served is not None
