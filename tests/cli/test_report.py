"""Where every feature stands."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def found(evidence):
    """One feature on its way, and one that is blocked."""
    tally = evidence.attach("token_counting")
    for _ in range(1_000):
        tally.accept().compare("matched")
    evidence.attach("routing")
    evidence.diverge("routing", action="blocked")
    evidence.ledger.flush()
    return evidence


def test_every_feature_is_one_row(cli, found):
    """The blocked one first, in 80 columns, and the exit status says so."""
    outcome = cli("report")
    rows = [line.split()[:2] for line in outcome.out.splitlines()]

    assert 3 == outcome.code
    assert rows.index(["routing", "blocked"]) < rows.index(["token_counting", "shadow"])
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_one_feature_can_be_singled_out(cli, found):
    """The others neither show nor decide the exit status."""
    outcome = cli("report", "token_counting")

    assert 0 == outcome.code
    assert "routing" not in outcome.out


def test_an_unknown_feature_is_an_error(cli, found):
    """The nearest name is offered; of one that the ledger does not know, those it does are named."""
    misspelt, unheard = cli("report", "token_countin"), cli("report", "rate_limiting")

    assert (2, "", 1, "") == (misspelt.code, misspelt.out, unheard.code, unheard.out)
    assert 'hint: did you mean "token_counting"?' in misspelt.err
    assert "hint: it has routing, token_counting" in unheard.err


def test_the_document_is_the_picture(cli, found):
    """`--json` prints all that the page shows."""
    document = json.loads(cli("report", "--json").out)

    assert ["routing", "token_counting"] == [one["name"] for one in document["features"]]
    assert 1_000 == document["features"][1]["account"]["matched"]


def test_the_page_is_one_file(cli, found, tmp_path):
    """Nothing is printed where data belongs."""
    outcome = cli("report", "--html", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert (3, "") == (outcome.code, outcome.out)
    assert "report.html: 2 feature(s)" in outcome.err
    assert text.startswith("<!doctype html>")
    assert 2 == text.count("data-feature=")


def test_a_page_that_cannot_be_written_is_an_error(cli, found, tmp_path):
    """The path and the reason are named."""
    outcome = cli("report", "--html", tmp_path / "nowhere" / "report.html")

    assert 1 == outcome.code
    assert "report.html cannot be written: No such file or directory" in outcome.err


def test_a_ledger_that_is_not_there_is_said(cli, tmp_path):
    """In the terminal with its path, and on the page with its name."""
    outcome = cli("report", "--html", tmp_path / "report.html")

    assert 1 == outcome.code
    assert "there is no ledger.db yet" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"error: there is no ledger at {tmp_path / 'ledger.db'} yet" in outcome.err


def test_the_users_own_ledger_may_come_later(cli, unnamed, tmp_path):
    """In the terminal in words, and on the page."""
    outcome = cli("report", "--html", tmp_path / "report.html")

    assert 0 == outcome.code
    assert "Nothing has been recorded in ledger.db yet." in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert cli("report").err.startswith("nothing has been recorded in sqlite:///")


def test_a_broken_ledger_is_said(cli, tmp_path):
    """A page can be written of it all the same."""
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 100)
    outcome = cli("report", "--html", tmp_path / "report.html")

    assert 1 == outcome.code
    assert "ledger.db cannot be read: file is not a database" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "error: ledger.db cannot be read" in outcome.err


@pytest.mark.parametrize("package", ["pygal", "jinja2"])
def test_without_the_extra_only_the_page_is_missing(process, found, package):
    """The table needs nothing more, and the page names what to install."""
    program = f"import sys; sys.modules[{package!r}] = None; from fast_litellm.cli import main; main(sys.argv[1:])"
    table = process("report", start=("-c", program))
    page = process("report", "--html", "report.html", start=("-c", program))

    assert (3, True) == (table.code, "token_counting" in table.out)
    assert (1, "") == (page.code, page.out)
    assert "hint: pip install 'fast-litellm[dashboard]'" in page.err


def test_the_gate_is_asked_as_the_rules_say(cli, found, tmp_path, monkeypatch):
    """The plan's own steps are on the rail, and what the next one takes is each feature's own."""
    rules = tmp_path / "rollout.yaml"
    rules.write_text(
        '{"version": 1, "flags": {"token_counting": {"gate": {"hosts": 7}, "plan": {"steps": ["shadow", "on"]}}}}'
    )
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(rules))
    features = {one["name"]: one for one in json.loads(cli("report", "--json").out)["features"]}
    checks = {name: {line["name"]: line for line in one["checks"]} for name, one in features.items()}

    assert "at least 7" == checks["token_counting"]["hosts"]["needs"]
    assert "at least 1" == checks["routing"]["hosts"]["needs"]
    rail = [(step["label"], step["state"]) for step in features["token_counting"]["rail"]]
    assert [("shadow", "present"), ("on", "ahead")] == rail
    assert (1_000, "hold") == (features["token_counting"]["compared"], features["token_counting"]["decision"])
    assert "roll_back" == features["routing"]["decision"]


def test_rules_that_cannot_be_used_hide_nothing(cli, found, tmp_path, monkeypatch):
    """The gate asks for what it asks without them, and standard error says so."""
    rules = tmp_path / "rollout.yaml"
    rules.write_text("version: 2")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(rules))
    outcome = cli("report", "token_counting")

    assert (0, True) == (outcome.code, "token_counting needs rate" in outcome.out)
    assert f"{rules} cannot be used" in outcome.err
