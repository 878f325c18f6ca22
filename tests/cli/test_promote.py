"""Moving a feature along its plan from the command line: promote and rollback."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.usefixtures("plan")


def promote(cli, feature="routing", *options):
    return cli("promote", feature, "--by", "ada", "--reason", "enough evidence", *options)


def states(cli):
    return [entry["to_state"] for entry in json.loads(cli("audit", "--json").out)["trail"]]


def test_a_promotion_takes_the_next_step(cli, compared):
    """It says which one, and the trail who did it and why."""
    compared("routing", 300)
    outcome = promote(cli)
    assert (0, "routing is at 5%, for 15 certified cells") == (outcome.code, outcome.out.partition(":")[0])
    (entry,) = json.loads(cli("audit", "routing", "--json").out)["trail"]
    assert ("5%", "ada", "enough evidence") == (entry["to_state"], entry["actor"], entry["reason"])
    assert "promote" == entry["evaluation"]["decision"]


def test_the_gate_keeps_shut(cli, compared):
    """What is missing is said, and nothing is moved; force moves it, and is noted."""
    compared("routing", 10)
    outcome = promote(cli)
    assert 1 == outcome.code
    assert "the gate of routing does not open: rate: " in outcome.err
    assert [] == states(cli)
    assert 0 == promote(cli, "routing", "--to", "on", "--force").code
    assert ["on"] == states(cli)


def test_the_last_step_is_the_last(cli, compared):
    """Nothing is left to promote to."""
    compared("routing", 300)
    promote(cli, "routing", "--to", "on", "--force")
    assert "error: routing is at the last step of its plan already" == promote(cli).err.splitlines()[0]


def test_a_rollback_without_the_ledger_says_what_works_without_it(cli, tmp_path, monkeypatch):
    """In an emergency the database may be what is down."""
    (tmp_path / "no file").mkdir()
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'no file'}")
    outcome = cli("rollback", "routing", "--by", "eve", "--reason", "an emergency")

    assert 1 == outcome.code
    assert "error: nothing was changed: " in outcome.err
    assert "hint: `fast-litellm pause routing` stops it on this host, with or without the ledger" in outcome.err


def test_an_unknown_step_is_an_error(cli, compared):
    """Those of the plan are named."""
    compared("routing", 1)
    outcome = promote(cli, "routing", "--to", "6%")
    assert (2, True) == (outcome.code, "has the steps shadow, 5%, on, not 6%" in outcome.err)


def test_a_pinned_feature_cannot_be_promoted(cli, compared):
    """A promotion that would change nothing is refused, with what stands in its way."""
    compared("pinned", 300)
    outcome = promote(cli, "pinned", "--force")
    assert 1 == outcome.code
    assert "the rules decide for pinned without its plan, at stage shadow" in outcome.err
    assert [] == states(cli)


def test_a_reason_is_required(cli, compared):
    """A trail without reasons is none."""
    compared("routing", 300)
    assert 2 == cli("promote", "routing").code


def test_nothing_compared_is_nothing_to_promote(cli, compared):
    """No silence is taken for consent."""
    compared("pinned", 1)
    outcome = promote(cli)
    assert (1, True) == (outcome.code, outcome.err.startswith("error: no comparison of routing in "))


@pytest.mark.parametrize("words", [("--reason", ""), ("--reason", " \t"), ("--reason", "x" * 1_001)])
@pytest.mark.parametrize("command", ["promote", "rollback", "pause", "resume"])
def test_a_reason_says_something_and_is_kept_whole(cli, compared, command, words):
    """The trail is for whoever comes later; nothing is cut, so that nothing is lost unseen."""
    compared("routing", 300)
    outcome = cli(command, "routing", *words)
    expected = "expected a reason, got nothing" if len(words[1]) < 3 else "expected at most 1,000 characters, got 1,001"
    assert (2, "") == (outcome.code, outcome.out)
    assert expected in outcome.err
    assert [] == states(cli)


def test_a_name_that_is_given_is_one(cli, compared):
    """Nobody is not who has done it."""
    compared("routing", 300)
    outcome = cli("promote", "routing", "--reason", "enough", "--by", " ")
    assert (2, True) == (outcome.code, "expected a name, got nothing" in outcome.err)
    assert 0 == cli("promote", "routing", "--reason", "x" * 1_000).code


def test_a_rollback_goes_back_to_the_first_step(cli, compared):
    """It waits there for a person."""
    compared("routing", 300)
    promote(cli)
    outcome = cli("rollback", "routing", "--by", "eve", "--reason", "a feeling")
    assert (0, "routing is back at shadow") == (outcome.code, outcome.out.partition(":")[0])
    assert ["5%", "shadow (taken back)"] == states(cli)


@pytest.mark.parametrize("stage", ["on", "canary"])
def test_a_rollback_that_changes_nothing_does_not_look_as_if_it_did(cli, evidence, stage):
    """Processes have told that their rules decide without the plan, so they go on; what stops them is said."""
    evidence.attach("routing", stage=stage).accept().compare("matched", 1)
    evidence.ledger.flush()
    outcome = cli("rollback", "routing", "--by", "eve", "--reason", "an emergency")

    assert (1, "") == (outcome.code, outcome.out)
    assert f"error: routing is noted as back at shadow, but stays at {stage}: " in outcome.err
    assert "hint: `fast-litellm pause routing --scope fleet` stops it at once" in outcome.err
    assert ["shadow (taken back)"] == states(cli)

    cli("pause", "routing", "--scope", "fleet")

    assert 0 == cli("rollback", "routing", "--reason", "paused first").code


def test_a_rollback_does_not_wait_for_a_rule_file_without_mistakes(cli, compared, tmp_path):
    """The mistake is said; a promotion, which needs the plan and the gate of the file, is refused."""
    compared("routing", 300)
    promote(cli)
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\nflags: [\n")
    refused = promote(cli, "routing", "--config", str(broken))
    outcome = cli("rollback", "routing", "--by", "eve", "--reason", "at night", "--config", str(broken))

    assert (1, 0) == (refused.code, outcome.code)
    assert f"{broken}:" in outcome.err
    assert ["5%", "shadow (taken back)"] == states(cli)


def test_a_blocked_build_is_not_promoted(cli, compared, evidence):
    """Not by force either: it would change nothing. The error says what does."""
    compared("routing", 300)
    evidence.diverge("routing", action="blocked")
    evidence.ledger.flush()
    outcome = promote(cli, "routing", "--force")
    assert (1, True) == (outcome.code, "this build of routing is blocked by 5eed5eed" in outcome.err)
    assert "`fast-litellm waive routing CLASS`" in outcome.err
    assert ["blocked"] == states(cli)


PLAN = ["shadow", "5%", "on"]


def stage_by(cli, command):
    said = json.loads(cli(command, "--json").out)
    (feature,) = said["features"].values() if command == "status" else said.get("features", said.get(command))
    return feature["stage"]


@pytest.mark.parametrize("command", ["status", "report", "recommendations"])
def test_every_screen_shows_a_move_that_no_process_has_followed_yet(cli, compared, command):
    """A deploy is when nobody runs; an operator looks whether the rollback has worked."""
    compared("routing", 300, PLAN)
    seen = [stage_by(cli, command)]
    promote(cli)
    seen.append(stage_by(cli, command))
    promote(cli, "routing", "--to", "on", "--force")
    seen.append(stage_by(cli, command))
    cli("rollback", "routing", "--reason", "an emergency")

    assert ["shadow", "canary", "on", "shadow"] == [*seen, stage_by(cli, command)]


def test_explain_takes_the_step_of_the_ledger(cli, compared):
    """As a running program does."""
    compared("routing", 300, PLAN)
    before = json.loads(cli("explain", "routing", "--unit", "u", "--json").out)["decision"]
    promote(cli, "routing", "--to", "on", "--force")
    after = json.loads(cli("explain", "routing", "--unit", "u", "--json").out)["decision"]

    assert ("shadow", "python") == (before["stage"], before["serve"])
    assert ("on", "rust") == (after["stage"], after["serve"])


def test_a_waiver_shows_at_once_that_the_block_has_ended(cli, evidence):
    """Where no process was there to be released."""
    evidence.attach("routing", stage="blocked", plan=PLAN)
    evidence.diverge("routing", action="blocked")
    evidence.ledger.flush()
    blocked = cli("status")
    cli("waive", "routing", "5eed", "--reason", "known", "--for", "1d")
    released = cli("status")

    assert (3, 0) == (blocked.code, released.code)
    assert "1 diverged (none open)" in released.out
    assert "shadow" == stage_by(cli, "status")
