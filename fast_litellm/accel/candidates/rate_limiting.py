"""
The candidate of `rate_limiting`: the sliding window of LiteLLM's limiter v3 in memory, which loses no window.

LiteLLM keeps three entries to a window in a cache of 200, which other functions of the limiter read and write as well.
The candidate reads that cache natively, counts, and writes to it what LiteLLM would write. Beside it a native store
remembers every window until it is over; what the cache has lost is taken from there and put back. So the cache stays
the one place where a limit stands, and either side may answer any call.
"""

from __future__ import annotations

import importlib
import sys
import weakref
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.candidates.window_calls import bound
from fast_litellm.accel.candidates.window_twins import WindowTwins
from fast_litellm.accel.fingerprint import Source, fingerprint
from fast_litellm.accel.patching import held
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from weakref import WeakKeyDictionary

    from fast_litellm.accel.native import WindowPlan, WindowStore

LIMITER = "litellm.proxy.hooks.parallel_request_limiter_v3"
NAME = "_PROXY_MaxParallelRequestsHandler_v3._in_memory_cache_sliding_window"
_DUAL = "litellm.caching.dual_cache"
_MEMORY = "litellm.caching.in_memory_cache"
WRAPPER = "litellm.proxy.utils"

SOURCES: Tuple[Source, ...] = (
    Source(LIMITER, (NAME, "_sibling_counter_keys")),
    Source(_DUAL, ("DualCache.async_get_cache", "DualCache.async_set_cache")),
    Source(_MEMORY),
)
"""The function, and the cache below it."""

WRAPPER_SOURCES: Tuple[Source, ...] = (
    Source(WRAPPER, ("InternalUsageCache.async_get_cache", "InternalUsageCache.async_set_cache")),
)
"""What is between them. It is defined after the limiter has been loaded, so it is looked at with the first call."""

KNOWN_WRAPPERS = frozenset({"21dfb64eca8f6a2c"})
"""The fingerprints under which it does nothing but ask the cache: that of 1.106.2, 1.108.1 and 1.109.1."""

_GUARDED = (Source(LIMITER), Source(_DUAL, ("DualCache",)), Source(_MEMORY, ("InMemoryCache",)))

_CALLED = frozenset(
    {
        "_is_key_expired",
        "_remove_key",
        "allow_ttl_override",
        "async_get_cache",
        "async_set_cache",
        "check_value_size",
        "evict_cache",
        "evict_element_if_expired",
        "get_cache",
        "set_cache",
    }
)
"""The methods of the cache that the function comes to; the others it has are no matter."""

_KINDS = (dict, dict, list, int)
"""Of the parts of a cache that are written to."""

_LARGEST_VALUE = 1_024
"""So many characters at least a cache takes; what is written has twenty at the most."""

_stores: WeakKeyDictionary[Any, WindowStore] = weakref.WeakKeyDictionary()
"""One for each cache; they go on through every installation of a process, as the caches do."""


class Plan(NamedTuple):
    """
    What a call comes to.

    Args:
        plan: What is answered, written and remembered.
        store: What it is remembered in.
        usage: LiteLLM's cache as its limiter sees it.
        window_size: How long what is written lasts, in seconds.
    """

    plan: WindowPlan
    store: WindowStore
    usage: Any
    window_size: int


class RateLimitingCandidate(Guarded):
    """
    Counts as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.proxy.hooks.parallel_request_limiter_v3`.
        semantics: Names the reference's rules; there is one set.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        self._logging = importlib.import_module("litellm._logging")
        dual = importlib.import_module(_DUAL).DualCache
        memory = importlib.import_module(_MEMORY).InMemoryCache
        self._classes = (dual, memory)
        self._attributes = ["dual_cache", *vars(dual(memory())), *vars(memory())]
        self._is_locked = "_write_lock" in vars(memory())
        self._unit = importlib.import_module(_MEMORY).MAX_SIZE_PER_ITEM_IN_MEMORY_CACHE_IN_KB
        places = reach.places(_GUARDED, NAME)
        super().__init__(native.IdentityGuard([it for it in places if type(it[0]) is dict or it[1] in _CALLED]))
        self._wrapper: Optional[_Wrapper] = None
        self.twins = WindowTwins(self, memory, dual, held(reference, NAME)[2])

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Read what the cache holds, and find what follows; nothing is changed yet.

        Raises:
            Declined: The call is not one that is reproduced.
        """
        limiter, keys, second, window_size = bound(args, kwargs)
        usage = getattr(limiter, "internal_usage_cache", None)
        return self.plan(usage, store_of(self.cache(usage)), keys, (second, window_size))

    def plan(self, usage: Any, store: WindowStore, keys: List[str], moment: Tuple[int, int]) -> Plan:
        """
        Args:
            usage: LiteLLM's cache as a limiter sees it.
            store: What is remembered beside it.
            keys: A window's key, a counter's key, and so on.
            moment: The second, and how many seconds a window lasts.

        Raises:
            Declined: The keys or what the cache holds are not as the limiter writes them.
        """
        cache = usage.dual_cache.in_memory_cache
        second, window_size = moment
        plan = store.plan(keys, cache.cache_dict, cache.ttl_dict, (second, window_size, cache._clock()))
        return Plan(plan, store, usage, window_size)

    async def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> List[Any]:  # noqa: ARG002
        """
        Remember what follows from a call and write it, natively as far as LiteLLM's cache is as it leaves itself; where
        it has a lock, by its own method (docs/decisions/0043). Nothing is awaited before all of it is done, unless the
        cache refuses an entry, which its own method then logs.

        Returns:
            The beginning and the count of each window, in one list.
        """
        plan.store.keep(plan.plan)
        cache = plan.usage.dual_cache.in_memory_cache
        clock: Any = _no_moment if self._is_locked else cache._clock
        parts = cache.cache_dict, cache.ttl_dict, cache.expiration_heap, cache.max_size_in_memory, clock
        refused = plan.plan.apply(parts, plan.window_size)
        for key, value, ttl in refused:
            try:
                cache.set_cache(key, value, ttl=ttl)
            except Exception:  # noqa: PERF203 - mostly there is none
                await plan.usage.async_set_cache(key, value, litellm_parent_otel_span=None, local_only=True, ttl=ttl)
        return plan.plan.answers

    def cache(self, usage: Any) -> Any:
        """
        Returns:
            The cache in memory below a limiter's.

        Raises:
            Declined: It is not LiteLLM's own, somebody listens, or Redis is behind it.
        """
        if not self._untouched.holds() or not self._known_wrapper().is_of(usage):
            raise Declined("reference_patched")
        dual = usage.dual_cache
        cache: Any = getattr(dual, "in_memory_cache", None)
        if (type(dual), type(cache)) != self._classes or not self._is_plain(usage, dual, cache):
            raise Declined("opaque_value")
        if dual.redis_cache is not None:
            raise Declined("redis")
        if self._logging.set_verbose:
            raise Declined("verbose")  # the reference prints every access
        if cache.max_size_in_memory < 1 or cache.max_size_per_item * self._unit < _LARGEST_VALUE:
            raise Declined("no_cache")
        return cache

    def _is_plain(self, usage: Any, dual: Any, cache: Any) -> bool:
        """Whether nobody has given one of the objects a method of its own."""
        parts = cache.cache_dict, cache.ttl_dict, cache.expiration_heap, cache.max_size_in_memory
        kinds = type(parts[0]), type(parts[1]), type(parts[2]), type(parts[3])
        return kinds == _KINDS and [*usage.__dict__, *dual.__dict__, *cache.__dict__] == self._attributes

    def wrapper(self, dual: Any) -> Any:
        """
        Returns:
            A cache as a limiter sees it.
        """
        return self._known_wrapper().owner(dual)

    def _known_wrapper(self) -> _Wrapper:
        if self._wrapper is None:
            self._wrapper = _Wrapper()
        return self._wrapper


def _no_moment() -> None:
    """A clock by which nothing is written natively."""


class _Wrapper:
    """The class between the limiter and its cache, if it is one that is known."""

    def __init__(self) -> None:
        is_known = WRAPPER in sys.modules and fingerprint(WRAPPER_SOURCES) in KNOWN_WRAPPERS
        self.owner: Any = None
        places: List[reach.Place] = []
        if is_known:
            self.owner = sys.modules[WRAPPER].InternalUsageCache
            places = [(self.owner, name) for name in ("async_get_cache", "async_set_cache")]
        self._untouched = native.IdentityGuard(places)

    def is_of(self, usage: Any) -> bool:
        """Whether an object is one of it, and the class is as it was."""
        return type(usage) is self.owner and self._untouched.holds()


def store_of(cache: Any) -> WindowStore:
    """
    Returns:
        What is remembered beside a cache.
    """
    store = _stores.get(cache)
    return _stores.setdefault(cache, native.WindowStore()) if store is None else store
