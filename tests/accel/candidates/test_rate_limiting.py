"""The sliding window's candidate against LiteLLM's own function: the same answers, and the same cache afterwards."""

from __future__ import annotations

import subprocess
import sys
import threading
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates import rate_limiting
from fast_litellm.accel.candidates.rate_limiting import RateLimitingCandidate, store_of
from fast_litellm.accel.native import WindowStore
from fast_litellm.accel.patching import held
from fast_litellm.errors import Declined

utils = pytest.importorskip("litellm.proxy.utils")
reference = pytest.importorskip(rate_limiting.LIMITER)
dual_cache = pytest.importorskip("litellm.caching.dual_cache")
in_memory_cache = pytest.importorskip("litellm.caching.in_memory_cache")

if references.known("rate_limiting", fingerprint.fingerprint(rate_limiting.SOURCES)) is None:
    pytest.skip("this release's limiter is not known, so it stays Python", allow_module_level=True)

CONTROL = held(reference, rate_limiting.NAME)[2]
WINDOW = 60
MORE_THAN_ENOUGH = 100_000
# At the very moment at which an entry ends, LiteLLM's cache holds it until something else is written.
A_LITTLE = 1 / 1024


class Clock:
    """Both sides' clock, in quarters of a second, which floats add exactly."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.75

    def __call__(self) -> float:
        return self.now


def limiter(clock, most=200):
    """What the function needs of a limiter."""
    memory = in_memory_cache.InMemoryCache(max_size_in_memory=most, clock=clock)
    return SimpleNamespace(internal_usage_cache=utils.InternalUsageCache(dual_cache.DualCache(in_memory_cache=memory)))


def cache_of(it):
    return it.internal_usage_cache.dual_cache.in_memory_cache


def keys_of(*counters):
    """The keys of counters such as "3:requests"."""
    names = [(f"{{api_key:{number}}}", kind) for number, _, kind in (counter.partition(":") for counter in counters)]
    return [key for name, kind in names for key in (f"{name}:window", f"{name}:{kind}")]


@pytest.fixture(scope="module")
def candidate() -> RateLimitingCandidate:
    """A candidate for the installed LiteLLM."""
    return RateLimitingCandidate(reference, "3")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def finished(coroutine):
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def by_control(it, keys, second, window=WINDOW):
    return finished(CONTROL(it, keys=keys, now_int=second, window_size=window))


def by_candidate(candidate, it, keys, second, window=WINDOW):
    args, kwargs = (it,), {"keys": keys, "now_int": second, "window_size": window}
    return finished(candidate.run(candidate.prepare(args, kwargs), args, kwargs))


COUNTERS = [f"{number}:{kind}" for number in range(6) for kind in ("requests", "tokens")]
CALLS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 0.25, 0.5, 1, 7.25, 30, 59.75, 60, 61.5]),
        st.lists(st.sampled_from(COUNTERS), max_size=4),
        st.sampled_from([WINDOW, WINDOW, 1, 7]),
    ),
    max_size=25,
)


@given(CALLS, st.lists(st.tuples(st.sampled_from(COUNTERS), st.integers(-50, 5_000)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_cache_that_loses_nothing_is_used_alike(calls, increments):
    """The same answers, and the same entries with the same expiry after every call, also when others count tokens."""
    candidate, clock, dice = RateLimitingCandidate(reference, "3"), Clock(), Random(1)
    theirs, ours = limiter(clock, MORE_THAN_ENOUGH), limiter(clock, MORE_THAN_ENOUGH)
    for passed, counters, window in calls:
        clock.now += passed
        for counter, value in increments:
            if dice.random() < 0.2:
                for it in (theirs, ours):
                    cache_of(it).increment_cache(keys_of(counter)[1], value, ttl=window)
        keys = keys_of(*counters)
        expected = by_control(theirs, keys, int(clock.now), window)
        assert expected == by_candidate(candidate, ours, keys, int(clock.now), window)
        assert cache_of(theirs).cache_dict == cache_of(ours).cache_dict
        assert cache_of(theirs).ttl_dict == cache_of(ours).ttl_dict


@given(CALLS, st.integers(1, 20))
@example(
    [
        (0, ["0:tokens"], 60),
        (0.25, ["0:tokens"], 60),
        (59.75, ["0:tokens", "0:requests"], 60),
        (0.25, ["0:tokens"], 60),
    ],
    2,
)
@settings(max_examples=100, deadline=None)
def test_a_cache_that_loses_entries_answers_as_one_that_does_not(calls, most):
    """However small the cache is, the counts are those of a cache with room for everything."""
    candidate, clock = RateLimitingCandidate(reference, "3"), Clock()
    theirs, ours = limiter(clock, MORE_THAN_ENOUGH), limiter(clock, most)
    for passed, counters, window in calls:
        clock.now += passed + A_LITTLE
        keys = keys_of(*counters)
        expected = by_control(theirs, keys, int(clock.now), window)
        assert expected == by_candidate(candidate, ours, keys, int(clock.now), window)
        assert len(cache_of(ours).cache_dict) <= most


def parts(cache):
    return cache.cache_dict, cache.ttl_dict, cache.expiration_heap, cache.max_size_in_memory, cache._clock


@given(CALLS, st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_a_cache_is_left_as_its_own_method_leaves_it(calls, most):
    """Entry by entry, expiry by expiry, and in the order in which they will be thrown out, however small it is."""
    candidate, clock, no_cache = RateLimitingCandidate(reference, "3"), Clock(), ({}, {}, [], 1, int)
    theirs, ours = cache_of(limiter(clock, most)), limiter(clock, most)
    for passed, counters, window in calls:
        clock.now += passed
        plan = candidate.prepare((ours, keys_of(*counters), int(clock.now), window), {})
        for key, value, ttl in plan.plan.apply(no_cache, window):
            theirs.set_cache(key, value, ttl=ttl)
        plan.store.keep(plan.plan)
        assert [] == plan.plan.apply(parts(cache_of(ours)), window)
        assert list(theirs.cache_dict.items()) == list(cache_of(ours).cache_dict.items())
        assert list(theirs.ttl_dict.items()) == list(cache_of(ours).ttl_dict.items())
        assert theirs.expiration_heap == cache_of(ours).expiration_heap


def test_what_the_cache_loses_is_put_back_as_it_was(candidate, clock):
    """With the expiry it had, so that nobody is refused for longer than with a cache that loses nothing."""
    theirs, ours = limiter(clock, MORE_THAN_ENOUGH), limiter(clock)
    keys = keys_of("1:requests")
    for it, answer in ((theirs, by_control), (ours, lambda *call: by_candidate(candidate, *call))):
        answer(it, keys, int(clock.now))
    cache_of(ours).flush_cache()
    clock.now += 20
    expected = by_control(theirs, keys, int(clock.now))

    assert expected == by_candidate(candidate, ours, keys, int(clock.now))
    assert cache_of(theirs).cache_dict == cache_of(ours).cache_dict
    assert cache_of(theirs).ttl_dict == cache_of(ours).ttl_dict


def test_planning_changes_nothing(candidate, clock):
    """A call may still be declined, or answered by the control, after it has been prepared."""
    it, keys = limiter(clock), keys_of("1:requests", "1:tokens")
    by_candidate(candidate, it, keys, int(clock.now))
    before = (dict(cache_of(it).cache_dict), store_of(cache_of(it)).remembered(keys))
    candidate.prepare((it, keys, int(clock.now), WINDOW), {})

    assert before == (cache_of(it).cache_dict, store_of(cache_of(it)).remembered(keys))


def test_two_caches_have_nothing_in_common(candidate, clock):
    """A window of the same name in another limiter is another window."""
    keys = keys_of("1:requests")
    counts = [by_candidate(candidate, limiter(clock), keys, int(clock.now))[1] for _ in range(2)]

    assert [1, 1] == counts


def test_an_entry_that_the_cache_refuses_is_told_as_by_the_reference(candidate, clock, caplog):
    """A cache full of entries without an expiry raises in some releases; its caller logs that and goes on."""
    theirs, ours = limiter(clock, 1), limiter(clock, 1)
    for it in (theirs, ours):
        cache_of(it).cache_dict["other"] = 1
    keys, second = keys_of("1:requests"), int(clock.now)
    expected, logged = by_control(theirs, keys, second), [record.getMessage() for record in caplog.records]
    caplog.clear()

    assert (expected, logged) == (
        by_candidate(candidate, ours, keys, second),
        [record.getMessage() for record in caplog.records],
    )
    assert cache_of(theirs).cache_dict == cache_of(ours).cache_dict


def changed(clock, **attributes):
    """A limiter of which something is different."""
    it = limiter(clock)
    owners = {"redis_cache": it.internal_usage_cache.dual_cache}
    for name, value in attributes.items():
        setattr(owners.get(name, cache_of(it)), name, value)
    return it


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"redis_cache": object()}, "redis"),
        ({"max_size_in_memory": 0}, "no_cache"),
        ({"max_size_per_item": 0}, "no_cache"),
        ({"max_size_in_memory": 7.5}, "opaque_value"),
        ({"get_cache": lambda key: 7}, "opaque_value"),
        ({"cache_dict": type("Own", (dict,), {})()}, "opaque_value"),
        ({"cache_dict": {"{api_key:1}:window": 7}}, "unusual_value"),
        ({"cache_dict": {"{api_key:1}:window": "07"}, "ttl_dict": {"{api_key:1}:window": 2e9}}, "unusual_value"),
        ({"cache_dict": {"{api_key:1}:tokens": 7.5}, "ttl_dict": {"{api_key:1}:tokens": 2e9}}, "unusual_value"),
        ({"cache_dict": {"{api_key:1}:tokens": 7}}, "unusual_value"),
    ],
)
def test_other_limiters_are_declined(candidate, clock, attributes, reason):
    """Python answers for what LiteLLM's limiter does not write, and whenever there is Redis."""
    with pytest.raises(Declined, match=reason):
        candidate.prepare((changed(clock, **attributes), keys_of("1:requests"), int(clock.now), WINDOW), {})


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (((), {}), "control_raises"),
        ((keys_of("1:requests")[:1], 1_700_000_000, WINDOW), "control_raises"),
        ((tuple(keys_of("1:requests")), 1_700_000_000, WINDOW), "opaque_value"),
        ((keys_of("1:requests"), 1_700_000_000.5, WINDOW), "opaque_value"),
        ((keys_of("1:requests"), 1_700_000_000, 0), "unusual_value"),
        ((["a:window", "b:requests"], 1_700_000_000, WINDOW), "unusual_key"),
        ((["{a}", "{a}:requests"], 1_700_000_000, WINDOW), "unusual_key"),
        ((["{a}:window", "{a}:max_parallel_requests"], 1_700_000_000, WINDOW), "unusual_key"),
        ((["{a}:window", b"{a}:requests"], 1_700_000_000, WINDOW), "opaque_value"),
        ((["\ud800:window", "\ud800:requests"], 1_700_000_000, WINDOW), "surrogates"),
        ((keys_of(*(f"{number}:tokens" for number in range(65))), 1_700_000_000, WINDOW), "many_windows"),
    ],
)
def test_other_calls_are_declined(candidate, clock, call, reason):
    """Python answers them, or raises."""
    with pytest.raises(Declined, match=reason):
        candidate.prepare((limiter(clock), *call), {})


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (reference, "_sibling_counter_keys"),
        (utils.InternalUsageCache, "async_set_cache"),
        (dual_cache.DualCache, "async_get_cache"),
        (in_memory_cache.InMemoryCache, "evict_cache"),
    ],
)
def test_a_reference_that_somebody_has_changed_is_declined(clock, monkeypatch, owner, name):
    """He expects to see his own function used."""
    fresh, keys = RateLimitingCandidate(reference, "3"), keys_of("1:requests")
    by_candidate(fresh, limiter(clock), keys, int(clock.now))
    monkeypatch.setattr(owner, name, lambda *args, **kwargs: None)
    with pytest.raises(Declined, match="reference_patched"):
        fresh.prepare((limiter(clock), keys, int(clock.now), WINDOW), {})


def test_another_class_between_limiter_and_cache_is_declined(clock, monkeypatch):
    """Its text is looked at with the first call, because it is defined after the limiter has been loaded."""
    monkeypatch.setattr(rate_limiting, "KNOWN_WRAPPERS", frozenset())
    with pytest.raises(Declined, match="reference_patched"):
        RateLimitingCandidate(reference, "3").prepare((limiter(clock), [], int(clock.now), WINDOW), {})


def test_a_limiter_that_prints_is_declined(candidate, clock, monkeypatch):
    """The reference prints every access when it is told to be verbose."""
    monkeypatch.setattr(sys.modules["litellm._logging"], "set_verbose", True)
    with pytest.raises(Declined, match="verbose"):
        candidate.prepare((limiter(clock), [], int(clock.now), WINDOW), {})


def test_windows_that_are_over_are_forgotten(candidate, clock):
    """What is remembered is bounded by what happens within one window."""
    it = limiter(clock)
    sizes = []
    for _ in range(6):
        for number in range(1_000):
            by_candidate(candidate, it, keys_of(f"{clock.now}-{number}:requests"), int(clock.now))
        sizes.append(len(store_of(cache_of(it))))
        clock.now += WINDOW + 1

    assert max(sizes) < 3 * 1_000


def test_threads_share_a_store(clock):
    """Each counts windows of its own, and all of them are remembered."""
    store, candidate, rounds = WindowStore(), RateLimitingCandidate(reference, "3"), 200

    def count(name: str) -> None:
        it = limiter(clock, 3)
        for _ in range(rounds):
            for number in range(5):
                keys = keys_of(f"{name}-{number}:requests")
                plan = candidate.plan(it.internal_usage_cache, store, keys, (int(clock.now), WINDOW))
                finished(candidate.run(plan, (), {}))

    threads = [threading.Thread(target=count, args=(name,)) for name in "abcd"]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    kept = [store.remembered(keys_of(f"{name}-{number}:requests")) for name in "abcd" for number in range(5)]

    assert {rounds} == {entries[1][0] for window in kept for entries in window.values()}


MEMORY = """
import os
from fast_litellm.accel.native import WindowStore

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

store, before = WindowStore(), resident()
for number in range(100_000):
    keys = [f"{{api_key:{number}}}:window", f"{{api_key:{number}}}:requests"]
    store.keep(store.plan(keys, {}, {}, (1_700_000_000, 60, 1_700_000_000.5)))
print((resident() - before) // 100_000, len(store))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_window_takes_at_most_200_bytes(tmp_path):
    """At 100,000 of them, none is lost."""
    told = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, cwd=tmp_path)
    a_window, kept = map(int, told.stdout.split())

    assert (True, 100_000) == (a_window <= 200, kept)


@given(CALLS)
@settings(max_examples=40, deadline=None)
def test_a_cache_with_a_lock_is_left_as_by_the_control(calls):
    """It is written by its own method, as LiteLLM has it from 1.108 on."""
    candidate, clock = RateLimitingCandidate(reference, "3"), Clock()
    candidate._is_locked = True
    theirs, ours = limiter(clock, MORE_THAN_ENOUGH), limiter(clock, MORE_THAN_ENOUGH)
    for passed, counters, window in calls:
        clock.now += passed
        keys = keys_of(*counters)
        expected = by_control(theirs, keys, int(clock.now), window)
        assert expected == by_candidate(candidate, ours, keys, int(clock.now), window)
        assert cache_of(theirs).cache_dict == cache_of(ours).cache_dict
        assert cache_of(theirs).ttl_dict == cache_of(ours).ttl_dict


def test_nothing_is_written_natively_into_a_cache_with_a_lock(candidate, clock):
    """All of it is left for the method that takes the lock."""
    it, keys = limiter(clock), keys_of("1:requests")
    plan = candidate.prepare((it, keys, int(clock.now), WINDOW), {})
    cache = cache_of(it)
    parts = cache.cache_dict, cache.ttl_dict, cache.expiration_heap, cache.max_size_in_memory, rate_limiting._no_moment
    left = plan.plan.apply(parts, WINDOW)

    assert ({}, {}, []) == (cache.cache_dict, cache.ttl_dict, cache.expiration_heap)
    assert {keys[0], keys[1]} <= {key for key, _, _ in left}
