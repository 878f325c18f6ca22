"""What doctor calls a problem."""

from __future__ import annotations

import pytest

import fast_litellm
from fast_litellm import events
from fast_litellm.accel import installation, references
from fast_litellm.shadow import machinery

litellm = pytest.importorskip("litellm")


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test ends uninstalled."""
    yield
    fast_litellm.uninstall()


def problems() -> list:
    return fast_litellm.doctor(litellm="1.106.2")["problems"]


def test_a_process_in_which_nothing_has_failed_has_no_problems():
    """Installed or not."""
    before = problems()
    fast_litellm.install()

    assert ([], []) == (before, problems())


def test_what_failed_inside_a_comparison_is_said():
    """Callers never saw it, so somebody has to say it."""
    machinery.failed("judge", ValueError("secret"))
    machinery.failed("judge", ValueError("secret"))

    assert ["comparing failed 2 time(s) in judge: ValueError; callers were not affected"] == problems()


def test_lost_log_events_are_said():
    """Logging that raises cannot say so itself."""
    events.lost["OSError"] = 3

    assert ["3 log event(s) were lost because the program's logging raised OSError"] == problems()


def test_a_ledger_that_cannot_be_written_is_said():
    """Evidence that does not outlive the process is no evidence."""
    fast_litellm.install()
    installation._current.evidence._ledger._unavailable(OSError("read-only"))

    assert ["the ledger could not be used 1 time(s); counters wait in memory until it can"] == problems()


def test_a_part_of_litellm_that_was_replaced_is_noted(monkeypatch):
    """Everything else looks well then, and nothing is accelerated."""
    monkeypatch.setenv("FAST_LITELLM_FLAG_SECRET_REDACTION", "rust")
    fast_litellm.install()
    found = {"secret_redaction": {"declined": {"reference_patched": 3}}, "routing": {"declined": {"verbose": 1}}}
    monkeypatch.setattr(installation._current, "features", lambda: found)
    (note,) = [it for it in fast_litellm.doctor(litellm="1.106.2")["notes"] if "left" in it]

    assert note.startswith("secret_redaction left 3 call(s) to Python: something that it relies on was replaced")


def test_a_ledger_that_is_not_heard_is_said():
    """Everything promoted is Python's meanwhile, and somebody will ask why."""
    fast_litellm.install()
    installation._current.manager.hold_lease(is_held=False)

    assert ["nothing is heard from the ledger, so no candidate answers until it is (FAST_LITELLM_LEASE)"] == problems()


def test_a_release_of_which_one_seam_is_known_is_told_seam_by_seam():
    """A feature of several seams may be known in part: each has its own text."""
    found = {it["seam"].rpartition(".")[2]: it["known"] for it in fast_litellm.doctor(litellm="1.83.14")["seams"]}
    routing = ("_common_checks_available_deployment", "simple_shuffle", "_least_busy", "_get_available_deployments")

    assert [True, False, False, False] == [found[name] for name in routing]
    assert found["token_counter"]


def test_what_is_said_of_a_release_by_name_is_what_its_source_says():
    """The table by releases and the table by texts are one."""
    installed = fast_litellm.doctor()
    version = installed["versions"]["litellm"]
    by_name = {it["seam"]: it["known"] for it in fast_litellm.doctor(litellm=version)["seams"]}
    told = [it for it in installed["seams"] if it["package"] == "litellm" and it["exists"] and not it["superseded"]]
    by_source = {it["seam"]: it["known"] for it in told}

    assert by_source
    assert by_source == {seam: by_name[seam] for seam in by_source}


@pytest.mark.parametrize(
    ("release", "is_native"),
    [("1.109.1", False), ("1.110.0", True), ("1.110.2", True), ("2.0", True), ("nightly", False), ("1.x", False)],
)
def test_a_release_with_a_router_of_its_own_is_said_to_answer_natively(release, is_native):
    """Routing is then no problem, by whatever name it is unknown."""
    report = fast_litellm.doctor(litellm=release)
    superseded = {it["feature"] for it in report["seams"] if it["superseded"]}
    unknown = [it for it in report["problems"] if it.startswith(("routing stays Python", "async_routing stays Python"))]

    assert ({"routing", "async_routing"} if is_native else set()) == superseded
    assert not (is_native and unknown)


@pytest.mark.parametrize(
    ("releases", "written"),
    [
        ((), ""),
        (("1.83.14",), "1.83.14"),
        (("1.106.9", "1.106.10", "1.106.11", "1.109.0", "1.83.14"), "1.106.9 to 1.106.11, 1.109.0, 1.83.14"),
    ],
)
def test_patch_releases_in_a_row_are_told_as_one(releases, written):
    """A person reads it; machines are given every release."""
    assert written == references.in_short(releases)


def test_a_patch_release_is_known_by_name_where_its_text_is():
    """A person who asks about the release that is going to be installed is told what holds there."""
    found = {it["seam"].rpartition(".")[2]: it["known"] for it in fast_litellm.doctor(litellm="1.108.7")["seams"]}

    assert {"token_counter", "chunk_creator", "simple_shuffle"} <= {name for name, known in found.items() if known}


def test_what_stays_python_is_a_problem_only_where_the_rules_ask_for_it(monkeypatch, tmp_path):
    """Otherwise it is worth knowing, and no more than that."""
    rules = tmp_path / "rollout.yaml"
    told = []
    for stage in ("shadow", "off"):
        rules.write_text(f"version: 1\nflags:\n  routing: {{stage: {stage}}}\n")
        monkeypatch.setenv("FAST_LITELLM_CONFIG", str(rules))
        report = fast_litellm.doctor(litellm="0.1.0")
        said = [[text.partition(" ")[0] for text in report[part]] for part in ("problems", "notes")]
        told.append([set(names) for names in said])
    (asked, unasked), (none, all_of_them) = told

    assert ({"routing"}, set()) == (asked, none)
    assert asked | unasked == all_of_them
    assert "token_counting" in unasked


def test_a_feature_that_is_known_in_part_says_which_seam_is_not():
    """Two lines that begin alike would say no more than one."""
    report = fast_litellm.doctor(litellm="1.83.14")
    (said,) = (it for it in [*report["problems"], *report["notes"]] if it.startswith("routing stays Python"))
    named = "_request_count_keys, _least_busy, _get_available_deployments: this litellm's source"

    assert said.startswith(f"routing stays Python in simple_shuffle, {named}")


def test_a_misspelt_flag_of_the_rules_is_said(monkeypatch, tmp_path):
    """It may be a pair of somebody's own, so it is no problem."""
    (tmp_path / "rollout.yaml").write_text("version: 1\nflags: {token_countin: {stage: shadow}, checkout: {}}\n")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(tmp_path / "rollout.yaml"))

    assert [
        "the rules declare token_countin, and no feature has that name; did you mean token_counting?"
    ] == fast_litellm.doctor(litellm="1.106.2")["notes"]


def test_a_word_of_the_environment_for_a_feature_that_is_not_there_is_said(monkeypatch):
    """It decides nothing, and its author believes it does."""
    monkeypatch.setenv("FAST_LITELLM_FLAG_TOKN_COUNTING", "rust")
    monkeypatch.setenv("FAST_LITELLM_FLAG_SECRET_REDACTION", "rust")

    assert [
        "no feature has the name in FAST_LITELLM_FLAG_TOKN_COUNTING; did you mean FAST_LITELLM_FLAG_TOKEN_COUNTING?"
    ] == fast_litellm.doctor(litellm="1.106.2")["notes"]
