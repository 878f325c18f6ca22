"""The names of features, and what is meant by one that nobody has."""

from __future__ import annotations

import pytest

from fast_litellm.accel import names
from fast_litellm.accel.candidates.rate_limiting import RateLimitingCandidate
from fast_litellm.accel.seams import SEAMS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("token_countin", "token_counting"),
        ("tokn_counting", "token_counting"),
        ("token_counting", None),
        ("streaming", None),
        ("pricing", None),
        ("checkout", None),
    ],
)
def test_a_name_that_is_almost_a_features_is_taken_for_it(name, meant):
    """A name of somebody's own is left alone."""
    assert meant == names.meant(name)


def test_some_features_are_never_compared():
    """As the README says."""
    assert {"stream_wrapping", "connection_pooling"} == names.NEVER_COMPARED


def test_seams_with_twins_are_those_whose_candidates_make_them():
    """What the table says of a candidate is what its code does."""
    assert [RateLimitingCandidate] == [seam.candidate for seam in SEAMS if seam.has_twins]
