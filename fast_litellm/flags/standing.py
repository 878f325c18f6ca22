"""
What is stopped at run time, whatever the rules say: in this process, on this host, in the fleet.

A stop on this host is one store into a page that all processes with the same rule file have mapped; their next decision
sees it. Without a page, and for flags that found no room in it, a stop reaches this process alone, and `where` says so.
"""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Mapping, Optional, Tuple

from fast_litellm import events
from fast_litellm.flags import engine

if TYPE_CHECKING:
    from fast_litellm.flags.engine import SnapshotCell
    from fast_litellm.flags.guard import Finding
    from fast_litellm.flags.page import SharedPage

SCOPES = ("process", "host")

_PAUSED = "paused"
_RUNNING = 0
_MS_PER_S = 1000


class Standings:
    """
    The stops that hold for one set of rules.

    Args:
        cell: The rules in force, which read the stops.
        shared: The page they read; None when they share none.
        because: Why they share none.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        cell: SnapshotCell,
        shared: Optional[SharedPage] = None,
        because: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cell = cell
        self._clock = clock
        self._own: Dict[str, int] = {}
        self._fleet: Dict[str, int] = {}
        self._make_lock()
        self._page = shared
        self._because = because
        _instances.add(self)

    def pause(self, flag: str, *, hold: Optional[float], scope: str) -> str:
        """Stops a flag for so many seconds, or for ever; returns how far the stop reaches."""
        _check_scope(scope)
        reached = self._stand(flag, paused_word(hold, self._clock()), scope)
        events.logger("flags").warning(events.FLAG_PAUSED, flag=flag, scope=reached, hold_s=hold)
        return reached

    def resume(self, flag: str, *, scope: str) -> None:
        """Takes stops back: those of this process, and those of this host unless only the process is meant."""
        _check_scope(scope)
        with self._lock:
            self._own.pop(flag, None)
            self._show(flag)
        if scope == "host" and self._page is not None and self._page.native.entry(flag) is not None:
            self._page.native.stand(flag, _RUNNING)
        events.logger("flags").warning(events.FLAG_RESUMED, flag=flag, scope=scope)

    def trip(self, flag: str, finding: Finding) -> None:
        """Stops a flag as its guard says, unless a person has stopped it."""
        until = int(self._clock() * _MS_PER_S) + finding.hold_ms
        word = engine.current().stop_word(finding.event, until, finding.retry)
        page = self._page if finding.scope != "process" else None
        if page is None or page.native.trip(flag, word) is None:
            self._trip_here(flag, word)

    def divert(self, flag: str, build: str, seconds: float) -> None:
        """Stops a flag on this host for so many seconds, because a build of its candidate answered otherwise."""
        until = int((self._clock() + seconds) * _MS_PER_S)
        if self._page is not None:
            self._page.native.trip(flag, engine.current().stop_word("diverged", until, _mark(build)))

    def is_diverted(self, flag: str, build: str) -> bool:
        """Returns whether a build was found on this host to answer otherwise. Another build's stop is lifted."""
        found = self._diverted(flag)
        if found is not None and found != _mark(build):
            self.undivert(flag)
        return found == _mark(build)

    def undivert(self, flag: str) -> None:
        """Takes back what `divert` has stopped, whatever the build."""
        if self._page is not None and self._diverted(flag) is not None:
            self._page.native.trip(flag, _RUNNING)

    def _diverted(self, flag: str) -> Optional[int]:
        word = _RUNNING if self._page is None else self._page.word(flag)
        return engine.current().read_mark(word, int(self._clock() * _MS_PER_S))

    def close(self, flag: str) -> None:
        """Takes back what a guard has stopped, wherever; what a person has stopped stays."""
        if self._page is not None and self._page.native.entry(flag) is not None:
            self._page.native.trip(flag, _RUNNING)
        self._trip_here(flag, _RUNNING)

    def _trip_here(self, flag: str, word: int) -> None:
        with self._lock:
            found = engine.current().read_word(self._own.get(flag, _RUNNING), int(self._clock() * _MS_PER_S))
            if found is None or found[0] != _PAUSED:
                self._own[flag] = word
                self._show(flag)

    def apply_fleet(self, stops: Mapping[str, Optional[float]]) -> None:
        """Makes the fleet's stops those given: flag to its end in seconds since 1970, None for ever."""
        words = {flag: word_until(until) for flag, until in stops.items()}
        with self._lock:
            changed = {flag for flag in {*words, *self._fleet} if words.get(flag) != self._fleet.get(flag)}
            self._fleet = words
            for flag in changed:
                self._show(flag)

    def of(self, flag: str) -> Dict[str, Any]:
        """Returns `{"state": running | paused | guard_tripped:... | diverged, "until", "scope"}`."""
        words = {
            "fleet": self._fleet.get(flag, _RUNNING),
            "host": self._page.word(flag) if self._page is not None else _RUNNING,
            "process": self._own.get(flag, _RUNNING),
        }
        return described(words, self._clock())

    def where(self, flags: Iterable[str]) -> Dict[str, Any]:
        """Returns `{"scope", "path"}` of what is stopped, and `"because"` when something of it is not shared."""
        if self._page is None:
            return {"scope": "process", "because": self._because}
        homeless = sum(self._page.native.entry(flag) is None for flag in flags)
        full = f"the page is full: {homeless} flag(s) are stopped in this process alone" if homeless else ""
        because = self._page.problem() or full
        return {"scope": "host", "path": str(self._page.path), **({"because": because} if because else {})}

    def _stand(self, flag: str, word: int, scope: str) -> str:
        if scope == "host" and self._page is not None and self._page.native.stand(flag, word):
            return "host"
        with self._lock:
            self._own[flag] = word
            self._show(flag)
        return "process"

    def _show(self, flag: str) -> None:
        """Hands the stronger of this process's words to the rules in force."""
        words = (self._own.get(flag, _RUNNING), self._fleet.get(flag, _RUNNING))
        now = self._clock()
        self._cell.stand(flag, max(words, key=lambda word: _strength(word, now)))

    def _make_lock(self) -> None:
        self._lock = threading.Lock()


def paused_word(hold: Optional[float], now: float) -> int:
    """
    Args:
        hold: Seconds, None for ever.
        now: Seconds since 1970.

    Returns:
        The word that stops a flag as a person does: when the time is over, everything is as before.

    Raises:
        ValueError: The time is not positive.
    """
    if hold is not None and not 0 < hold < math.inf:
        raise ValueError(f"expected a positive number of seconds to hold, got {hold}")
    return word_until(None if hold is None else now + hold)


def described(words: Mapping[str, int], now: float) -> Dict[str, Any]:
    """
    Args:
        words: Scope to the word that holds there.
        now: Seconds since 1970.

    Returns:
        `{"state", "until": ISO time or None, "scope"}` of the strongest of them; scope is None when all run.
    """
    scope, word = max(words.items(), key=lambda item: _strength(item[1], now))
    found = engine.current().read_word(word, int(now * _MS_PER_S))
    if found is None:
        return {"state": "running", "until": None, "scope": None}
    cause, until, _ = found
    return {"state": cause, "until": None if until is None else _iso(until), "scope": scope}


def word_until(until: Optional[float]) -> int:
    """
    Args:
        until: Seconds since 1970, None for ever.

    Returns:
        The word that stops a flag as a person does until then.
    """
    return engine.current().stop_word("paused", None if until is None else int(until * _MS_PER_S))


def _strength(word: int, now: float) -> Tuple[bool, bool, float]:
    """Orders words: running, then tried again, then stopped; of two alike, the one that lasts."""
    found = engine.current().read_word(word, int(now * _MS_PER_S))
    if found is None:
        return False, False, 0.0
    _, until, share = found
    return True, not share, math.inf if until is None else until


def _mark(build: str) -> int:
    """Tells builds apart in the 20 bits that a word has for it."""
    return int(blake2b(build.encode()).hexdigest()[:5], 16)


def _check_scope(scope: str) -> None:
    if scope not in SCOPES:
        raise ValueError(f"expected one of {' | '.join(SCOPES)}, got {scope!r}")


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / _MS_PER_S, timezone.utc).isoformat(timespec="seconds")


_instances: weakref.WeakSet[Standings] = weakref.WeakSet()


def _renew_locks_in_child() -> None:
    """A lock that another thread held while the process forked would stay locked for ever in the child."""
    for instance in list(_instances):
        instance._make_lock()  # noqa: SLF001 - the hook is part of the class, kept outside for the weak references


if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_renew_locks_in_child)
