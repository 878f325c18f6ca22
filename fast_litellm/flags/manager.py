"""
The rules of one process: loaded, compiled, watched, and asked.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Optional

from fast_litellm.errors import UnknownFlagError
from fast_litellm.flags import engine, file_events, page
from fast_litellm.flags.guard import Guard
from fast_litellm.flags.live import LiveRules, guarded
from fast_litellm.flags.sources import FileSource, MemorySource
from fast_litellm.flags.standing import Standings
from fast_litellm.flags.watcher import Watcher

if TYPE_CHECKING:
    import os
    from datetime import datetime

    from fast_litellm.flags.decision import Decision
    from fast_litellm.flags.engine import FlagHandle, Serve, SnapshotCell
    from fast_litellm.flags.guard import Finding
    from fast_litellm.flags.plan import Plan
    from fast_litellm.flags.sources import Source


class FlagManager:
    """
    Decides which implementation serves each call. Make one with `from_file`, `from_dict` or `default`.

    What overrules what, strongest first: `disabled`, a block, a pause, a lease that has ended, an override,
    `enabled: false`, a pinned `stage`, the rules in their order, `otherwise`. A flag that is not declared serves
    Python.

    Every method may be called from any thread.

    Attributes:
        serve: `(flag, unit=None, attributes=None) -> str`, the same as `decide(...).serve` for a third of its price.
    """

    def __init__(
        self,
        source: Source,
        overrides: Optional[Mapping[str, str]] = None,
        *,
        disabled: bool = False,
        scope: str = "host",
    ) -> None:
        shared, because = page.shared(source.path if scope == "host" else None)
        self._live = LiveRules(source, overrides or {}, disabled=disabled, page=shared.native if shared else None)
        self._cell = self._live.cell
        # The native method itself: a Python frame around it would cost half as much again.
        self.serve: Serve = self._cell.serve
        self._standings = Standings(self._cell, shared, because)
        self._told: List[Callable[[str, Finding], None]] = []
        looks = functools.partial(file_events.looks, source.entries)
        self._watcher = Watcher(functools.partial(guarded, self._live.poll), looks)

    @classmethod
    def from_file(
        cls,
        path: os.PathLike[str] | str,
        *,
        overrides: Optional[Mapping[str, str]] = None,
        disabled: bool = False,
        scope: str = "host",
    ) -> FlagManager:
        """
        Load a rule file.

        Args:
            path: A YAML file; `config/rollout.yaml` explains every key.
            overrides: Flag name to python | rust | shadow | N%, as the environment demands; a flag that the file does
                not declare comes into being.
            disabled: The kill switch: Python serves every call.
            scope: Whom a pause reaches, and whose pauses hold here: "host", every process with the same rule file, or
                "process", this manager alone, for tools that only look at a file.

        Raises:
            RuleError: The file or an override cannot be used; every problem is listed with file, line and column.
        """
        return cls(FileSource(path), overrides, disabled=disabled, scope=scope)

    @classmethod
    def from_dict(
        cls, rules: Mapping[str, Any], *, overrides: Optional[Mapping[str, str]] = None, disabled: bool = False
    ) -> FlagManager:
        """
        Load rules from memory.

        Args:
            rules: What a rule file holds.
            overrides: As for `from_file`.
            disabled: As for `from_file`.

        Raises:
            RuleError: The rules or an override cannot be used; every problem is listed.
        """
        return cls(MemorySource(rules), overrides, disabled=disabled)

    @classmethod
    def default(
        cls, names: Iterable[str], *, overrides: Optional[Mapping[str, str]] = None, disabled: bool = False
    ) -> FlagManager:
        """
        The rules that hold without a rule file: every feature in shadow, nothing served by a candidate.

        Args:
            names: The features.
            overrides: As for `from_file`.
            disabled: As for `from_file`.

        Raises:
            RuleError: An override cannot be used.
        """
        shadow = {"shadow": {"percent": 100, "budget": "5%"}}
        return cls.from_dict(
            {"version": 1, "flags": dict.fromkeys(names, shadow)}, overrides=overrides, disabled=disabled
        )

    def decide(self, flag: str, *, unit: object = None, attributes: Optional[Mapping[str, Any]] = None) -> Decision:
        """
        Decide one call. Total and pure: it never raises, and the same rules and arguments give the same decision.

        Args:
            flag: The flag's name.
            unit: What is hashed for stickiness: a text or a whole number; anything else counts as missing.
            attributes: Facts about the call that rules look at.

        Returns:
            The decision with its reasons.
        """
        return self._cell.decide(flag, unit, attributes)

    def bind(self, flag: str) -> FlagHandle:
        """
        Bind one flag for callers that ask often.

        Args:
            flag: The flag's name; it need not be declared yet.

        Returns:
            A native callable `(unit=None, attributes=None, /) -> str` that follows every reload.
        """
        return self._cell.bind(flag)

    def guard(self, flag: str) -> Guard:
        """
        Watch one flag by its `guard` in the rules: errors and latency of the candidate against Python's own.

        A program that routes by itself tells it how its calls went::

            guard = manager.guard("parser")
            serve = manager.serve("parser", user)
            with guard.measure(serve):
                answer = parsers[serve](text)

        When the candidate does worse, the next `decide` is Python, with the detail "guard_tripped:...".

        Args:
            flag: The flag's name; it need not be declared yet.
        """
        return Guard(self._cell.bind(flag), self._standings, self._tell)

    def when_concluded(self, told: Callable[[str, Finding], None]) -> None:
        """
        Have a function called with every finding of a guard, in the thread of the call that led to it.

        Args:
            told: Takes the flag's name and the finding; it must not wait. What it raises is logged.
        """
        self._told.append(told)

    @property
    def cell(self) -> SnapshotCell:
        """The compiled rules in force."""
        return self._cell

    def stage(self, flag: str) -> str:
        """Return off | shadow | canary | on | blocked; a flag that is not declared is off."""
        return self._cell.stages().get(flag, "off")

    def describe(self, flag: str) -> Dict[str, Any]:
        """
        Say what a flag does.

        Args:
            flag: The flag's name.

        Returns:
            `{"flag", "file", "line", "stage", "salt", "unit": {"attribute", "explicit_first"}, "consults_rules",
            "rules": [{"name", "line", "when", "serve" | "thresholds"}], "otherwise": {"serve" | "thresholds"}, "owner",
            "expires", "shadow": {"percent", "budget"}}`; thresholds are pairs of a name and the first bucket that is no
            longer its own.

        Raises:
            UnknownFlagError: The flag is not declared.
        """
        return self._found(flag, self._cell.describe(flag))

    def explain(
        self,
        flag: str,
        *,
        unit: object = None,
        attributes: Optional[Mapping[str, Any]] = None,
        at: Optional[datetime] = None,
    ) -> Dict[str, Any]:
        """
        Decide one call and say, rule by rule, why.

        Args:
            flag: The flag's name.
            unit: As for `decide`.
            attributes: As for `decide`.
            at: The moment that ramps look at; the present one if absent. What is stopped is told as of now.

        Returns:
            What `describe` returns, with `"decision"`, `"revision"`, the unit's `"bucket"`, the flag's `"standing"`;
            for each rule a `"verdict"` (matched | not_matched | not_reached) and, when it did not match, `"because"`:
            the part of it that did not hold; for a ramp its `"current"` step and `"bucket"`, for the layer the unit's
            `"bucket"` in it, and for each requirement what was `"found"`.

        Raises:
            UnknownFlagError: The flag is not declared.
        """
        moment = None if at is None else int(at.timestamp() * 1000)
        return self._found(flag, self._cell.explain(flag, unit, attributes, moment))

    def block(self, flag: str, detail: str = "blocked") -> None:
        """
        Stop a feature at once: Python serves and nothing is compared, whatever the rules say, also after a reload.

        Args:
            flag: The flag's name; for one that is not declared the block waits.
            detail: Why, a short word; it becomes the decisions' detail.
        """
        self._live.block(flag, detail)

    def unblock(self, flag: str) -> None:
        """
        Take a block back.

        Args:
            flag: The flag's name; without a block nothing happens.
        """
        self._live.unblock(flag)

    def divert(self, flag: str, build: str, seconds: float = 5.0) -> None:
        """
        Stop a feature for every other process of this host that uses the same rule file: their next decision is Python.

        It lasts until each of them has seen it, and blocked the build for itself. A person's pause stays as it is.

        Args:
            flag: The flag's name.
            build: The candidate that answered otherwise than Python.
            seconds: How long.
        """
        self._standings.divert(flag, build, seconds)

    def is_diverted(self, flag: str, build: str) -> bool:
        """
        Return whether a process of this host has just stopped a feature because of this build of its candidate.

        A stop that another build has caused is lifted: who runs that build has blocked it by now.
        """
        return self._standings.is_diverted(flag, build)

    def undivert(self, flag: str) -> None:
        """
        Take back on this host what `divert` has stopped.

        Args:
            flag: The flag's name; when nothing has diverted it nothing happens.
        """
        self._standings.undivert(flag)

    def pause(self, flag: str, *, hold: Optional[float] = None, scope: str = "host") -> str:
        """
        Stop a feature for every process of this host that uses the same rule file: their next decision is Python.

        A pause outlives the processes: it holds for those started later, until it is taken back or the page is gone,
        which a reboot brings about where it lies in memory.

        Args:
            flag: The flag's name; for one that is not declared the pause waits.
            hold: Seconds after which everything is as before; None holds until `resume`.
            scope: "host" or "process".

        Returns:
            How far it reaches: "process" where "host" was asked for and cannot be had; `status()["stops"]` says why.

        Raises:
            ValueError: `hold` is not positive, or `scope` is something else.
        """
        return self._standings.pause(flag, hold=hold, scope=scope)

    def resume(self, flag: str, *, scope: str = "host") -> None:
        """
        Take back what stopped a feature, be it a pause or a guard. A pause of the fleet stays.

        Args:
            flag: The flag's name; when nothing has stopped it nothing happens.
            scope: "host" takes back what was stopped on this host and in this process, "process" the latter alone.

        Raises:
            ValueError: `scope` is something else.
        """
        self._standings.resume(flag, scope=scope)

    def apply_fleet(self, pauses: Mapping[str, Optional[float]]) -> None:
        """
        Make the pauses of the fleet, in this process, those given.

        Args:
            pauses: Flag to its end in seconds since 1970; None has no end.
        """
        self._standings.apply_fleet(pauses)

    def apply_rollouts(self, steps: Mapping[str, int]) -> None:
        """
        Make the steps that flags have reached in their plans, in this process, those given.

        A flag that names a `stage` or an `otherwise` goes on by these.

        Args:
            steps: Flag to an index into its plan.
        """
        self._live.take_steps(steps)

    def hold_lease(self, *, is_held: bool) -> None:
        """
        Let candidates answer as the rules say, or none of them: a process that cannot hear whether one was taken back
        should not have it answer. Meanwhile Python does, calls are compared, and decisions say `lease_ended`.

        Args:
            is_held: Whether they may; they may until this is called.
        """
        self._live.hold_lease(is_held=is_held)

    def candidate(self, flag: str) -> str:
        """Return the implementation of a flag that is compared and promoted: `rust`, if the rules name no other."""
        return self._live.candidate(flag)

    def plan(self, flag: str) -> Plan:
        """
        Return a flag's plan with the step it has reached.

        Args:
            flag: The flag's name; one that is not declared or names no plan has the default one.
        """
        return self._live.plan(flag)

    def follows_plan(self, flag: str) -> bool:
        """Return whether the step of its plan decides what a flag serves where no rule does, and nothing stronger."""
        return self._cell.follows_plan(flag)

    def gate(self, flag: str) -> Dict[str, Any]:
        """
        Return what the rules say of a flag's gate.

        Args:
            flag: The flag's name.

        Returns:
            What is written, as `fast_litellm.shadow.policy.Policy.of` takes it: fractions, and seconds.
        """
        return self._live.gate(flag)

    def standing(self, flag: str) -> Dict[str, Any]:
        """
        Say whether a feature is stopped at run time.

        Args:
            flag: The flag's name.

        Returns:
            `{"state": "running" | "paused" | "guard_tripped:error_rate" | "guard_tripped:latency" | "diverged",
            "until": ISO time or None, "scope": "process" | "host" | "fleet" | None}`.
        """
        return self._standings.of(flag)

    def reload(self) -> bool:
        """
        Read the rules again. Rules in which something is wrong never replace good ones.

        Returns:
            Whether the rules in force are what the file says; if not, `status()` lists the problems and decisions give
            the reason STALE.
        """
        return self._live.reload()

    def poll(self) -> bool:
        """
        Reload if the file is not the one last read.

        Returns:
            Whether it was.
        """
        return self._live.poll()

    def watch(self) -> None:
        """
        Follow the file in a thread of its own, in forked children too, until `close`.

        The thread listens for changes and looks every second as well; `status()` says which of the two is at work.
        """
        if self._live.source.path is not None:
            self._watcher.start()

    def close(self) -> None:
        """Stop watching. Decisions go on by the rules in force."""
        self._watcher.stop()

    def subscribe(self, changed: Callable[[], None]) -> None:
        """
        Have a function called after every change of the rules in force, in the thread that made it.

        Args:
            changed: Takes nothing. What it raises is logged.
        """
        self._live.subscribe(changed)

    def status(self) -> Dict[str, Any]:
        """
        Say which rules are in force.

        Returns:
            `{"path", "revision", "stale", "problems": [text], "loaded_at": ISO time, "watching", "watching_reason",
            "disabled", "lease_ended", "flags": {name: {"stage", "owner", "expires", "candidate", "shadow": {...},
            "standing"}}, "stops": {"scope", "path", "because"}}`; path is None for rules from memory. `watching` is
            events | polling | None, with the reason why it is not by events. `standing` is as `standing()` returns it.
            `stops` says whom a pause reaches, "host" by the page at "path" or "process", and "because" of what not
            everybody.
        """
        way, status = self._watcher.way, self._live.status()
        flags = {name: {**flag, "standing": self.standing(name)} for name, flag in status["flags"].items()}
        watching = {"watching": way.name, "watching_reason": way.reason}
        return {**status, **watching, "flags": flags, "stops": self._standings.where(flags)}

    def _tell(self, flag: str, finding: Finding) -> None:
        for told in list(self._told):
            guarded(functools.partial(told, flag, finding))

    def _found(self, flag: str, account: Optional[str]) -> Dict[str, Any]:
        if account is None:
            hint = engine.current().nearest(flag, list(self._cell.stages()))
            raise UnknownFlagError(f'no rule file declares the flag "{flag}"{"; " + hint if hint else ""}')
        return {**json.loads(account), **self._live.notes(flag), "file": self._live.source.path}
