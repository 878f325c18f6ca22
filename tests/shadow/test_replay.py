"""A divergence class, run again."""

from __future__ import annotations

import pytest

from fast_litellm.errors import Declined
from fast_litellm.shadow import Experiment, FunctionCandidate, comparators, engine, replay
from fast_litellm.shadow.replay import Replay, Wanted

SHAPE = {"arguments": "1", "kinds": "str", "size": "16-31", "depth": "0", "unicode": "ascii", "outcome": "value"}
RECORD = {
    "kind": "value",
    "pattern": "$",
    "control_type": "str",
    "candidate_type": "str",
    "samples": [{"shape": SHAPE, "exec_path": "off_path"}, {"shape": {}}],
}
WANTED = Wanted.of(RECORD)


def shout(text):
    """The control; it refuses some calls."""
    if not isinstance(text, str):
        raise TypeError("text")
    return text.upper()


def wrong(text):
    """Right for short texts only."""
    return shout(text) if len(text) < 10 else "X" + shout(text)


@pytest.fixture
def make():
    """Makes replays and closes them."""
    made = []

    def of(candidate, control=shout, **options):
        candidate = candidate if hasattr(candidate, "prepare") else FunctionCandidate(candidate, "build-1")
        made.append(Replay(Experiment("feature", control, candidate, comparators.exact), **options))
        return made[-1]

    yield of
    for each in made:
        each.close()


def words(run, calls, wanted=WANTED):
    """What calls came to, each word once."""
    return {run(call, wanted).word for call in calls}


def test_a_made_up_call_differs_as_the_sample_did(make):
    """It has the sample's shape; the right candidate matches on the same calls."""
    calls = list(replay.made_up("plain", RECORD, 20))
    assert (20, {"same"}, {"matched"}) == (len(calls), words(make(wrong), calls), words(make(shout), calls))
    shaper = engine.current().Shaper("plain", [], None)
    assert {"16-31"} == {engine.current().shape_values("plain", shaper.shape(*it))["size"] for it in calls}


def test_the_same_calls_are_made_up_each_time():
    """A finding can be looked at again."""
    one, other = (list(replay.made_up("plain", RECORD, 5)) for _ in range(2))
    assert one == other


def test_without_a_shape_nothing_is_made_up():
    """A sample of a call that nobody has looked at tells of no call."""
    assert [] == list(replay.made_up("plain", {**RECORD, "samples": [{"shape": {}}]}, 20))


def test_another_difference_is_told_apart(make):
    """By kind, place and types."""
    run = make(lambda text: [text.upper()])
    assert ("other", "type") == (run((("long enough it is",), {}), WANTED).word, run((("x",), {})).description.kind)


def test_a_call_that_the_control_refuses_is_unlike_the_samples(make):
    """Whatever the candidate does with it; a captured call is run as it is."""
    run, call = make(lambda text: 1), ((1,), {})
    assert ("unlike", "other") == (run(call, WANTED).word, run.captured(call, WANTED).word)


def test_a_call_that_cannot_be_made_is_not_run(make):
    """It has the wrong number of arguments."""
    ran = []
    assert "not_callable" == make(lambda *args: ran.append(args))(((1, 2), {}), WANTED).word
    assert [] == ran


def test_a_candidate_that_declines_is_not_compared(make):
    """Nor one argument of which no copy can be made."""

    class Declining(FunctionCandidate):
        def prepare(self, args, kwargs):
            raise Declined("no")

    assert "declined" == make(Declining(shout))((("x",), {})).word
    assert "unsnapshotable" == make(shout)(((iter("x"),), {})).word


def test_keys_that_were_redacted_are_all_alike(make):
    """The digest of a key is that of content which a made-up call does not have."""
    record = {**RECORD, "pattern": "$[key:0123456789ab].x", "control_type": "int", "candidate_type": "int"}
    run = make(lambda text: {text: {"x": 2}}, lambda text: {text: {"x": 1}})
    found = run((("some text of mine",), {})).description
    assert Wanted.of({**record, "pattern": found.pattern.replace(found.pattern[6:18], "0" * 12)}).is_met_by(found)


def test_the_smallest_call_is_the_one_at_the_edge(make):
    """Ten characters are the fewest on which it is wrong."""
    run = make(wrong)
    call = replay.first(run, replay.made_up("plain", RECORD, 20), WANTED)
    assert (("x" * 10,), {}) == replay.smallest(run, call, WANTED)


@pytest.mark.parametrize(
    ("kind", "exec_path", "expected"),
    [("value", "off_path", False), ("value", "isolated", True), ("timeout", "off_path", True), ("crash", "", True)],
)
def test_what_may_hang_or_crash_is_run_elsewhere(kind, exec_path, expected):
    """In a process of its own."""
    assert expected == replay.is_isolated({"kind": kind, "samples": [{"exec_path": exec_path}]})


def test_coroutine_functions_are_awaited(make):
    """Both sides."""

    async def control(text):
        return text.upper()

    async def candidate(text):
        return text

    assert ("same", "matched") == tuple(
        make(side, control)((("a lower text",), {}), WANTED).word for side in (candidate, control)
    )
