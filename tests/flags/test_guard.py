"""The live breaker, for a program that routes by itself."""

from __future__ import annotations

import json

import pytest
import structlog.testing

from fast_litellm import events
from fast_litellm.flags import FlagManager

HOLD_S = 300.0
CRITERIA = {"error_rate": {"max_over_python": "0.5%"}, "latency_p99": {"max_ratio_to_python": 1.1}}


class Watched:
    """A manager with one guarded flag that serves its candidate, and a clock for its stops."""

    def __init__(self, *, min_calls: int = 100) -> None:
        breach = {"serve": "python", "hold": "5m", "retry_percent": 1, "scope": "process"}
        self.guard_rules = {"window": "60s", "min_calls": min_calls, "on_breach": breach, **CRITERIA}
        self.manager = FlagManager.from_dict(self.rules())
        self.guard = self.manager.guard("parser")
        self.handle = self.manager.bind("parser")

    def rules(self) -> dict:
        flag = {"stage": "on", "otherwise": "rust", "guard": self.guard_rules}
        return {"version": 1, "flags": {"parser": flag}}

    def calls(self, implementation: str, count: int, seconds: float = 0.00005, error=None) -> None:
        for _ in range(count):
            self.guard.record(implementation, seconds, error)

    def let_hold_pass(self) -> None:
        """Stops from here on begin so long ago that their time is over."""
        before = self.manager._standings._clock
        self.manager._standings._clock = lambda: before() - HOLD_S - 1

    def decided(self, unit: object = "user-1") -> tuple[str, str, str]:
        decision = self.manager.decide("parser", unit=unit)
        return decision.serve, decision.reason, decision.detail


@pytest.fixture
def logged():
    """Collects the guard's events."""
    with structlog.testing.capture_logs() as found:
        yield found


def named(logged, event) -> list:
    return [entry for entry in logged if entry["event"] == event]


@pytest.mark.parametrize(
    ("seconds", "error", "detail"),
    [
        (0.00005, ValueError(), "guard_tripped:error_rate"),
        (0.0001, None, "guard_tripped:latency"),
    ],
)
def test_a_worse_candidate_is_stopped_once(logged, seconds, error, detail):
    """The next decision is Python and says why; the log has one event with figures."""
    watched = Watched()
    watched.calls("python", 1_000)
    watched.calls("rust", 1_000, seconds, error)
    tripped = named(logged, events.GUARD_TRIPPED)

    assert ("python", "DISABLED", detail) == watched.decided()
    assert [(detail, 300.0, 1.0, 1_000)] == [
        (one["cause"], one["hold_s"], one["retry_percent"], one["python_calls"]) for one in tripped
    ]
    assert 100 <= tripped[0]["candidate_calls"] <= 1_000


def test_one_slow_call_and_one_early_error_stop_nothing():
    """Not among many calls, and not among the first few."""
    watched = Watched(min_calls=1)
    watched.calls("python", 10_000)
    watched.calls("rust", 1, 60.0, ValueError())
    watched.calls("rust", 5_000)

    assert "rust" == watched.decided()[0]
    assert (5_001, 1) == watched.guard.figures()["candidate"][:2]


def test_a_candidate_that_fails_as_python_fails_goes_on():
    """Half of all calls raise, on both sides."""
    watched = Watched()
    for _ in range(2_000):
        watched.calls("python", 1, error=ValueError())
        watched.calls("python", 1)
        watched.calls("rust", 1, error=ValueError())
        watched.calls("rust", 1)

    assert "rust" == watched.decided()[0]


def test_after_the_hold_one_percent_of_units_try_again_and_good_calls_end_it(logged):
    """Half-open: the retry is logged when it begins and when it ends, and then every unit is served as before."""
    watched = Watched()
    watched.let_hold_pass()
    watched.calls("python", 1_000)
    watched.calls("rust", 128, error=ValueError())
    retried = [unit for unit in range(20_000) if watched.decided(f"user-{unit}")[0] == "rust"]
    watched.calls("rust", 200)

    assert 130 < len(retried) < 270
    assert (1, 1) == (len(named(logged, events.GUARD_RETRYING)), len(named(logged, events.GUARD_CLOSED)))
    assert ("rust", "STATIC", "") == watched.decided()
    assert "running" == watched.manager.standing("parser")["state"]


def test_a_failed_retry_is_held_twice_as_long(logged):
    """A candidate that is still bad stays out for longer each time."""
    watched = Watched()
    watched.let_hold_pass()
    for _ in range(2):
        watched.calls("python", 1_000)
        watched.calls("rust", 150, error=ValueError())

    assert [300.0, 600.0] == [one["hold_s"] for one in named(logged, events.GUARD_TRIPPED)]


def test_calls_of_a_stopped_candidate_count_no_longer():
    """What was under way when it was stopped comes too late to matter."""
    watched = Watched()
    watched.calls("python", 1_000)
    watched.calls("rust", 1_000, error=ValueError())

    assert 0 == watched.guard.figures()["candidate"].calls


def test_a_persons_pause_stays_what_it_is():
    """A guard neither shortens a pause nor ends it."""
    watched = Watched()
    finding = ("guard_tripped:latency", 1_000, 10_000, "process", (1, 0, 1), (1, 0, 1))
    watched.manager.pause("parser", scope="process")
    watched.guard.conclude(*finding)
    watched.guard.conclude("closed", 0, *finding[2:])

    assert {"state": "paused", "until": None, "scope": "process"} == watched.manager.standing("parser")


def test_a_reload_keeps_the_window_unless_it_changes_the_guard():
    """Calls counted under another definition say nothing."""
    watched = Watched()
    rules = watched.rules()
    watched.calls("rust", 50)
    watched.manager._live.source._rules = rules
    kept = watched.manager.reload() and watched.guard.figures()["candidate"].calls
    rules["flags"]["parser"]["guard"]["min_calls"] = 99
    dropped = watched.manager.reload() and watched.guard.figures()["candidate"].calls

    assert (50, 0) == (kept, dropped)


def test_what_left_the_window_is_forgotten():
    """A minute later nothing of a call is left."""
    watched = Watched()
    watched.handle.record("rust", 50_000, True, 1_000)

    assert ((1, 1), (0, 0)) == (watched.handle.figures(54_999)[0][:2], watched.handle.figures(61_000)[0][:2])


def test_a_block_is_measured_and_its_exception_passes():
    """`measure` counts duration and errors; a signal is nobody's failure."""
    watched = Watched()
    with watched.guard.measure("rust"):
        pass
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), watched.guard.measure("rust"):
            raise error

    figures = watched.guard.figures()["candidate"]
    assert (2, 1) == figures[:2]
    assert 0 < figures.p99_ns < 1_000_000_000


def test_a_flag_without_a_guard_is_not_watched():
    """Nothing is counted, nothing happens."""
    manager = FlagManager.from_dict({"version": 1, "flags": {"parser": {"otherwise": "rust"}}})
    guard = manager.guard("parser")
    for _ in range(1_000):
        guard.record("rust", 1.0, ValueError())

    assert (None, "rust") == (guard.figures(), manager.serve("parser"))


def test_a_trip_reaches_every_process_of_the_host(tmp_path):
    """Another manager with the same rule file decides by it at once."""
    path = tmp_path / "rollout.yaml"
    flag = {"otherwise": "rust", "guard": {"min_calls": 100, "error_rate": {"max_over_python": 0.5}}}
    path.write_text(json.dumps({"version": 1, "flags": {"parser": flag}}))
    here, there = FlagManager.from_file(path), FlagManager.from_file(path)
    guard = here.guard("parser")
    for _ in range(500):
        guard.record("python", 0.0001)
        guard.record("rust", 0.0001, ValueError())

    assert "guard_tripped:error_rate" == there.decide("parser").detail
    assert "host" == there.standing("parser")["scope"]
