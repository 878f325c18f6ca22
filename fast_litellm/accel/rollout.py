"""
The rollouts of one process: what the ledger says of steps and blocks becomes what is served, and a divergence found
here becomes everybody's.

A block takes effect at once in its process, with the next decision on its host, and within two seconds wherever the
ledger is read. None of that waits for a database: the process blocks in memory, the host by the page its processes
share: who sees that page name the build they run block it for themselves, in a loop that does nothing else.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable, Dict, List, Mapping, Optional, Set, Tuple

from fast_litellm import events
from fast_litellm.shadow import forking, machinery
from fast_litellm.shadow.rollouts import MOVING

if TYPE_CHECKING:
    from fast_litellm.accel.feature import Feature
    from fast_litellm.flags import FlagManager
    from fast_litellm.shadow.rollouts import Rollout

REVERSE_SHARES = {"canary": 0.10, "on": 0.01}
"""Of the calls that a candidate answers, how many are compared afterwards, by the feature's stage."""


class Rollouts:
    """
    Keeps one process's features where the ledger says they are.

    Args:
        manager: The rules.
    """

    def __init__(self, manager: FlagManager) -> None:
        self._manager = manager
        self._features: Dict[str, List[Feature]] = {}
        self._rollouts: Mapping[str, Rollout] = {}
        self._blocks: Mapping[Tuple[str, str], str] = {}
        self._unheard: Dict[Tuple[str, str], str] = {}
        """Blocks that this process has found, until the ledger has heard of them."""
        self._obeyed: Set[str] = set()
        self._lock = threading.RLock()
        forking.restart_in_children(self)

    def after_fork(self) -> None:
        """A lock that another thread held at the fork would never be released in a child."""
        self._lock = threading.RLock()

    def add(self, feature: Feature) -> None:
        """Keeps one more feature; several may share a flag."""
        name = feature.name
        with self._lock:
            known = self._features.setdefault(name, [])
            if all(each is not feature for each in known):
                known.append(feature)
            reason = self._reason(name, self._build(name))
        if reason is not None:
            self._obey(name, reason)
        self.watch_host()
        self.apply()

    def blocked(self, feature: Feature) -> Optional[str]:
        """Returns why a feature's candidate is blocked, here or by the fleet; None if it is not, as far as is known."""
        return self._reason(feature.name, feature.candidate.build)

    def take_rollouts(self, rollouts: Mapping[str, Rollout]) -> None:
        """Takes what the ledger says of every feature's step."""
        with self._lock:
            self._rollouts = dict(rollouts)
        self.apply()

    def take_blocks(self, blocks: Mapping[Tuple[str, str], str]) -> None:
        """Takes what the ledger says of blocked builds: by feature and build, the reason."""
        with self._lock:
            self._blocks = dict(blocks)
            self._unheard = {key: reason for key, reason in self._unheard.items() if key not in blocks}
            builds = {name: self._build(name) for name in self._features}
        for name, build in builds.items():
            self._obey(name, self._reason(name, build))

    def diverged(self, build: str, name: str, fingerprint: str) -> None:
        """Stops a candidate, here and for whoever runs its build on this host, unless another is compared by now."""
        with self._lock:
            self._unheard[name, build] = fingerprint
            is_compared = name not in self._features or build == self._build(name)
        if is_compared:
            self._manager.block(name, f"divergence:{fingerprint}")
            self._manager.divert(name, build)

    def watch_host(self) -> None:
        """Blocks what another process of this host has found to answer otherwise."""
        with self._lock:
            builds = {name: self._build(name) for name in self._features}
        for name, build in builds.items():
            if self._manager.is_diverted(name, build) and self._manager.stage(name) != "blocked":
                self._manager.block(name, "divergence:host")

    def apply(self) -> None:
        """Makes what is served what rules and ledger say; called again whenever the rules have changed."""
        with self._lock:
            steps = {name: it.step for name, it in self._rollouts.items() if self._is_moved(name, it)}
            features = [feature for known in self._features.values() for feature in known]
        # Telling the rules makes them tell everybody, this object included, in the same thread.
        self._manager.apply_rollouts(steps)
        for feature in features:
            self._trust(feature, steps)

    def _trust(self, feature: Feature, steps: Mapping[str, int]) -> None:
        name = feature.name
        is_promoted = steps.get(name, 0) > 0 and self._manager.follows_plan(name)
        cells = self._rollouts[name].certified if is_promoted else None
        feature.trust(cells, self._reverse_share(name))

    def _reverse_share(self, name: str) -> float:
        """Rules that let nothing be compared mean this as well."""
        flag = self._manager.status()["flags"].get(name)
        is_wanted = flag is not None and flag["shadow"]["percent"] > 0
        return REVERSE_SHARES.get(self._manager.stage(name), 0.0) if is_wanted else 0.0

    def _is_moved(self, name: str, rollout: Rollout) -> bool:
        return name in self._features and rollout.candidate_build == self._build(name) and rollout.state in MOVING

    def _build(self, name: str) -> str:
        build: str = self._features[name][-1].candidate.build
        return build

    def _obey(self, name: str, reason: str | None) -> None:
        if reason is not None:
            self._manager.block(name, f"divergence:{reason}")
            self._obeyed.add(name)
        elif name in self._obeyed:  # a block that the ledger has not heard of yet is not the ledger's to lift
            self._lift(name)

    def _lift(self, name: str) -> None:
        self._obeyed.discard(name)
        for runner in [feature.runner for feature in self._features[name]]:
            if runner is not None:
                runner.rearm()
        self._manager.undivert(name)
        self._manager.unblock(name)
        reason = self._reason(name, self._build(name))
        if reason is not None:  # the rules have meanwhile named another candidate, which is blocked
            self._obey(name, reason)

    def _reason(self, name: str, build: str) -> Optional[str]:
        return self._blocks.get((name, build)) or self._unheard.get((name, build))


class Loop:
    """
    Does something again and again on a daemon thread of its own.

    Args:
        name: The thread's name.
        step: What is done. What it raises is counted.
        seconds: How long to wait in between.
    """

    def __init__(self, name: str, step: Callable[[], object], seconds: float) -> None:
        self._name = name
        self._step = step
        self._seconds = seconds
        self._begin()
        forking.restart_in_children(self)

    def after_fork(self) -> None:
        """Goes on in a forked child, on a thread of the child's own."""
        goes_on = self._is_started and not self._ended.is_set()
        self._begin()
        if goes_on:
            self.start()

    def start(self) -> None:
        """Starts the thread."""
        self._is_started = True
        try:
            self._thread.start()
        except RuntimeError as error:
            machinery.not_started(self._name, error)

    def stop(self, timeout: float = 1.0) -> None:
        """Ends it after the present step; waits no longer than so many seconds."""
        self._ended.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _begin(self) -> None:
        self._is_started = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._try()

    def _try(self) -> None:
        try:
            self._step()
        except Exception as error:
            events.tell("accel", "error", events.PROMOTION_FAILED, exception_class=type(error).__name__)
