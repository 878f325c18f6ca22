"""What is stopped at run time: in a process, on a host, in the fleet."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from fast_litellm.flags import FlagManager, engine
from fast_litellm.flags.page import SharedPage, path_of
from fast_litellm.flags.standing import Standings, described, paused_word

NOW = 1_800_000_000.0
RUNNING = {"state": "running", "until": None, "scope": None}


class Clock:
    """A clock that stands still."""

    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def served(tmp_path):
    """A rule file that serves the candidate to all."""
    path = tmp_path / "on.yaml"
    path.write_text("version: 1\nflags: {parser: {otherwise: rust}, router: {otherwise: rust}}\n")
    return path


def test_a_paused_flag_is_answered_by_python_and_says_why(served):
    """Nothing is compared either, and the other flags go on."""
    manager = FlagManager.from_file(served)
    manager.pause("parser")
    decision = manager.decide("parser", unit="u")
    assert ("python", False, "DISABLED", "paused") == (
        decision.serve,
        decision.shadow,
        decision.reason,
        decision.detail,
    )
    assert ["rust", "python"] == [manager.serve("router"), manager.bind("parser")()]


@pytest.mark.parametrize("scope", ["host", "process"])
def test_a_resumed_flag_is_as_before(served, scope):
    """What was paused where, is taken back there."""
    manager = FlagManager.from_file(served)
    assert scope == manager.pause("parser", scope=scope)
    assert {"state": "paused", "until": None, "scope": scope} == manager.standing("parser")
    manager.resume("parser", scope=scope)
    assert RUNNING == manager.standing("parser")
    assert ("rust", "STATIC") == manager.decide("parser")[2:5:2]


def test_resuming_the_host_releases_the_process_but_not_the_other_way_round(served):
    """Whoever means this process alone leaves the host's pause."""
    manager = FlagManager.from_file(served)
    for scope in ("host", "process"):
        manager.pause("parser", scope=scope)
    manager.resume("parser", scope="process")
    assert "host" == manager.standing("parser")["scope"]
    manager.pause("parser", scope="process")
    manager.resume("parser")
    assert RUNNING == manager.standing("parser")


@pytest.mark.parametrize("scope", ["host", "process"])
def test_a_pause_survives_a_reload_and_waits_for_a_flag_to_be_declared(served, scope):
    """Standings belong to names, not to positions in a rule file."""
    manager = FlagManager.from_file(served)
    manager.pause("later", scope=scope)
    manager.pause("router", scope=scope)
    served.write_text("version: 1\nflags: {later: {otherwise: rust}, router: {otherwise: rust}}\n")
    assert manager.reload()
    assert ["paused", "paused"] == [manager.decide(flag).detail for flag in ("later", "router")]


@pytest.mark.parametrize("hold", [0, -1, float("inf"), float("nan")])
def test_a_hold_that_is_no_time_is_refused(served, hold):
    """Nothing is stopped then."""
    manager = FlagManager.from_file(served)
    with pytest.raises(ValueError, match="positive number of seconds"):
        manager.pause("parser", hold=hold)
    assert RUNNING == manager.standing("parser")


def test_an_unknown_scope_is_refused(served):
    """The known ones are named."""
    manager = FlagManager.from_file(served)
    for change in (manager.pause, manager.resume):
        with pytest.raises(ValueError, match=r"process \| host, got 'galaxy'"):
            change("parser", scope="galaxy")


def test_a_held_pause_ends_by_itself(served, clock):
    """When its time is over the flag is not tried again little by little: it runs."""
    manager = FlagManager.from_file(served)
    standings = Standings(manager.cell, clock=clock)
    standings.pause("parser", hold=600, scope="process")
    until = {"state": "paused", "until": "2027-01-15T08:10:00+00:00", "scope": "process"}
    assert until == standings.of("parser")
    clock.now += 600
    assert RUNNING == standings.of("parser")


def test_decisions_follow_the_end_of_a_held_pause(served):
    """A word whose end has passed lets every unit through."""
    manager = FlagManager.from_file(served)
    manager.cell.stand("parser", paused_word(1, NOW - 1_000_000_000))
    assert ["rust"] * 100 == [manager.serve("parser", unit) for unit in range(100)]


def test_the_fleets_pauses_come_and_go_beside_the_process_own(served, clock):
    """Each is taken back by itself; the one that lasts is shown."""
    manager = FlagManager.from_file(served)
    standings = Standings(manager.cell, clock=clock)
    standings.pause("parser", hold=60, scope="process")
    standings.apply_fleet({"parser": None, "router": NOW + 5})
    assert ["fleet", "fleet"] == [standings.of(flag)["scope"] for flag in ("parser", "router")]
    standings.apply_fleet({})
    assert ["process", None] == [standings.of(flag)["scope"] for flag in ("parser", "router")]
    assert ["paused", ""] == [manager.decide(flag).detail for flag in ("parser", "router")]


def test_resuming_a_host_leaves_the_fleets_pause(served):
    """Only the fleet takes back what the fleet has paused."""
    manager = FlagManager.from_file(served)
    manager.apply_fleet({"parser": None})
    manager.resume("parser")
    assert ("paused", "fleet") == tuple(
        manager.status()["flags"]["parser"]["standing"][key] for key in ("state", "scope")
    )


def test_without_a_lease_candidates_are_compared_and_a_pause_stops_that_too(served):
    """Whoever pauses a feature may have had enough of the comparisons; a reload gives no lease back."""
    manager = FlagManager.from_file(served, scope="process")
    seen = []

    def look():
        decision = manager.decide("parser")
        seen.append((decision.stage, decision.serve, decision.shadow, decision.detail))

    manager.hold_lease(is_held=False)
    manager.reload()
    look()
    manager.pause("parser")
    look()
    manager.resume("parser")
    manager.hold_lease(is_held=True)
    look()

    assert [
        ("shadow", "python", True, "lease_ended"),
        ("paused", "python", False, "paused"),
        ("on", "rust", False, ""),
    ] == seen


def test_whoever_follows_the_rules_is_told_of_a_lease_once(served):
    """As often as it changes, and not as often as somebody says so."""
    manager, told = FlagManager.from_file(served, scope="process"), []
    manager.subscribe(lambda: told.append(manager.status()["lease_ended"]))
    for is_held in (True, False, False, True):
        manager.hold_lease(is_held=is_held)

    assert [True, False] == told


def test_the_page_remembers_who_paused_and_how_often(served):
    """Releasing is a change, too, but no stop."""
    manager = FlagManager.from_file(served)
    for _ in range(3):
        manager.pause("parser")
    manager.resume("parser")
    word, since, writer, times = SharedPage(path_of(served)).native.entry("parser")
    assert (0, True, True, 3) == (word, since > 1_700_000_000_000, writer > 0, times)


def test_of_several_words_the_strongest_is_described():
    """A full stop before one that is tried again, and the longer before the shorter."""
    words = {"fleet": 0, "host": paused_word(5, NOW), "process": paused_word(9, NOW)}
    assert "process" == described(words, NOW)["scope"]
    assert RUNNING == described(words, NOW + 10)


def test_pauses_made_at_once_are_all_in_force(served):
    """Threads that pause for this process and for the fleet do not undo each other."""
    manager = FlagManager.from_file(served)
    flags = [f"flag_{number}" for number in range(50)]
    barrier = threading.Barrier(2)

    def of_process():
        barrier.wait()
        for flag in flags:
            manager.pause(flag, scope="process")

    other = threading.Thread(target=of_process)
    other.start()
    barrier.wait()
    for end in range(1, 50):
        manager.apply_fleet(dict.fromkeys(flags, NOW + end))
    other.join()
    manager.apply_fleet({})
    served.write_text("version: 1\nflags: {" + ", ".join(f"{flag}: {{otherwise: rust}}" for flag in flags) + "}\n")
    manager.reload()
    assert {"paused"} == {manager.decide(flag).detail for flag in flags}


def test_a_pause_and_its_end_are_logged(served):
    """With the flag's name, how far it reaches and how long, and nothing else."""
    manager = FlagManager.from_file(served)
    with capture_logs() as events:
        manager.pause("parser", hold=60)
        manager.resume("parser")
    assert [
        {"event": "flags.paused", "log_level": "warning", "flag": "parser", "scope": "host", "hold_s": 60},
        {"event": "flags.resumed", "log_level": "warning", "flag": "parser", "scope": "host"},
    ] == [{key: value for key, value in event.items() if key != "logger"} for event in events]


def test_a_stop_holds_and_then_lets_a_few_units_try(served):
    """Python answers until the hold is over; then the share that retries has candidates again."""
    manager = FlagManager.from_file(served)
    manager.cell.stand("parser", engine.current().stop_word("guard_tripped:latency", 9_999_999_999_999, 100_000))
    assert "guard_tripped:latency" == manager.decide("parser", unit="u").detail
    manager.cell.stand("parser", engine.current().stop_word("guard_tripped:error_rate", 1, 100_000))
    rust = [manager.serve("parser", unit) for unit in range(10_000)].count("rust")
    assert 880 < rust < 1_120  # four standard deviations about a tenth
    manager.cell.stand("parser", 0)
    assert "rust" == manager.serve("parser")


def test_an_unknown_cause_is_refused():
    """The known ones are named."""
    with pytest.raises(ValueError, match="guard_tripped:error_rate"):
        engine.current().stop_word("mood", 1, 0)


def test_a_diverged_candidate_is_stopped_for_every_process_of_the_host(served, clock):
    """Their next decision is Python, for the time that is given; a person's pause stays."""
    one, other = FlagManager.from_file(served), FlagManager.from_file(served)
    assert "rust" == other.serve("parser", "u")
    one.divert("parser", "build-1", 60)
    assert ("python", "diverged") == (other.serve("parser", "u"), other.decide("parser", unit="u").detail)
    assert None is not other.standing("parser")["until"]
    one.pause("parser")
    one.divert("parser", "build-1")
    assert "paused" == other.standing("parser")["state"]


def test_a_divergence_concerns_the_build_that_it_names(served):
    """Who runs it learns of it; who runs another build lifts the stop, which is not meant for it."""
    one, other = FlagManager.from_file(served), FlagManager.from_file(served)
    one.divert("parser", "build-1", 60)
    assert (True, "python") == (other.is_diverted("parser", "build-1"), other.serve("parser", "u"))
    assert (False, "rust") == (other.is_diverted("parser", "build-2"), other.serve("parser", "u"))
    one.pause("parser")
    assert (False, "python") == (other.is_diverted("parser", "build-2"), other.serve("parser", "u"))


def test_what_a_divergence_has_stopped_can_be_taken_back(served):
    """By any process of the host; what a person has stopped stays."""
    one, other = FlagManager.from_file(served), FlagManager.from_file(served)
    one.divert("parser", "build-1", 60)
    other.undivert("parser")
    assert (False, "rust") == (one.is_diverted("parser", "build-1"), one.serve("parser", "u"))
    one.pause("parser")
    other.undivert("parser")
    assert "paused" == one.standing("parser")["state"]
