"""What the tests of accel share."""

from __future__ import annotations

import pytest

from fast_litellm.accel import feature


@pytest.fixture(autouse=True)
def fresh_counters():
    """Counters go on through every installation of a process; each test begins at zero."""
    feature._tallies.clear()
