"""
Where comparisons go: a runner for each feature, one ledger a process, and the blocks that earlier processes left there.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional

from fast_litellm import events
from fast_litellm.accel import diagnosis
from fast_litellm.accel.advance import Advance
from fast_litellm.accel.feature import RUST
from fast_litellm.accel.lease import LOOK_SECONDS, Lease
from fast_litellm.accel.rollout import Loop, Rollouts
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import Budget, Epoch, Experiment, Ledger, Limits, Pause, ShadowRunner, memory, noise
from fast_litellm.shadow.budget import SHARE

if TYPE_CHECKING:
    from fast_litellm.accel.feature import Feature, Pair
    from fast_litellm.flags import FlagManager
    from fast_litellm.flags.guard import Finding
    from fast_litellm.shadow.capture import Captor

_MS_PER_S = 1_000
_ROLLBACK_SECONDS = 1.0
_ADVANCE_SECONDS = 15.0
_ASK_SECONDS = 1.0
_ASKED_A_LEASE = 4
"""So often the ledger is asked before a lease has ended, where it answers at once: one or two questions may fail."""


class _Terms(NamedTuple):
    """What a runner may use of a core, its limits, and what it compares."""

    budget: float = SHARE
    limits: Limits = Limits()
    candidate: str = RUST


class Evidence:
    """
    The shadow side of one installation. Features that say nothing of a budget or of memory share one: however many they
    are, they take no more of a core and keep no more than it allows. The ledger's thread is paid from it, too.

    Args:
        ledger: The ledger's URL.
        captor: Captures calls that differ; None captures nothing.
        lease: For how many seconds candidates may answer without word from the ledger.

    Raises:
        LedgerError: The URL names no SQLite file.
    """

    def __init__(self, ledger: str, captor: Optional[Captor] = None, *, lease: float = math.inf) -> None:
        versions = {name: version for name, version in diagnosis.versions().items() if version is not None}
        self._budget = Budget(SHARE)
        self._memory = memory.of_copies()
        self._ledger = Ledger.open(ledger, versions=versions, captor=captor, spend=self._budget.spend)
        self._lease_seconds = lease
        self._rollouts: Optional[Rollouts] = None
        self._loops: List[Loop] = []
        self._terms: Dict[Feature, _Terms] = {}  # several may share a name

    def runner(self, feature: Feature, manager: FlagManager, labels: Callable[[], Dict[str, Any]]) -> ShadowRunner:
        """
        Make a feature's runner. A candidate whose build the fleet has blocked is blocked at once.

        Args:
            feature: What is compared.
            manager: The rules, which a divergence blocks in.
            labels: Returns what `status` shows of the feature beside its counters.
        """
        terms = _terms(manager, feature.name)
        feature.compared = terms.candidate
        self._attach(feature, manager, labels)
        self._block_if_diverged(feature, manager)
        return self._make_runner(feature, terms)

    @property
    def unasked(self) -> List[str]:
        """Features of which the ledger has not said yet whether their candidate is blocked: it was never heard."""
        return [] if self._ledger.looks else list(dict.fromkeys(feature.name for feature in self._terms))

    def keep(self, feature: Feature) -> None:
        """Keeps a connected feature at the step of its plan that the ledger says."""
        if self._rollouts is not None:
            self._rollouts.add(feature)

    @property
    def failures(self) -> int:
        """How often the ledger could not be used; what it should hold is kept in memory until it can."""
        return self._ledger.failures

    def latency(self, name: str) -> Dict[str, Any]:
        """Returns what both sides of a feature took in this process, as `Latency` describes it."""
        return asdict(self._ledger.latency(name))

    def rules_changed(self, feature: Feature, manager: FlagManager, labels: Callable[[], Dict[str, Any]]) -> None:
        """Starts a new epoch when the rules have another revision, and compares as they now say."""
        terms = _terms(manager, feature.name)
        is_another = feature.compared != terms.candidate
        feature.compared = terms.candidate
        self._attach(feature, manager, labels)
        if feature.runner is not None and self._terms.get(feature) != terms:
            feature.connect(manager, self._make_runner(feature, terms))
        if is_another:
            self._judge_anew(feature, manager)
        if self._rollouts is not None:
            self._rollouts.apply()

    def obey_fleet(self, manager: FlagManager) -> None:
        """Makes what all processes that share the ledger decide hold here, and what is decided here hold there."""
        self._rollouts = Rollouts(manager)
        self._ledger.follow_fleet(
            pauses_changed=manager.apply_fleet,
            rollouts_changed=self._rollouts.take_rollouts,
            blocks_changed=self._rollouts.take_blocks,
        )
        manager.when_concluded(self._tell_fleet)
        self._loops = [
            Loop("fast-litellm-rollback", self._rollouts.watch_host, _ROLLBACK_SECONDS),
            Loop("fast-litellm-advance", Advance(self._ledger, manager).look, _ADVANCE_SECONDS),
            *self._lease(manager),
        ]
        for loop in self._loops:
            loop.start()

    def _lease(self, manager: FlagManager) -> List[Loop]:
        if self._lease_seconds == math.inf:
            return []
        lease = Lease(self._lease_seconds, self._ledger, manager)
        lease.begin()
        every = min(_ASK_SECONDS, self._lease_seconds / _ASKED_A_LEASE)
        looking = Loop("fast-litellm-fleet", self._ledger.look_apart(), every)
        return [looking, Loop("fast-litellm-lease", lease.look, LOOK_SECONDS)]

    def close(self) -> None:
        """Writes what is left."""
        for loop in self._loops:
            loop.stop()
        self._ledger.close()

    def _tell_fleet(self, flag: str, finding: Finding) -> None:
        """Other hosts learn of a trip as of a pause for as long. A database may wait, and the caller must not."""
        if finding.is_trip and finding.scope == "fleet":
            until = time.time() + finding.hold_ms / _MS_PER_S
            pause = Pause(flag, "paused", finding.scope, "guard", finding.event, until)
            threading.Thread(target=self._record, args=(pause,), name="fast-litellm-guard", daemon=True).start()

    def _record(self, pause: Pause) -> None:
        try:
            self._ledger.record_pause(pause)
        except LedgerError as error:
            events.tell("accel", "error", events.LEDGER_UNAVAILABLE, exception_class=type(error).__name__)

    def _attach(self, feature: Feature, manager: FlagManager, labels: Callable[[], Dict[str, Any]]) -> None:
        """The ledger learns what the stage rests on, so that it can tell what a word means before a process follows."""
        name = feature.name

        def told() -> Dict[str, Any]:
            plan = [step.name for step in manager.plan(name).steps] if manager.follows_plan(name) else None
            standing = manager.standing(name)
            pause = standing["scope"] if standing["state"] == "paused" else None
            return {**labels(), "plan": plan, "unpaused": manager.stage(name), "pause": pause}

        self._ledger.attach(self._epoch(feature, manager), feature.tally, told)

    def _judge_anew(self, feature: Feature, manager: FlagManager) -> None:
        """A block was of the candidate that is no longer compared; the one that is may have one of its own."""
        if not self._block_if_diverged(feature, manager):
            manager.unblock(feature.name)
        self.keep(feature)

    def _block_if_diverged(self, feature: Feature, manager: FlagManager) -> bool:
        found = None if self._rollouts is None else self._rollouts.blocked(feature)
        if found is not None:
            manager.block(feature.name, f"divergence:{found}")
        return found is not None

    def _make_runner(self, feature: Feature, terms: _Terms) -> ShadowRunner:
        rollouts = self._rollouts
        self._terms[feature] = terms
        return ShadowRunner(
            experiment(feature.name, feature.pair, feature.candidate),
            tally=feature.tally,
            sink=self._ledger,
            budget=self._budget if terms.budget == SHARE else Budget(terms.budget),
            limits=self._limits(terms.limits),
            on_block=None if rollouts is None else functools.partial(rollouts.diverged, feature.candidate.build),
        )

    def _limits(self, limits: Limits) -> Limits:
        is_common = limits.max_bytes == memory.MOST
        return replace(limits, max_bytes=memory.COPIES, memory=self._memory) if is_common else limits

    def _epoch(self, feature: Feature, manager: FlagManager) -> Epoch:
        pair = feature.pair
        revision = manager.cell.revision
        comparison = noise.name(pair.comparator.name, pair.noise)
        return Epoch(feature.name, feature.candidate.build, pair.reference, comparison, revision, profile=pair.profile)


def experiment(name: str, pair: Pair, candidate: Any) -> Experiment:
    """
    Returns:
        A feature's pair, as a runner takes it, with one of its candidates.
    """
    twins = candidate.twins if candidate is pair.candidate and pair.twins is not None else None
    compared = candidate if twins is None else twins.candidate
    return Experiment(
        name,
        pair.control if twins is None else twins.control,
        compared,
        pair.comparator,
        profile=pair.profile,
        request=pair.request,
        noise=pair.noise,
        reference=pair.reference,
        without_flaw=None if twins is None else twins.without_flaw,
        premises=getattr(compared, "premises", None),
    )


def _terms(manager: FlagManager, flag: str) -> _Terms:
    """How the rules want a flag's calls to be compared; they count in percent of a core."""
    notes = manager.status()["flags"].get(flag)
    if notes is None:
        return _Terms()
    shadow = notes["shadow"]
    limits = Limits(mode=shadow["mode"], deadline_ms=shadow["deadline_ms"], max_bytes=shadow["memory"])
    return _Terms(float(shadow["budget"]) / 100, limits, notes["candidate"])
