"""What the gate says, put into a picture."""

from __future__ import annotations

import pytest

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow import Epoch
from fast_litellm.shadow.dashboard.judgement import Judgement, judged
from fast_litellm.shadow.dashboard.model import FeaturePicture, Requirement
from fast_litellm.shadow.evidence import Account, Evidence, ShapeEvidence, Timings

CHECKS = (
    Requirement("rate", True, "0 of 900", "below 0.001%"),
    Requirement("bake", False, "1 h", "24 h", "23 h more", 82_800.0),
)


def judgement(timings=None):
    """Two shapes, 900 different inputs."""
    shaper = Shaper("plain")
    shapes = [ShapeEvidence(shaper.shape(arguments, {}), {}, Account(450, 0, 450), 450) for arguments in (("a",), (1,))]
    epoch = Epoch("a", "b1", "reference", "exact/1", "revision")
    evidence = Evidence(epoch, "plain", 7.0, Account(900, 0, 900), tuple(shapes), timings=timings or Timings())
    return Judgement(evidence, "hold", CHECKS, {"arguments=1"}, 0.005, 1e-5, 0.01, (2_995, 299), (0.9, 0.99))


@pytest.fixture
def found():
    """A feature of which only counters were known, judged."""
    return judged(FeaturePicture("a", "shadow"), judgement(Timings(1_000, 950, 4, 0.25)))


def test_the_checklist_is_the_gates_own(found):
    """Line by line, with the decision and what is left."""
    assert ("hold", CHECKS, CHECKS[1:], 82_800.0) == (found.decision, found.checks, found.unmet, found.seconds_left)


def test_the_figures_are_the_judged_epochs(found):
    """Counts, distinct inputs, bound and identity belong together."""
    assert (900, 900, 0, 0.005, 1e-5) == (found.compared, found.distinct, found.diverged, found.bound, found.target)
    assert (0.99, 7.0, "exact/1") == (found.confidence, found.opened_at, found.facts["comparator"])
    assert found.account.offered == found.accounted == 900


def test_only_cells_that_arguments_tell_are_drawn(found):
    """What the control will do is not known when a call is routed."""
    names = [one.name for one in found.cells.dimensions]

    assert "arguments" in names
    assert "outcome" not in names
    assert 1 == found.cells.certified < found.cells.total


def test_speed_is_how_many_times(found):
    """A quarter of the time is four times as fast."""
    speed = found.speed

    assert (4.0, 1_000, (0.9, 0.99), 0.004) == (speed.factor, speed.pairs, speed.faster, speed.tail)


def test_without_pairs_there_is_no_speed():
    """Runs of other calls at other times say nothing."""
    assert judged(FeaturePicture("a", "shadow"), judgement()).speed is None
