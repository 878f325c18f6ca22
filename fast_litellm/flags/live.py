"""
The rules in force in one process, and everything that can change them: a reload, a block.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Tuple

from fast_litellm import events
from fast_litellm.errors import Problem, RuleError
from fast_litellm.flags import engine, overrides
from fast_litellm.flags.decision import Decision
from fast_litellm.flags.plan import Plan, PlanStep

if TYPE_CHECKING:
    from fast_litellm.flags.engine import Rules
    from fast_litellm.flags.sources import Signature, Source

_PLACES_LOGGED = 10
_WHOLE = 1_000_000
_MS_PER_S = 1_000


class LiveRules:
    """
    Rules, compiled, with what the process adds to them.

    Args:
        source: Where they come from.
        words: Flag name to what the environment demands of it.
        disabled: The kill switch.
        page: Where other processes stop flags.

    Raises:
        RuleError: The rules or the words cannot be used; every problem is listed.
    """

    def __init__(
        self, source: Source, words: Mapping[str, str], *, disabled: bool, page: Optional[engine.StandingPage] = None
    ) -> None:
        self.source = source
        self._disabled = disabled
        self._forced, problems = overrides.read(words)
        self._rules, self._seen = _first_load(source, problems)
        self._problems: Tuple[Problem, ...] = ()
        self._blocked: Dict[str, str] = {}
        self._steps: Dict[str, int] = {}
        self._is_lease_held = True
        self._subscribers: List[Callable[[], None]] = []
        self._make_locks()
        self._log_loaded()
        self.cell = engine.current().SnapshotCell(self._rules, self._process(), Decision, page)
        _instances.add(self)

    def reload(self) -> bool:
        """Reads the rules again; returns whether those in force are what the source says."""
        with self._reloading:
            seen = self.source.signature()
            try:
                rules, seen = self.source.load()
            except RuleError as error:
                self._reject(error.problems, seen)
            else:
                self._accept(rules, seen)
        self._notify()
        return not self._problems

    def poll(self) -> bool:
        """Reloads if the source is not in the state last read; returns whether it was not."""
        if self.source.signature() == self._seen:
            return False
        self.reload()
        return True

    def block(self, flag: str, detail: str) -> None:
        """Stops a flag until it is unblocked."""
        with self._lock:
            self._blocked[flag] = detail
            self._publish()
        self._notify()

    def unblock(self, flag: str) -> None:
        """Takes a block back."""
        with self._lock:
            if self._blocked.pop(flag, None) is not None:
                self._publish()
        self._notify()

    def take_steps(self, steps: Mapping[str, int]) -> None:
        """Makes the steps that flags have reached in their plans those given."""
        with self._lock:
            if self._steps == dict(steps):
                return
            self._steps = dict(steps)
            self._publish()
        self._notify()

    def hold_lease(self, *, is_held: bool) -> None:
        """Lets candidates answer as the rules say, or none of them."""
        with self._lock:
            if self._is_lease_held == is_held:
                return
            self._is_lease_held = is_held
            self._publish()
        self._notify()

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Has a function called after every change."""
        self._subscribers.append(changed)

    def notes(self, flag: str) -> Dict[str, Any]:
        """Returns what only people and the shadow runner need of a flag; percentages as people write them."""
        owner, expires, percent, budget = self._rules.notes(flag)
        mode, deadline_ms, memory = self._rules.comparing(flag)
        shadow = {"percent": percent, "budget": budget, "mode": mode, "deadline_ms": deadline_ms, "memory": memory}
        return {"owner": owner, "expires": expires, "candidate": self.candidate(flag), "shadow": shadow}

    def candidate(self, flag: str) -> str:
        """Returns the implementation of a flag that is compared and promoted; `rust` if the rules name none."""
        return self._rules.candidate(flag)

    def plan(self, flag: str) -> Plan:
        """Returns a flag's plan, with the step it has reached."""
        is_automatic, steps = self._rules.plan(flag)
        return Plan(
            is_automatic,
            tuple(PlanStep(name, share / _WHOLE, None if ms is None else ms / _MS_PER_S) for name, share, ms in steps),
            self._steps.get(flag, 0),
        )

    def gate(self, flag: str) -> Dict[str, Any]:
        """Returns what is written of a flag's gate."""
        gate: Dict[str, Any] = json.loads(self._rules.gate(flag))
        return gate

    def status(self) -> Dict[str, Any]:
        """Returns which rules are in force."""
        with self._lock:
            stages = self.cell.stages()
            return {
                "path": self.source.path,
                "revision": self._rules.revision,
                "stale": bool(self._problems),
                "problems": [str(problem) for problem in self._problems],
                "loaded_at": self._loaded_at,
                "disabled": self._disabled,
                "lease_ended": not self._is_lease_held,
                "flags": {name: {"stage": stage, **self.notes(name)} for name, stage in stages.items()},
            }

    def _accept(self, rules: Rules, seen: Signature) -> None:
        with self._lock:
            self._rules, self._seen, self._problems = rules, seen, ()
            self._publish()
        self._log_loaded()

    def _reject(self, problems: Tuple[Problem, ...], seen: Signature) -> None:
        with self._lock:
            self._seen, self._problems = seen, problems
            self._publish()
        places = [f"{problem.line}:{problem.column}" for problem in problems[:_PLACES_LOGGED]]
        events.logger("flags").error(
            events.RULES_REJECTED, problems=len(problems), places=places, revision_in_force=self._rules.revision
        )

    def _log_loaded(self) -> None:
        self._loaded_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
        events.logger("flags").info(events.RULES_LOADED, revision=self._rules.revision, flags=len(self._rules.names()))

    def _publish(self) -> None:
        self.cell.swap(self._rules, self._process())

    def _process(self) -> str:
        """Returns what the process adds to the rules."""
        return json.dumps(
            {
                "stale": bool(self._problems),
                "disabled": self._disabled,
                "forced": self._forced,
                "blocked": self._blocked,
                "lease_ended": not self._is_lease_held,
                "steps": self._steps,
            }
        )

    def _notify(self) -> None:
        for changed in list(self._subscribers):
            guarded(changed)

    def _make_locks(self) -> None:
        self._lock = threading.Lock()  # held for moments, so that a block never waits for a slow disk
        self._reloading = threading.Lock()  # held while the file is read, so that an older state never overtakes


def guarded(step: Callable[[], object]) -> None:
    """Does something on behalf of nobody: what it raises is logged, by class name alone."""
    try:
        step()
    except Exception as error:
        events.logger("flags").error(events.RULES_STEP_FAILED, exception_class=type(error).__name__)


def _first_load(source: Source, problems: Tuple[Problem, ...]) -> Tuple[Rules, Signature]:
    """Loads the rules, or raises with the source's problems and those already known."""
    try:
        loaded = source.load()
    except RuleError as error:
        raise RuleError((*error.problems, *problems)) from None
    if problems:
        raise RuleError(problems)
    return loaded


_instances: weakref.WeakSet[LiveRules] = weakref.WeakSet()


def _renew_locks_in_child() -> None:
    """A lock that another thread held while the process forked would stay locked for ever in the child."""
    for instance in list(_instances):
        instance._make_locks()  # noqa: SLF001 - the hook is part of the class, kept outside for the weak references


if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_renew_locks_in_child)
