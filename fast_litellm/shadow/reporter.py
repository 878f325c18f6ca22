"""
Who is told of a difference, and in which order: who can stop the candidate, then the log, then the ledger.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field, replace
from typing import Callable, Mapping, Optional, Set, TypeVar

from fast_litellm import events
from fast_litellm.shadow import divergence, engine, machinery, noise, process
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.comparators import Difference
from fast_litellm.shadow.experiment import Experiment, Sink
from fast_litellm.shadow.observation import Comparison, Description
from fast_litellm.shadow.redaction import Redactor
from fast_litellm.shadow.timing import Spent, Times
from fast_litellm.shadow.trial import Finding

Told = TypeVar("Told")


@dataclass(frozen=True)
class Cost:
    """
    What a comparison took, and how it came about.

    Args:
        control_ns: The control's run on the caller's path, on the wall.
        cpu_ns: Processor time of the comparison so far.
        queue_age_ns: How long the call waited for it.
        call: The frozen arguments; only their digest is kept.
        shape: What can be told of them without their content, as a number.
        served: Whose answer the caller has: "control" | "candidate".
        order: Which side ran first: "control_first" | "candidate_first".
        exec_path: "off_path" | "inline" | "isolated".
    """

    control_ns: int
    cpu_ns: int
    queue_age_ns: int
    call: Call = field(default=((), {}), repr=False)
    shape: int = 0
    served: str = "control"
    order: str = "control_first"
    exec_path: str = "off_path"


class Reporter:
    """
    Reports one experiment's differences. A step that fails is counted, and the others are still taken.

    Args:
        experiment: The two sides.
        sink: Told last; None keeps nothing.
        on_block: Called with (feature, fingerprint) at the first divergence that nobody has accepted.
    """

    def __init__(
        self, experiment: Experiment, sink: Optional[Sink], on_block: Optional[Callable[[str, str], None]]
    ) -> None:
        self._experiment = experiment
        self._sink = sink
        self._on_block = on_block
        self._blocked = False
        self._stops: Set[str] = set()
        self._redactor: Optional[Redactor] = None
        self._host_digest: Optional[str] = None
        self._log = divergence.DivergenceLog()

    def after_fork(self) -> None:
        """Logs for itself in a child: its parent's lock may have been held."""
        self._log = divergence.DivergenceLog()

    def rearm(self) -> None:
        """Blocks at the next divergence that nobody has accepted, after an earlier block was lifted."""
        self._blocked = False

    def report(self, finding: Finding, difference: Difference, cost: Cost) -> str:
        """
        Args:
            finding: What was found.
            difference: The finding's difference.
            cost: What it took.

        Returns:
            The outcome under which the call counts: a divergence of an accepted class is waived.
        """
        comparison = self._comparison(finding, difference, cost)
        outcome = "waived" if self._is_accepted(comparison) else comparison.outcome
        if outcome == "diverged" and not self._blocked:
            self._blocked, comparison = True, replace(comparison, action="blocked")
            self._attempt("on_block", self._block, comparison)
            self._attempt("log", self._log_block, comparison)
        self._attempt("log", self._log.record, comparison)
        if self._sink is not None:
            self._attempt("record", self._sink.record, comparison)
            self._attempt("capture", functools.partial(self._capture, self._sink, cost.call), comparison)
        return outcome

    def digest(self, call: Call) -> int:
        """
        Args:
            call: A frozen copy of the arguments.

        Returns:
            The keyed digest by which distinct inputs are counted; 0 without a ledger's key.
        """
        try:
            key = None if self._sink is None else self._sink.lasting_key
            return 0 if key is None else engine.current().digest(key, call)
        except Exception as error:
            machinery.failed("digest", error)
            return 0

    def report_stop(self, reason: str) -> None:
        """
        Log, once for each reason, that the feature's calls are not compared any more.

        Args:
            reason: The word under which they are counted.
        """
        if reason not in self._stops:
            self._stops.add(reason)
            feature, build = self._experiment.feature, self._experiment.candidate.build
            events.tell(
                "shadow", "error", events.COMPARING_STOPPED, feature=feature, candidate_build=build, reason=reason
            )

    def report_times(self, times: Times) -> None:
        """
        Args:
            times: What both sides took for a call on which they agree.
        """
        if self._sink is None:
            return
        try:
            self._sink.record_times(self._experiment.feature, times)
        except BaseException as error:
            machinery.failed("record_times", error)

    def report_spent(self, spent: Spent) -> None:
        """
        Args:
            spent: What a compared call took, whether the sides agreed or not.
        """
        if self._sink is None:
            return
        try:
            self._sink.record_spent(self._experiment.feature, spent)
        except BaseException as error:
            machinery.failed("record_spent", error)

    def _comparison(self, finding: Finding, difference: Difference, cost: Cost) -> Comparison:
        return Comparison(
            feature=self._experiment.feature,
            candidate_build=self._experiment.candidate.build,
            comparator=noise.name(self._experiment.comparator.name, self._experiment.noise),
            outcome=finding.outcome,
            description=self._told("describe", lambda: self._description(difference), Description(difference.kind)),
            confirmed_on_rerun=finding.confirmed_on_rerun,
            control_rerun_differs=finding.control_rerun_differs,
            control_ns=cost.control_ns,
            candidate_ns=finding.candidate.duration_ns,
            cpu_ns=cost.cpu_ns,
            queue_age_ns=cost.queue_age_ns,
            input_digest=self._told("digest", lambda: self._input_digest(cost.call), ""),
            shape=self._told("shape", lambda: self._shape(cost.shape), {}),
            served=cost.served,
            order=cost.order,
            exec_path=cost.exec_path,
            host=self._told("host", self._host, ""),
            pid=os.getpid(),
            reference=self._experiment.reference,
        )

    def _is_accepted(self, comparison: Comparison) -> bool:
        try:
            return self._sink is not None and self._sink.accepts(comparison.feature, comparison.fingerprint)
        except BaseException as error:
            machinery.failed("accepts", error)
            return False

    def _input_digest(self, call: Call) -> str:
        digest = engine.current().digest(self._redaction().key, call)
        return f"{digest:016x}"

    def _shape(self, shape: int) -> Mapping[str, str]:
        return engine.current().shape_values(self._experiment.profile, shape)

    def _host(self) -> str:
        if self._host_digest is None:
            self._host_digest = process.current(self._redaction().digest).host
        return self._host_digest

    def _description(self, difference: Difference) -> Description:
        experiment = self._experiment
        return divergence.describe(self._redaction(), experiment.feature, experiment.comparator, difference)

    def _told(self, operation: str, tell: Callable[[], Told], otherwise: Told) -> Told:
        """A difference of which something cannot be told is still a difference, and still blocks."""
        try:
            return tell()
        except BaseException as error:
            machinery.failed(operation, error)
            return otherwise

    def _redaction(self) -> Redactor:
        if self._redactor is None:
            self._redactor = Redactor(os.urandom(32) if self._sink is None else self._sink.key)
        return self._redactor

    def _capture(self, sink: Sink, call: Call, comparison: Comparison) -> None:
        sink.capture(comparison, call)

    def _block(self, comparison: Comparison) -> None:
        if self._on_block is not None:
            self._on_block(comparison.feature, comparison.fingerprint)

    def _log_block(self, comparison: Comparison) -> None:
        events.logger("shadow").error(
            events.FEATURE_BLOCKED,
            feature=comparison.feature,
            candidate_build=comparison.candidate_build,
            fingerprint=comparison.fingerprint,
        )

    def _attempt(self, operation: str, step: Callable[[Comparison], object], comparison: Comparison) -> None:
        try:
            step(comparison)
        except BaseException as error:
            machinery.failed(operation, error)
