"""The native counters, from Python; their accounting itself is tested in rust/core."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Tally

shapes = st.sampled_from([0, 1, 2, 2**64 - 1])
words = st.sampled_from(["budget", "memory", "not a word", "é", "x" * 65])
transitions = st.lists(
    st.one_of(
        st.tuples(st.just("sample_out"), shapes),
        st.tuples(st.just("accept"), shapes),
        st.tuples(st.just("compare"), st.sampled_from(["matched", "waived", "diverged"])),
        st.tuples(st.just("shed"), words),
        st.tuples(st.just("shed"), words, shapes),
        st.tuples(st.just("decline"), words),
    )
)


def test_an_empty_reading_has_every_part(tally):
    """A reading names everything that is counted, also what has not happened."""
    scalars = dict.fromkeys(["offered", "sampled_out", "compared", "matched", "waived", "diverged", "in_flight"], 0)
    maps = {"served": {"python": 0, "rust": 0}, "declined": {}, "failed": {}, "shed": {}}
    assert {**scalars, **maps} == tally.reading()


@given(transitions)
def test_every_offered_call_is_accounted_for_after_any_transitions(sequence):
    """The identity holds after every transition, for every shape, and what is in flight is what holds a ticket."""
    tally, tickets = Tally(), []
    for name, *arguments in sequence:
        if name == "accept":
            tickets.append(tally.accept(*arguments))
        elif name == "compare" or (name == "shed" and len(arguments) == 1 and tickets):
            getattr(tickets.pop(), name)(*arguments) if tickets else None
        else:
            getattr(tally, name)(*arguments)
        ((_, whole, by_shape),) = tally.blocks()
        assert [True] * (1 + len(by_shape)) == [balanced(reading) for reading in (whole, *by_shape)]
        assert len(tickets) == whole["in_flight"]


def balanced(reading):
    """Whether every offered call is accounted for."""
    accounted = reading["sampled_out"] + reading["compared"] + sum(reading["shed"].values()) + reading["in_flight"]
    return reading["offered"] == accounted


def test_a_ticket_ends_once(tally):
    """A call is compared or given up, and that twice is a mistake of the machinery."""
    ticket = tally.accept()
    ticket.compare("matched")
    for end in (lambda: ticket.compare("matched"), lambda: ticket.shed("budget")):
        with pytest.raises(RuntimeError, match="a ticket ends once"):
            end()
    assert (1, 1) == (tally.reading()["offered"], tally.reading()["matched"])


def test_a_dropped_ticket_is_counted(tally):
    """Whoever loses a call leaves a trace."""
    tally.accept(7)
    assert {"abandoned": 1} == tally.reading()["shed"]


def test_a_ticket_of_before_a_fork_counts_nothing(tally):
    """What a child inherits is its parent's to report."""
    ticket = tally.accept()
    tally.reset()
    ticket.compare("diverged")
    assert (0, 0) == (tally.reading()["offered"], tally.reading()["diverged"])


def test_counts_are_kept_by_shape(tally):
    """Each shape has an account of its own, and the whole is their sum."""
    tally.sample_out(3)
    tally.shed("budget", 5)
    tally.shed("budget")
    ((_, whole, by_shape),) = tally.blocks()

    assert {0: 1, 3: 1, 5: 1} == {reading["shape"]: reading["offered"] for reading in by_shape}
    assert (3, {"budget": 2}) == (whole["offered"], whole["shed"])


def test_an_unknown_outcome_is_refused(tally):
    """A comparison is matched, waived or diverged, and nothing else."""
    ticket = tally.accept()
    with pytest.raises(ValueError, match="'matched', 'waived' or 'diverged'"):
        ticket.compare("equal")
    assert 1 == tally.reading()["in_flight"]


def test_served_counts_by_implementation(tally):
    """Implementations are counted by name, python and rust like any other."""
    for implementation in ("python", "rust", "rust", "litellm_rust"):
        tally.serve(implementation)
    assert {"python": 1, "rust": 2, "litellm_rust": 1} == tally.reading()["served"]


def test_words_that_could_be_content_are_not_kept(tally):
    """A reason that is not a plain short word is counted as "other"."""
    tally.decline("the user said: hello")
    tally.fail("ValueError")
    assert ({"other": 1}, {"ValueError": 1}) == (tally.reading()["declined"], tally.reading()["failed"])
