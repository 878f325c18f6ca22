"""The whole demo, once, through the real command line: a real server, real LiteLLM, every act."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fast_litellm.cli.demo import command

DEADLINE_S = 110
CALLS = 200


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment without the developer's settings, with a ledger that the demo leaves behind."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAST_LITELLM_", "LITELLM_"))}
    ledger = tmp_path_factory.mktemp("demo") / "ledger.db"
    own = {"FAST_LITELLM_LEDGER": f"sqlite:///{ledger}", "FAST_LITELLM_STATE": str(ledger.with_name("state"))}
    return {**kept, **own, "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def run(environment):
    def run(*words, **variables):
        return subprocess.run(
            [sys.executable, "-m", "fast_litellm", *words],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )

    return run


@pytest.fixture(scope="module")
def demo(run):
    return run("demo", "--json", "--calls", str(CALLS))


@pytest.fixture(scope="module")
def acts(demo):
    return {act["name"]: act for act in json.loads(demo.stdout)["acts"]}


def test_a_ledger_that_many_share_is_not_played_with(run):
    """The demo's candidate is wrong on purpose, and would be seen and stopped everywhere."""
    refused = run("demo", FAST_LITELLM_LEDGER="postgresql://127.0.0.1:1/evidence")

    assert 1 == refused.returncode
    assert refused.stderr.startswith("error: FAST_LITELLM_LEDGER names a ledger that many hosts share")


@pytest.mark.timeout(DEADLINE_S)
def test_every_act_does_what_it_says(demo):
    """No claim is broken, all calls are sent, and the exit status agrees."""
    document = json.loads(demo.stdout)
    broken = [check for act in document["acts"] for check in act["checks"] if not check["holds"]]

    assert [] == broken
    assert (0, True, CALLS) == (demo.returncode, document["ok"], document["calls"])


def test_the_acts_are_the_life_of_a_feature(acts):
    """Off, shadow, a wrong candidate, canary, on."""
    assert ["off", "shadow", "wrong candidate", "canary 10%", "on"] == list(acts)


def test_the_wrong_candidate_was_seen_to_differ_and_answered_nobody(acts):
    """It ran, it differed, and Rust served no call."""
    act = acts["wrong candidate"]

    assert act["compared"] >= act["diverged"] > 0
    assert act["served"]["rust"] == 0


def test_the_progress_bar_is_talk(demo):
    """Standard output holds the document alone; LiteLLM itself says nothing."""
    assert "hint: the evidence is kept" in demo.stderr
    assert "Traceback" not in demo.stderr
    assert "Unclosed" not in demo.stderr


def test_the_evidence_is_left_for_the_other_commands(demo, run):
    """`status` is not blocked by the wrong candidate, whose build is not in force, and `divergences` knows it."""
    status, divergences = run("status", "--json"), run("divergences", "--json")
    feature = json.loads(status.stdout)["features"]["token_counting"]
    found = json.loads(divergences.stdout)["divergences"]

    assert (0, "on") == (status.returncode, feature["stage"])
    assert feature["served"]["rust"] > 0
    assert all("off-by-one" in one["candidate_build"] for one in found)
    assert found


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"FAST_LITELLM_DISABLE": "1"}, "error: FAST_LITELLM_DISABLE is set"),
        ({"FAST_LITELLM_FLAG_TOKEN_COUNTING": "rust"}, "error: FAST_LITELLM_FLAG_TOKEN_COUNTING is set"),
    ],
)
def test_an_environment_that_overrules_the_acts_is_refused(run, variables, said):
    """The demo says so at once instead of failing act by act."""
    outcome = run("demo", **variables)

    assert (1, "") == (outcome.returncode, outcome.stdout)
    assert outcome.stderr.startswith(said)


def test_too_few_calls_are_wrong_usage(run):
    """Fewer could miss a kind of traffic, so they prove nothing."""
    assert run("demo", "--calls", "10").returncode == 2


@pytest.mark.parametrize(("unknown", "refused"), [("rate_limiting", False), ("token_counting", True)])
def test_only_the_source_that_it_plays_with_has_to_be_known(monkeypatch, unknown, refused):
    """LiteLLM without its proxy's requirements has no limiter, and the demo plays all the same."""
    seams = [{"feature": name, "known": name != unknown} for name in ("rate_limiting", "token_counting")]
    monkeypatch.setattr("fast_litellm.doctor", lambda: {"seams": seams})
    said = []
    monkeypatch.setattr("fast_litellm.cli.console.fail", lambda *words: said.append(words))

    command._refuse_unknown_reference()

    assert refused == bool(said)
