"""The pairs of a feature, outside of an installation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from importlib import import_module
from types import SimpleNamespace

import pytest

import fast_litellm
from fast_litellm.accel import fingerprint, own_pairs, references, replaying
from fast_litellm.accel.candidates import cost_routing, deployments, latency_routing, made_up, made_up_routing
from fast_litellm.accel.candidates.window_twins import WindowTwins
from fast_litellm.accel.seams import SEAMS
from fast_litellm.errors import SeamError
from fast_litellm.shadow import FunctionCandidate, engine, replay

CHAT = {
    "family": "gpt-4o",
    "provider": "none",
    "size": "64-127",
    "messages": "2-4",
    "roles": "system+user",
    "content": "text+list",
    "tools": "some",
    "keys": "name",
    "options": "-",
    "unicode": "latin1",
    "outcome": "value",
}
PLAIN = {"arguments": "1", "kinds": "str", "size": "64-127", "depth": "0", "unicode": "ascii", "outcome": "value"}
SHAPES = {"chat": CHAT, "plain": PLAIN}
BATCH = {**PLAIN, "arguments": "2", "kinds": "str+list", "depth": "1"}


PARTS = {**PLAIN, "arguments": "3-4", "kinds": "str+int+list+dict", "depth": "2"}
WORKED_ON = ["routing", "async_routing", "rate_limiting"]
"""What these work on is more than plain values."""
FEATURES = ["token_counting", "batch_token_counting", "request_transform", "secret_redaction", "stream_parsing"]


def known_places(feature):
    """Those of a feature, where the installed LiteLLM is one that its candidates equal."""
    pytest.importorskip("litellm.proxy.utils")
    seams = [seam for seam in SEAMS if seam.feature == feature]
    if any(seam.is_superseded for seam in seams) or not all(
        references.known(feature, fingerprint.fingerprint(seam.sources)) for seam in seams if import_module(seam.module)
    ):
        pytest.skip("it stays Python on this release")
    return replaying.places(feature)


def record(shape):
    """A divergence class of which one sample's shape is known."""
    sides = {"control_type": "int", "candidate_type": "int"}
    return {"kind": "value", "pattern": "$", **sides, "samples": [{"shape": shape, "exec_path": "off_path"}]}


@pytest.fixture
def no_minute_ends(monkeypatch):
    """Both sides of a selection are of one minute, and its last seconds are declined: this minute stands still."""
    moment = datetime.now().replace(second=30)  # noqa: DTZ005 - as the strategies read it
    clock = SimpleNamespace(now=lambda: moment, time=moment.timestamp)
    for name in (latency_routing, cost_routing):
        monkeypatch.setattr(import_module(name.SOURCES[0].module), "datetime", clock)
    monkeypatch.setattr(made_up_routing, "datetime", clock)
    monkeypatch.setattr(deployments, "time", clock)


class Wrong:
    """Does what another candidate does, unless there are more than two parts."""

    build = "wrong"

    def __init__(self, right):
        self._right = right

    def __getattr__(self, name):
        return getattr(self._right, name)

    def run(self, plan, args, kwargs):
        most = max(len(it) for it in args if isinstance(it, (list, tuple)))
        parts = most // 2 if isinstance(self._right, WindowTwins) else most
        return "wrong" if parts > 2 else self._right.run(plan, args, kwargs)


@pytest.mark.usefixtures("no_minute_ends")
@pytest.mark.parametrize("feature", WORKED_ON)
def test_a_difference_in_what_a_call_works_on_is_found_and_made_small(feature):
    """The deployments and windows of a made-up call follow from its values, which are left out one after the other."""
    for place in known_places(feature):
        right = place.replay()
        wrong = replace(place, experiment=replace(place.experiment, candidate=Wrong(place.experiment.candidate)))
        run = wrong.replay()
        calls = list(replay.made_up("plain", record(PARTS), 30))
        assert {"matched"} == {right(call).word for call in calls} - {"declined"}, place.name
        found = next(it for it in map(run, calls) if it.description is not None).description
        wanted = replay.Wanted(found.kind, found.pattern, found.control.type, found.candidate.type)
        smallest = replay.smallest(run, replay.first(run, calls, wanted), wanted)
        assert 3 == len(made_up.dice(smallest)), place.name
        assert ("same", "matched") == (run(smallest, wanted).word, right(smallest).word), place.name


@pytest.mark.parametrize("feature", FEATURES)
def test_both_sides_of_a_seam_agree_on_made_up_calls(feature):
    """The candidate ran on some of them, at each of the feature's seams. Of these, a call can be told from a shape."""
    for place in replaying.places(feature):
        run = place.replay()
        found = record(BATCH if feature == "batch_token_counting" else SHAPES[place.experiment.profile])
        try:
            wanted, calls = replay.Wanted.of(found), replay.made_up(place.experiment.profile, found, 30)
            words = [run(call, wanted).word for call in calls]
        finally:
            run.close()
        assert set(words) <= {"matched", "declined", "not_callable", "unlike"}, place.name
        assert words.count("matched") > 0, place.name


def test_the_shape_of_a_dressed_call_is_the_one_it_was_made_from():
    """Where a chat's parameters are one argument, a made-up call still has the sample's shape."""
    for place in replaying.places("request_transform"):
        shaper = place.experiment.shaper()
        calls = [place.dress(call) for call in replay.made_up("chat", record(CHAT), 20)]
        values = [engine.current().shape_values("chat", shaper.shape(*call)) for call in calls]
        assert {("gpt-4o", "system+user", "some")} == {(it["family"], it["roles"], it["tools"]) for it in values}


def test_a_class_is_run_again_with_the_candidate_that_it_is_of(monkeypatch):
    """By its build, or by what it is a build of; the first candidate where there is neither."""
    monkeypatch.setattr(own_pairs, "_declared", {})
    further = {"other": FunctionCandidate(str.lower, build="lower 2"), "third": FunctionCandidate(str.title, "title 1")}
    fast_litellm.seam("case", candidate=FunctionCandidate(str.upper, "upper 1"), further=further)(str)
    builds = ["", "upper 1", "lower 2", "lower 1", "title 1", "unknown"]
    found = [replaying.places("case", build)[0].experiment.candidate.build for build in builds]

    assert ["upper 1", "upper 1", "lower 2", "lower 2", "title 1", "upper 1"] == found
    assert replaying.difference("case", ("A",), {}, build="lower 1") is not None
    assert replaying.difference("case", ("A",), {}, build="upper 1") is None


def test_an_installation_changes_nothing(monkeypatch, tmp_path):
    """What stands at a seam then is a dispatcher; the pair is the same."""
    before = [place.experiment.control for place in replaying.places("token_counting")]
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    fast_litellm.install()
    try:
        assert before == [place.experiment.control for place in replaying.places("token_counting")]
    finally:
        fast_litellm.uninstall()


def test_a_difference_is_told_with_what_either_side_did(monkeypatch):
    """A test's call is made up, so that all of it may be read."""
    monkeypatch.setattr(own_pairs, "_declared", {})

    def fails(text):
        raise LookupError(text)

    for name, candidate in (("right", str.upper), ("wrong", str.lower), ("fails", fails)):
        fast_litellm.seam(name, candidate=candidate)(lambda text: text.upper())
    found = [replaying.difference(name, ("a",), {}) for name in ("right", "wrong", "fails")]
    assert found[0] is None
    assert found[1].endswith("value at $: 'A', the candidate 'a'")
    assert found[2].endswith("value_against_exception at $: 'A', the candidate LookupError: a")


def test_a_call_that_cannot_be_compared_is_an_error():
    """A test that compared nothing would pass for ever."""
    with pytest.raises(ValueError, match="nothing could be compared: not_callable"):
        replaying.difference("secret_redaction", (), {"nonsense": 1})


def test_an_unknown_pair_is_an_error():
    """And says how it would become known."""
    with pytest.raises(SeamError, match=r"no pair is called 'shout'.*\n.*--module"):
        replaying.places("shout")


def test_what_has_effects_is_not_run_again(monkeypatch):
    """A request to a provider is made once."""
    monkeypatch.setattr(own_pairs, "_declared", {})
    ran = []
    fast_litellm.seam("sends", candidate=ran.append, effect_free=False)(ran.append)
    with pytest.raises(SeamError, match="has effects, so it is not run again"):
        replaying.difference("sends", (1,), {})
    assert [] == ran
