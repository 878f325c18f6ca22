"""Stopping a feature from a shell, and letting it go on."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

import pytest

from fast_litellm.flags import FlagManager
from fast_litellm.shadow import Ledger


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The rule file in force; it serves the candidate to all."""
    path = tmp_path / "on.yaml"
    path.write_text("version: 1\nflags: {parser: {otherwise: rust}}\n")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(path))
    return path


def audit():
    """What the ledger noted, without times."""
    rows = Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None).audit()
    return [tuple(row[name] for name in ("feature", "to_state", "scope", "actor", "reason")) for row in rows]


def test_a_pause_reaches_a_running_process_and_a_resume_ends_it(cli, served):
    """The very next decision follows either."""
    manager = FlagManager.from_file(served)
    paused = cli("pause", "parser", "--reason", "p99", "--by", "ada")
    assert (0, "") == (paused.code, paused.err)
    assert f"parser is paused on this host for {served}: Python answers every call\n" == paused.out
    assert "python" == manager.serve("parser")
    assert 0 == cli("resume", "parser").code
    assert "rust" == manager.serve("parser")
    assert [
        ("parser", "paused", "host", "ada", "p99"),
        ("parser", "running", "host", getpass.getuser(), ""),
    ] == audit()


def test_a_pause_of_the_fleet_needs_no_rule_file(cli, evidence):
    """Whoever uses the ledger obeys; the ledger has heard of the feature."""
    evidence.attach("parser").serve("rust")
    evidence.ledger.flush()
    manager = FlagManager.from_dict({"version": 1, "flags": {"parser": {"otherwise": "rust"}}})
    assert 0 == cli("pause", "parser", "--scope", "fleet", "--hold", "10m").code
    Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None).follow(manager.apply_fleet)
    assert ("paused", "fleet") == (manager.decide("parser").detail, manager.standing("parser")["scope"])
    assert manager.standing("parser")["until"] is not None


@pytest.mark.parametrize("scope", ["host", "fleet"])
def test_status_shows_what_is_stopped_and_exits_with_3(cli, served, scope):
    """Also for a feature that has done nothing yet; when it is resumed all is well."""
    cli("pause", "parser", "--scope", scope, "--hold", "1h")
    told = cli("status", "--json")
    stop = json.loads(told.out)["stops"]["parser"]
    assert (3, "paused", scope) == (told.code, stop["state"], stop["scope"])
    assert f"end it with `fast-litellm resume parser --scope {scope}`" in told.err
    cli("resume", "parser", "--scope", scope)
    told = cli("status", "--json")
    assert (0, {}) == (told.code, json.loads(told.out)["stops"])


def test_a_pause_is_no_block(cli, served, evidence):
    """Only status, which a check runs every minute, ends with 3 for it."""
    evidence.attach("parser")
    evidence.ledger.flush()
    cli("pause", "parser", "--scope", "fleet")
    words = (("status",), ("report",), ("doctor", "--litellm", "1.106.2"))
    assert [3, 0, 0] == [cli(*each).code for each in words]


def test_the_table_of_status_says_paused(cli, served, evidence):
    """In the column that says ok otherwise."""
    evidence.attach("parser", stage="on").serve("rust")
    evidence.ledger.flush()
    assert "ok" in cli("status").out
    cli("pause", "parser")
    assert "paused" in cli("status").out


@pytest.mark.parametrize("scope", ["host", "fleet"])
def test_what_is_not_paused_is_not_said_to_be_resumed(cli, served, scope):
    """Nobody takes a mistaken scope for a release, and the trail has no entry of it."""
    cli("pause", "parser", "--scope", {"host": "fleet", "fleet": "host"}[scope])
    outcome = cli("resume", "parser", "--scope", scope)
    assert (0, True) == (outcome.code, outcome.out.startswith("parser was not paused "))
    assert ["paused"] == [entry[1] for entry in audit()]


def test_resuming_the_host_says_that_the_fleet_is_paused_too(cli, served):
    """Nobody waits for a feature that stays stopped."""
    for scope in ("host", "fleet"):
        cli("pause", "parser", "--scope", scope)
    assert "the fleet has paused it, too" in cli("resume", "parser").err
    assert 3 == cli("status").code


def test_a_mistyped_name_pauses_nothing(cli, served):
    """Exit status 2, and the nearest name."""
    outcome = cli("pause", "parsr")
    assert (2, "") == (outcome.code, outcome.out)
    assert 'hint: did you mean "parser"?' in outcome.err
    assert [] == audit()


def test_a_broken_rule_file_is_not_in_the_way(cli, served):
    """Processes go on with the rules they have; the pause reaches them."""
    manager = FlagManager.from_file(served)
    served.write_text("version: [")
    outcome = cli("pause", "parser")
    assert 0 == outcome.code
    assert "cannot be used" in outcome.err
    assert "python" == manager.serve("parser")


def test_a_rule_file_that_nobody_uses_is_noticed(cli, served):
    """A mistyped path must not look like success."""
    assert "no process of this user has used" in cli("pause", "parser").err
    assert "" == cli("pause", "parser").err


def test_without_a_rule_file_a_host_cannot_be_paused(cli):
    """The hint names both ways out."""
    outcome = cli("pause", "parser")
    assert (1, "") == (outcome.code, outcome.out)
    assert "--config" in outcome.err
    assert "--scope fleet" in outcome.err


@pytest.mark.parametrize("hold", ["10", "m", "0m", "-1s", "1.5h", "10 m"])
def test_a_hold_that_is_no_time_is_wrong_usage(cli, served, hold):
    """The message says how to write one."""
    outcome = cli("pause", "parser", "--hold", hold)
    assert 2 == outcome.code
    assert "such as 10m" in outcome.err


def test_a_page_that_cannot_be_used_is_an_error(cli, served):
    """The pause would reach nobody."""
    Path(os.environ["FAST_LITELLM_STATE"]).write_text("")
    outcome = cli("pause", "parser")
    assert (1, "") == (outcome.code, outcome.out)
    assert "use --scope fleet" in outcome.err
    assert [] == audit()


@pytest.mark.parametrize("order", ["pause", "resume"])
def test_a_directory_of_somebody_elses_is_an_error(cli, served, monkeypatch, order):
    """Not even whether there is a page can be seen."""

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refused)
    monkeypatch.setattr("fast_litellm.flags.page._opened", refused)
    outcome = cli(order, "parser")
    assert (1, "") == (outcome.code, outcome.out)
    assert "hint: use --scope fleet" in outcome.err


def test_a_pause_of_the_fleet_that_cannot_be_noted_is_none(cli, served, monkeypatch, tmp_path):
    """Nobody would hear of it; what works without the ledger is said."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path}/file/ledger.db")
    outcome = cli("pause", "parser", "--scope", "fleet")
    assert (1, "") == (outcome.code, outcome.out)
    assert "error: nothing was changed: " in outcome.err
    assert "hint: `fast-litellm pause parser` stops it on this host" in outcome.err


def test_a_pause_that_cannot_be_noted_holds_and_says_so(cli, served, monkeypatch, tmp_path):
    """Stopping comes first, and is said before a ledger is asked that may be long in answering."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path}/file/ledger.db")
    outcome = cli("pause", "parser")
    assert (1, "parser is paused on this host") == (outcome.code, outcome.out[:29])
    assert "error: that is not noted: " in outcome.err
    assert "python" == FlagManager.from_file(served).serve("parser")
