"""What runs on a tape draws, and what everybody else does."""

from __future__ import annotations

import os
import random
import secrets
import time
import uuid
from threading import Barrier, Event, Thread

import pytest

from fast_litellm.shadow import Experiment, FunctionCandidate, Limits, comparators, tape
from fast_litellm.shadow.trial import Trial

PATIENCE_S = 30
SOURCES = {
    "random": (random, "random"),
    "choice": (random, "choice", range(10**9)),
    "shuffle": (random, "sample", range(1000), 1000),
    "urandom": (os, "urandom", 16),
    "uuid4": (uuid, "uuid4"),
    "secrets": (secrets, "token_hex"),
    "time": (time, "time"),
    "time_ns": (time, "time_ns"),
    "monotonic": (time, "monotonic"),
    "perf_counter_ns": (time, "perf_counter_ns"),
}


def draw_from(source):
    """Looks a source up as a program does, at the moment it draws."""
    module, name, *args = SOURCES[source]
    return lambda: getattr(module, name)(*args)


def on_tape(draw, common=None):
    """What two runs draw from one tape."""
    common = common or tape.Tape()
    found = []
    with common.on_this_thread():
        for _ in range(2):
            with tape.run():
                found.append((draw(), draw()))
    return found


def try_on_tape(control, candidate):
    """Tries a candidate on one call."""
    experiment = Experiment("feature", control, FunctionCandidate(candidate), comparators.exact, noise="tape")
    trial = Trial(experiment, Limits())
    return trial.run(None, ((), {}), trial.observe(control, ((), {})))


@pytest.mark.parametrize("source", SOURCES)
def test_every_run_draws_the_same(source):
    """Two runs on one tape draw the same numbers, in the same order; on another tape they draw others."""
    first, second = on_tape(draw_from(source))
    assert first == second
    assert first != on_tape(draw_from(source))[0]


@pytest.mark.parametrize("source", ["random", "choice", "urandom", "uuid4", "secrets"])
def test_a_run_draws_ever_other_numbers(source):
    """A tape is no constant."""
    first, _ = on_tape(draw_from(source))
    assert first[0] != first[1]


def test_clocks_stand_still():
    """Two implementations rarely look at them equally often."""
    (first, again), _ = on_tape(draw_from("time"))
    assert first == again


def test_a_run_that_waits_for_time_to_pass_gets_it():
    """After a hundred readings the tape is exhausted, and the clock goes."""
    common = tape.Tape()

    def wait():
        start = time.monotonic()
        while time.monotonic() <= start:
            pass

    on_tape(wait, common)
    assert common.is_exhausted


def test_the_programs_own_numbers_are_not_used_up():
    """A program that has seeded its generator gets what it would have got."""
    state = random.getstate()
    on_tape(draw_from("random"))
    assert state == random.getstate()


def test_other_threads_draw_as_ever():
    """While a thread runs on a tape, the time of all others goes on."""
    found, drawn = [], Event()

    def draw():
        found.extend([time.time_ns(), random.random()])
        drawn.set()

    common = tape.Tape()
    with common.on_this_thread(), tape.run():
        on_this = random.random()
        thread = Thread(target=draw)
        thread.start()
        assert drawn.wait(PATIENCE_S)
        thread.join(PATIENCE_S)
    assert found[0] > common.clocks["time_ns"]
    assert on_this != found[1]


def test_threads_have_tapes_of_their_own():
    """The first that ends takes nothing from the other."""
    both_hold, found = Barrier(2, timeout=PATIENCE_S), []

    def draw():
        with tape.Tape().on_this_thread(), tape.run():
            both_hold.wait()
            found.append(random.random())

    thread = Thread(target=draw)
    with tape.Tape().on_this_thread():
        thread.start()
        both_hold.wait()
        thread.join(PATIENCE_S)
        for _ in range(2):
            with tape.run():
                found.append(random.random())
    assert found[0] != found[1] == found[2]


def test_the_originals_are_put_back():
    """A process in which nothing is on a tape has its own functions, the same objects."""
    places = [(random, "random"), (os, "urandom"), (time, "time"), (random, "shuffle")]
    before = [getattr(*place) for place in places]
    with tape.Tape().on_this_thread():
        assert all(getattr(*place) is not original for place, original in zip(places, before))
    assert before == [getattr(*place) for place in places]


def test_what_somebody_else_puts_there_is_left_alone(monkeypatch):
    """A test that replaces the clock in the middle keeps its own."""

    def fixed():
        return 7

    with tape.Tape().on_this_thread():
        monkeypatch.setattr(time, "time", fixed)
    assert fixed is time.time
    monkeypatch.undo()
    with tape.Tape().on_this_thread(), tape.run():
        assert time.time() == time.time()
    assert "builtin_function_or_method" == type(time.time).__name__


def test_stand_ins_are_like_builtins():
    """In a class's body they do not become methods."""
    with tape.Tape().on_this_thread():
        clock = type("Clock", (), {"now": time.time})()
    assert clock.now() > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_has_the_originals():
    """Nobody would put them back there."""
    with tape.Tape().on_this_thread():
        child = os.fork()
        if child == 0:
            os._exit(0 if type(time.time).__name__ == "builtin_function_or_method" else 1)
        assert (child, 0) == os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_that_leaves_its_parents_tape_can_have_one_of_its_own():
    """A control may fork in the middle of a run."""
    with tape.Tape().on_this_thread():
        child = os.fork()
    if child == 0:
        first, second = on_tape(draw_from("uuid4"))
        os._exit(0 if first == second else 1)
    assert (child, 0) == os.waitpid(child, 0)


def test_both_sides_of_a_trial_draw_the_same():
    """Functions that shuffle match when they use the same numbers in the same way."""
    finding = try_on_tape(lambda: [random.random(), str(uuid.uuid4())], lambda: [random.random(), str(uuid.uuid4())])
    assert ("matched", None) == (finding.outcome, finding.difference)


def test_a_candidate_that_makes_something_else_of_the_numbers_is_found():
    """A difference on one tape is confirmed there: there is no noise left to excuse it."""
    finding = try_on_tape(lambda: random.randrange(1000), lambda: random.randrange(1000) + 1)
    assert ("diverged", True, False) == (finding.outcome, finding.confirmed_on_rerun, finding.control_rerun_differs)


def test_noise_that_no_tape_reaches_is_still_waived():
    """A generator of the control's own draws anew in every run."""
    own = random.Random(1)
    finding = try_on_tape(own.random, lambda: 0.5)
    assert ("waived", True) == (finding.outcome, finding.control_rerun_differs)


def test_a_difference_beyond_the_end_of_the_tape_says_so():
    """The note tells the reader that it may be the clock's."""
    finding = try_on_tape(lambda: 1, lambda: [time.time() for _ in range(101)] and 2)
    assert ("diverged", tape.EXHAUSTED) == (finding.outcome, finding.difference.note)
