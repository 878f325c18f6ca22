"""The native counters, from Python; their accounting itself is tested in rust/core."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Tally

words = st.sampled_from(["budget", "memory", "not a word", "é", "x" * 65])
transitions = st.lists(
    st.one_of(
        st.tuples(st.just("sample_out")),
        st.tuples(st.just("accept")),
        st.tuples(st.just("compare"), st.sampled_from(["matched", "waived", "diverged"])),
        st.tuples(st.just("shed"), words, st.booleans()),
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
    """The identity holds after every transition, and one that would break it is refused and changes nothing."""
    tally = Tally()
    for name, *arguments in sequence:
        before = tally.reading()
        try:
            getattr(tally, name)(*arguments)
        except RuntimeError:
            assert (0, before) == (before["in_flight"], tally.reading())
        after = tally.reading()
        accounted = after["sampled_out"] + after["compared"] + sum(after["shed"].values()) + after["in_flight"]
        assert after["offered"] == accounted


def test_an_unknown_outcome_is_refused(tally):
    """A comparison is matched, waived or diverged, and nothing else."""
    tally.accept()
    with pytest.raises(ValueError, match="'matched', 'waived' or 'diverged'"):
        tally.compare("equal")
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
