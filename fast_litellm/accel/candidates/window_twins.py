"""
Twins of the state that a call of the sliding window touches: LiteLLM's cache and what is remembered beside it.

A twin is LiteLLM's own cache, filled with copies of the entries that the call can read. When the cache is so full that
the call may throw out entries, it has a place for every other entry as well, though not its value. Its clock stands
where the real one stood, but for the microsecond by which every reading moves it, so that entries expire in their
order.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates.window_calls import bound
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from fast_litellm.accel.candidates.rate_limiting import RateLimitingCandidate
    from fast_litellm.shadow.candidate import Call

_SUFFIXES = (":window", ":requests", ":tokens")
_MOST_COPIED = 1_024
"""A cache with more entries than that is not copied whole."""
_UNBOUNDED = 1 << 30
_TICK = 1e-6
_MARGIN = 0.25
_NEVER = math.inf

Remembered = Sequence[Tuple[int, float]]


@dataclass(frozen=True, repr=False)  # names are content
class Twin:
    """
    What a call of one limiter can read. Nobody changes it: every run makes a cache of its own from it.

    Args:
        entries: The cache's values by key; those that the call does not read are None.
        expiries: When they expire, by the cache's clock.
        remembered: What the store remembers: value and expiry of each entry, by the window's key.
        now: The cache's clock.
        most: How many entries the cache has room for.
    """

    entries: Dict[str, Any]
    expiries: Dict[str, float]
    remembered: Mapping[str, Remembered]
    now: float
    most: int

    @property
    def lost(self) -> Dict[str, Tuple[Any, float]]:
        """The entries that are remembered and that the cache has lost."""
        return {key: entry for window, kept in self.remembered.items() for key, entry in self._lost(window, kept)}

    @property
    def is_full(self) -> bool:
        """Whether a call may throw out entries."""
        return len(self.entries) + len(_SUFFIXES) * len(self.remembered) > self.most

    def without_flaw(self) -> Optional[Twin]:
        """
        Returns:
            The twin of a cache that has lost nothing and never will; None when it is this one.
        """
        lost = self.lost
        if not lost and not self.is_full:
            return None
        entries = {**self.entries, **{key: value for key, (value, _) in lost.items()}}
        expiries = {**self.expiries, **{key: expires for key, (_, expires) in lost.items()}}
        return replace(self, entries=entries, expiries=expiries, most=_UNBOUNDED)

    def _lost(self, window: str, kept: Remembered) -> List[Tuple[str, Tuple[Any, float]]]:
        keys = entry_keys(window)
        values = (str(kept[0][0]), *(value for value, _ in kept[1:]))
        if self._holds(window) and self.entries[window] != values[0]:
            return []  # the cache has begun another window since
        found = zip(keys, values, (expires for _, expires in kept))
        return [(key, (value, at)) for key, value, at in found if at >= self.now and not self._holds(key)]

    def _holds(self, key: str) -> bool:
        return key in self.entries and self.expiries[key] >= self.now


native.share_instances([Twin])


class _StandIn:
    """What the function needs of a limiter."""

    def __init__(self, usage: Any) -> None:
        self.internal_usage_cache = usage


class WindowTwins:
    """
    Makes twins of one release's caches; see `accel.twins.Twins`.

    Args:
        owner: The candidate on what is real.
        memory: The class of LiteLLM's cache in memory.
        dual: The class of the cache around it.
        control: The original function.
    """

    def __init__(self, owner: RateLimitingCandidate, memory: Any, dual: Any, control: Callable[..., Any]) -> None:
        self.candidate = self
        self.build = owner.build
        self._owner = owner
        self._memory = memory
        self._dual = dual
        self._control = control

    def take(self, args: Tuple[Any, ...], kwargs: Dict[str, Any], *, follows: bool) -> Call:
        """
        Args:
            args: The caller's positional arguments.
            kwargs: The caller's keyword arguments.
            follows: The control is about to answer, and what is remembered is to follow it.

        Returns:
            The call on a twin.

        Raises:
            Declined: The call is not covered, an entry expires just now, or the cache is too large to be copied.
        """
        _, keys, second, window_size = bound(args, kwargs)
        plan = self._owner.prepare(args, kwargs)
        twin = _twin(plan.usage.dual_cache.in_memory_cache, plan.store.remembered(keys))
        if follows:
            plan.store.keep(plan.plan)
        return (twin, list(keys), second, window_size), {}

    def without_flaw(self, call: Call) -> Optional[Call]:
        """
        Returns:
            The call on a cache that loses nothing; None when this one has not.
        """
        repaired = call[0][0].without_flaw()
        return None if repaired is None else ((repaired, *call[0][1:]), call[1])

    async def control(self, twin: Twin, keys: List[str], now_int: int, window_size: int) -> Any:
        """
        Returns:
            What the original function does with a call on a twin.
        """
        return await self._control(_StandIn(self._usage(twin)), keys, now_int, window_size)

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Raises:
            Declined: The call is not on a twin, for the reason for which it has none.
        """
        if not args or type(args[0]) is not Twin:
            self.take(args, kwargs, follows=False)
            raise Declined("no_twin")

    def premises(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """Returns what the candidate on what is real says of the reference."""
        return self._owner.premises(plan, args, kwargs)

    async def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - as others
        """
        Returns:
            What the candidate does with a call on a twin.
        """
        twin, keys, second, window_size = args
        store = native.WindowStore()
        store.remember(list(twin.remembered.items()))
        found = self._owner.plan(self._usage(twin), store, keys, (second, window_size))
        return await self._owner.run(found, args, {})

    def _usage(self, twin: Twin) -> Any:
        ticks = itertools.count()
        cache = self._memory(max_size_in_memory=twin.most, clock=lambda: twin.now + next(ticks) * _TICK)
        cache.cache_dict, cache.ttl_dict = dict(twin.entries), dict(twin.expiries)
        cache.expiration_heap = sorted((expires, key) for key, expires in twin.expiries.items())  # which is a heap
        return self._owner.wrapper(self._dual(in_memory_cache=cache))


def _twin(cache: Any, remembered: Mapping[str, Remembered]) -> Twin:
    read = {key for window in remembered for key in entry_keys(window)}
    is_full = len(cache.cache_dict) + len(read) > cache.max_size_in_memory
    if is_full and len(cache.cache_dict) > _MOST_COPIED:
        raise Declined("large_cache")
    keys = list(cache.cache_dict) if is_full else [key for key in read if key in cache.cache_dict]
    now = cache._clock()
    expiries = {key: cache.ttl_dict.get(key, _NEVER) for key in keys}
    if any(now <= expiries.get(key, _NEVER) < now + _MARGIN for key in read):
        raise Declined("expiring")  # which side still sees it is a matter of microseconds
    entries = {key: cache.cache_dict.get(key) if key in read else None for key in keys}
    return Twin(entries, expiries, remembered, now, cache.max_size_in_memory)


def entry_keys(window: str) -> Tuple[str, ...]:
    """
    Returns:
        The keys of a window's entries: its beginning, its requests, its tokens.
    """
    name = window[: -len(_SUFFIXES[0])]
    return tuple(name + suffix for suffix in _SUFFIXES)
