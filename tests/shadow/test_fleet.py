"""What every process of a ledger is told, on both databases."""

from __future__ import annotations

import contextlib
import math
import threading
from dataclasses import replace

import pytest

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import Epoch, Pause
from fast_litellm.shadow.fleet import Fleet
from fast_litellm.shadow.observation import Comparison, Description, Summary
from fast_litellm.shadow.rollouts import Rollout
from fast_litellm.shadow.waivers import Waiver

DEADLINE_S = 30
FIRST = Rollout("parser", "build-1", 1, "running", 1e9, "ada", "enough evidence", frozenset({"size=3"}))
CLASS = "d4" * 16
SECOND = replace(FIRST, step=2, since=1e9 + 1)


def ignore(_):
    pass


class Store:
    """A ledger in which nothing is written, which can be out of reach."""

    is_down = False

    @contextlib.contextmanager
    def reading(self, _patience):
        if self.is_down:
            raise LedgerError("down")
        yield None


def test_silence_is_the_age_of_what_is_known():
    """It counts from when a look began that could be made; before the first one nothing is known."""
    store, times = Store(), iter(range(100))
    fleet = Fleet(store, clock=lambda: float(next(times)))
    fleet.follow(lambda _connection, known: known, ignore)
    before = fleet.silence
    fleet.look()
    heard = fleet.silence
    store.is_down = True
    fleet.look()

    assert [math.inf, 1.0, 3.0] == [before, heard, fleet.silence]


def test_each_listener_is_told_of_its_own(open_ledger, tally):
    """Pauses, rollouts and blocks, from another process; nobody is told the same twice."""
    pauses, rollouts, blocks = [], [], []
    writer, follower = open_ledger(), open_ledger()
    follower.follow(pauses.append)
    follower.follow_rollouts(rollouts.append)
    follower.follow_blocks(blocks.append)
    writer.record_pause(Pause("parser", "paused", "fleet", "ada", "on call"))
    writer.record_rollout(FIRST, expected=None)
    follower.look()
    writer.attach(Epoch("parser", "build-1"), tally)
    description = Description("value", "$", "$", "d4" * 16, Summary("value", "int"), Summary("value", "int"))
    writer.record(Comparison("parser", "build-1", "exact/1", "diverged", description, action="blocked"))
    assert writer.flush()
    for _ in range(2):
        follower.look()
    writer.record_transition("parser", "build-1", "released", actor="ada", reason="understood")
    follower.look()

    steps = [(told["parser"].step, told["parser"].state) for told in rollouts]
    assert ([{"parser": None}], [(1, "running"), (0, "blocked")]) == (pauses, steps)
    assert [{("parser", "build-1"): "d4" * 16}, {}] == blocks


@pytest.mark.parametrize(
    ("change", "is_accepted"),
    [({}, True), ({"expires_at": 1.0}, False), ({"max_count": 2}, True), ({"max_count": 1}, False)],
)
def test_a_process_hears_what_is_accepted(open_ledger, tally, change, is_accepted):
    """Of one feature, for as long as the waiver says and no further; and it does not ask the database again."""
    writer, follower = open_ledger(), open_ledger()
    writer.attach(Epoch("parser", "build-1"), tally)
    description = Description("value", "$", "$", CLASS, Summary("value", "int"), Summary("value", "int"))
    for _ in range(2):
        writer.record(Comparison("parser", "build-1", "exact/1", "diverged", description))
    assert writer.flush()
    follower.follow_fleet(pauses_changed=ignore, rollouts_changed=ignore, blocks_changed=ignore)
    assert not follower.accepts("parser", CLASS)
    writer.record_waiver(replace(Waiver(CLASS, "parser", "ada", "known", 2e10), **change))
    assert not follower.accepts("parser", CLASS)
    follower.look()
    assert (is_accepted, False) == (follower.accepts("parser", CLASS), follower.accepts("another", CLASS))


def test_no_write_keeps_a_look_waiting(open_ledger):
    """What was taken back is heard of while the database takes its time to be written."""
    writer, follower, pauses = open_ledger(), open_ledger(), []
    follower.follow(pauses.append)
    writer.record_pause(Pause("parser", "paused", "fleet", "ada", "on call"))
    with follower._writing:
        follower.look()

    assert [{"parser": None}] == pauses


def test_an_acceptance_is_known_before_a_block_is_lifted(open_ledger):
    """Otherwise the accepted class would block again at once."""
    known, writer, follower = [], open_ledger(), open_ledger()
    follower.follow_fleet(
        pauses_changed=ignore,
        rollouts_changed=ignore,
        blocks_changed=lambda blocks: known.append((len(blocks), follower.accepts("parser", CLASS))),
    )
    writer.record_transition("parser", "build-1", "blocked", actor="auto", reason=CLASS)
    follower.look()
    writer.record_waiver(Waiver(CLASS, "parser", "ada", "known", 2e10))
    writer.record_transition("parser", "build-1", "released", actor="ada", reason="known")
    follower.look()
    assert [(1, False), (0, True)] == known


def test_a_running_process_hears_of_each_step(open_ledger):
    """Its ledger's thread looks as often as it writes."""
    told, changed = [], threading.Semaphore(0)

    def listener(rollouts):
        told.append(rollouts["parser"].step)
        changed.release()

    open_ledger(flush_seconds=0.005).follow_rollouts(listener)
    known = None
    for rollout in (FIRST, SECOND):
        assert open_ledger().record_rollout(rollout, expected=known)
        known = rollout
        assert changed.acquire(timeout=DEADLINE_S)
    assert [1, 2] == told


def test_a_listener_that_fails_is_told_again_and_keeps_nobody_waiting(open_ledger):
    """The first says no once; the other hears at once."""
    pauses, steps, refusals = [], [], [ZeroDivisionError()]

    def refuses_once(rollouts):
        if refusals:
            raise refusals.pop()
        steps.append(rollouts["parser"].step)

    ledger = open_ledger()
    ledger.record_rollout(FIRST, expected=None)
    ledger.record_pause(Pause("parser", "paused", "fleet", "ada", "on call"))
    ledger.follow_rollouts(refuses_once)
    ledger.follow(pauses.append)
    ledger.look()

    assert ([1], [{"parser": None}]) == (steps, pauses)


def test_a_rollout_stands_while_the_database_is_away(open_ledger, monkeypatch):
    """Nothing is told meanwhile, and what has changed is told as soon as it is back."""
    told = []
    writer, follower = open_ledger(), open_ledger()
    writer.record_rollout(FIRST, expected=None)
    follower.follow_rollouts(told.append)
    writer.record_rollout(SECOND, expected=FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(type(follower._store.database), "exists", lambda _: False)
        follower.look()
    assert [{"parser": FIRST}] == told
    follower.look()

    assert [{"parser": FIRST}, {"parser": SECOND}] == told
