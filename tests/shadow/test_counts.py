"""Arithmetic on readings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Tally
from fast_litellm.shadow.counts import add, flatten, unflatten

counts = st.dictionaries(st.sampled_from(["offered", "shed.budget", "shed.memory", "served.rust"]), st.integers(1, 99))


def test_a_reading_survives_being_flattened():
    """Flattening loses nothing of a tally's reading."""
    tally = Tally()
    tally.accept().shed("budget")
    tally.serve("litellm_rust")
    assert tally.reading() == unflatten(flatten(tally.reading()))


@given(counts, counts)
def test_what_is_added_can_be_taken_away(one, other):
    """Subtracting what was added gives the counts before, with zeros only for plain names."""
    difference = add(add(one, other), other, -1)
    assert one == {key: count for key, count in difference.items() if count}
    assert all("." not in key for key, count in difference.items() if not count)
