"""Reading the counters of an act."""

from __future__ import annotations

import pytest

from fast_litellm.cli.demo.stage import Counters, wait_for

EARLIER = Counters(python=5, rust=1, offered=4, compared=3, shed={"budget": 1})
LATER = Counters(python=9, rust=1, offered=9, compared=6, in_flight=1, shed={"budget": 1, "declined": 2})


def test_what_happened_between_two_readings_is_their_difference():
    """Counts are subtracted, reasons that did not grow are left out, and what is in flight is a level."""
    between = LATER.since(EARLIER)

    assert Counters(python=4, offered=5, compared=3, in_flight=1, shed={"declined": 2}) == between


def test_every_offered_call_is_somewhere():
    """Sampled out, compared, shed or in flight."""
    counters = Counters(offered=10, sampled_out=1, compared=4, shed={"budget": 2, "declined": 2}, in_flight=1)

    assert counters.offered == counters.accounted


def test_a_feature_that_has_done_nothing_has_zeros():
    """Before the first call there is nothing to read."""
    assert Counters() == Counters.of({})


def test_a_reading_is_taken_from_the_status():
    """With the names `fast_litellm.status()` uses."""
    feature = {"stage": "canary", "served": {"python": 2, "rust": 3}, "offered": 2, "compared": 2, "shed": {}}

    assert Counters(python=2, rust=3, offered=2, compared=2) == Counters.of(feature)


def test_waiting_ends_when_the_condition_holds():
    """It is asked again until then."""
    answers = iter([False, False, True])

    wait_for(lambda: next(answers), "the third answer")

    assert list(answers) == []


def test_waiting_does_not_go_on_for_ever(monkeypatch):
    """What is waited for is named in the error."""
    monkeypatch.setattr("fast_litellm.cli.demo.stage._PATIENCE_S", -1)

    with pytest.raises(TimeoutError, match="for a miracle"):
        wait_for(lambda: False, "a miracle")
