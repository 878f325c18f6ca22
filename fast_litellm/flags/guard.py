"""
The live breaker of one flag, as Python sees it: calls go in, and what it concludes becomes the flag's standing.

Counting and judging are native (`rust/core/src/guard`); `docs/decisions/0010-guard.md` says how it judges.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional

from fast_litellm import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fast_litellm.flags.engine import FlagHandle
    from fast_litellm.flags.standing import Standings

RETRYING = "retrying"
CLOSED = "closed"

_NS_PER_MS = 1_000_000
_MS_PER_S = 1_000
_NS_PER_S = 1_000_000_000
_PERCENT_PER_MILLIONTH = 1 / 10_000


class Figures(NamedTuple):
    """
    One side's calls in the guard's window.

    Args:
        calls: How many there were.
        errors: How many of them raised.
        p99_ns: Nanoseconds that at most 1 % of them took or exceeded, up to 3.1 % too high; 0 without calls.
    """

    calls: int
    errors: int
    p99_ns: int


class Finding(NamedTuple):
    """
    What a guard concludes.

    Args:
        event: "guard_tripped:error_rate" | "guard_tripped:latency" | "retrying" | "closed".
        hold_ms: How long the candidate stays out, in milliseconds.
        retry: How many of a million units try it again after that.
        scope: Who is told: "process" | "host" | "fleet".
        candidate: What the candidate did.
        control: What Python did.
    """

    event: str
    hold_ms: int
    retry: int
    scope: str
    candidate: Figures
    control: Figures

    @property
    def is_trip(self) -> bool:
        """Whether it stops the flag."""
        return self.event not in (RETRYING, CLOSED)


class Guard:
    """
    Watches one flag's candidate, and takes it out of service when it does worse than Python.

    What is too bad, and for how long the candidate then stays out, is the flag's `guard` in the rules; without one
    nothing happens. Every guard of one flag and one set of rules counts into the same window.

    Args:
        handle: The flag.
        standings: Where a stop is written.
        told: Called with the flag's name and every finding, in the thread of the call that led to it.
    """

    def __init__(self, handle: FlagHandle, standings: Standings, told: Callable[[str, Finding], None]) -> None:
        self._handle = handle
        self._standings = standings
        self._told = told

    @property
    def flag(self) -> str:
        """The flag's name."""
        return self._handle.name

    def record(self, implementation: str, seconds: float, error: Optional[BaseException] = None) -> None:
        """
        Count one call.

        Args:
            implementation: Who answered, as the decision named it; everything but "python" is the candidate. A call
                that Python takes over from a candidate is the candidate's.
            seconds: For how long.
            error: What it raised. Signals, such as KeyboardInterrupt, are nobody's failure: such a call is not counted.
        """
        if error is not None and not isinstance(error, Exception):
            return
        finding = self._handle.record(implementation, max(0, int(seconds * _NS_PER_S)), error is not None)
        if finding is not None:
            self.conclude(*finding)

    @contextmanager
    def measure(self, implementation: str) -> Iterator[None]:
        """
        Count the block as one call: how long it takes, and whether it raises.

        Args:
            implementation: As for `record`.
        """
        started = time.perf_counter()
        error: Optional[BaseException] = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            self.record(implementation, time.perf_counter() - started, error)

    def figures(self) -> Optional[Dict[str, Figures]]:
        """Returns what "candidate" and "python" did in the window; None without a guard."""
        found = self._handle.figures()
        return None if found is None else {"candidate": Figures(*found[0]), "python": Figures(*found[1])}

    def conclude(self, *fields: Any) -> None:
        """Acts on a finding, given as the fields of `Finding`: stops the flag, or lets all units through again."""
        event, hold_ms, retry, scope, candidate, control = fields
        finding = Finding(event, hold_ms, retry, scope, Figures(*candidate), Figures(*control))
        if finding.event == CLOSED:
            self._standings.close(self.flag)
        elif finding.is_trip:
            self._standings.trip(self.flag, finding)
        _log(self.flag, finding)
        self._told(self.flag, finding)


def _log(flag: str, finding: Finding) -> None:
    facts = {**_facts("candidate", finding.candidate), **_facts("python", finding.control)}
    if not finding.is_trip:
        event = events.GUARD_RETRYING if finding.event == RETRYING else events.GUARD_CLOSED
        events.tell("flags", "warning", event, flag=flag, **facts)
        return
    events.tell(
        "flags",
        "error",
        events.GUARD_TRIPPED,
        flag=flag,
        cause=finding.event,
        hold_s=finding.hold_ms / _MS_PER_S,
        retry_percent=finding.retry * _PERCENT_PER_MILLIONTH,
        scope=finding.scope,
        **facts,
    )


def _facts(side: str, figures: Figures) -> Dict[str, Any]:
    return {
        f"{side}_calls": figures.calls,
        f"{side}_error_percent": round(100 * figures.errors / max(1, figures.calls), 3),
        f"{side}_p99_ms": round(figures.p99_ns / _NS_PER_MS, 4),
    }
