"""Reloads, blocks, and who is told."""

from __future__ import annotations

import os
import threading

import pytest
import structlog

from fast_litellm import events
from fast_litellm.flags import FlagManager, sources

from .conftest import HALF, ON, TENTH

BROKEN = "version: 1\nflags: {parser: {otherwise: [}}\n"


def test_a_renamed_file_is_seen(rules, replace):
    """A file put in place by renaming is loaded at the next poll."""
    manager = FlagManager.from_file(rules)
    replace(rules, HALF)

    assert manager.poll()
    assert 500_000 == manager.decide("parser", unit="u").threshold


def test_a_file_written_in_place_is_seen(rules):
    """So is one that was overwritten."""
    manager = FlagManager.from_file(rules)
    rules.write_text(HALF + "# of another size\n")

    assert manager.poll()
    assert 500_000 == manager.decide("parser", unit="u").threshold


def test_an_older_file_is_seen(rules, replace):
    """A file that is older than the one it replaces is loaded: git and ConfigMaps keep old times."""
    manager = FlagManager.from_file(rules)
    replace(rules, HALF)
    os.utime(rules, (0, 0))

    assert manager.poll()
    assert 500_000 == manager.decide("parser", unit="u").threshold


def test_a_swapped_link_is_seen(tmp_path):
    """A ConfigMap swaps a link to a directory; the file behind it is another one then."""
    for name, text in (("one", TENTH), ("two", HALF)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rollout.yaml").write_text(text)
    link = tmp_path / "data"
    link.symlink_to("one")
    manager = FlagManager.from_file(link / "rollout.yaml")
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(link)

    assert manager.poll()
    assert 500_000 == manager.decide("parser", unit="u").threshold


def test_an_unchanged_file_is_left_alone(rules):
    """Polling reads nothing when there is nothing to read."""
    manager = FlagManager.from_file(rules)

    assert not manager.poll()
    assert not manager.poll()


@pytest.mark.parametrize("text", [BROKEN, "", TENTH[:30], "version: 1\nflags: {parser: {otherwis: rust}}"])
def test_a_bad_file_never_replaces_a_good_one(rules, replace, text):
    """The rules in force keep serving, say that they are stale and why, until a good file comes."""
    manager = FlagManager.from_file(rules)
    before = manager.decide("parser", unit="u")
    replace(rules, text)
    reloaded = manager.reload()
    stale = manager.decide("parser", unit="u")

    assert not reloaded
    assert before._replace(reason="STALE", detail="split") == stale
    assert manager.status()["stale"]
    assert all(problem.startswith(f"{rules}:") for problem in manager.status()["problems"])
    replace(rules, TENTH)
    assert manager.poll()
    assert before == manager.decide("parser", unit="u")
    assert (False, []) == (manager.status()["stale"], manager.status()["problems"])


def test_a_vanished_file_keeps_its_rules(rules):
    """The rules stay, stale; the file is loaded when it is back; nothing is reported twice."""
    manager = FlagManager.from_file(rules)
    rules.unlink()
    polls = [manager.poll(), manager.poll()]

    assert [True, False] == polls
    assert "STALE" == manager.decide("parser", unit="u").reason
    rules.write_text(HALF)
    assert manager.poll()
    assert ("SPLIT", 500_000) == (
        manager.decide("parser", unit="u").reason,
        manager.decide("parser", unit="u").threshold,
    )


def test_a_file_that_became_unreadable_keeps_its_rules(rules, replace, monkeypatch):
    """Permissions that were taken away make the rules stale, not gone."""
    manager = FlagManager.from_file(rules)
    replace(rules, ON)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources, "open", refuse, raising=False)
    manager.poll()

    assert "STALE" == manager.decide("parser", unit="u").reason
    assert "Permission denied" in manager.status()["problems"][0]


def test_a_half_written_file_is_replaced_by_its_whole(rules):
    """A writer caught in the middle costs nothing but a moment of staleness."""
    manager = FlagManager.from_file(rules)
    with rules.open("w") as file:
        file.write(HALF[:25])
        file.flush()
        manager.poll()
        during = manager.decide("parser", unit="u")
        file.write(HALF[25:])
    manager.poll()

    assert ("STALE", 100_000) == (during.reason, during.threshold)
    assert ("SPLIT", 500_000) == (
        manager.decide("parser", unit="u").reason,
        manager.decide("parser", unit="u").threshold,
    )


def test_handles_follow_a_reload_in_which_their_flag_moves_and_vanishes(rules, replace):
    """A handle finds its flag among others, says python while it is gone, and finds it again."""
    manager = FlagManager.from_file(rules)
    handle = manager.bind("parser")
    served = []
    for flags in (
        "parser: {otherwise: rust}",
        "another: {}, parser: {otherwise: rust}",
        "another: {}",
        "parser: {otherwise: rust}",
    ):
        replace(rules, f"version: 1\nflags: {{{flags}}}")
        manager.reload()
        served.append(handle("u"))

    assert ["rust", "rust", "python", "rust"] == served


def test_a_block_survives_reloads(rules, replace):
    """A stopped feature stays stopped whatever file comes, good or bad."""
    manager = FlagManager.from_file(rules)
    manager.block("parser", "diverged")
    replace(rules, ON)
    manager.reload()
    reloaded = manager.decide("parser", unit="u")
    replace(rules, BROKEN)
    manager.reload()

    assert ("blocked", "python", False, "DISABLED", "diverged") == reloaded[1:6]
    assert reloaded == manager.decide("parser", unit="u")


def test_a_block_waits_for_its_flag(rules, replace):
    """A flag that is not declared can be blocked; it is, once it is declared."""
    manager = FlagManager.from_file(rules)
    manager.block("router")
    undeclared = manager.decide("router").detail
    replace(rules, "version: 1\nflags: {router: {otherwise: rust}}")
    manager.reload()

    assert ("FLAG_NOT_FOUND", "blocked") == (undeclared, manager.stage("router"))


def test_subscribers_are_told_of_every_change(rules, replace):
    """After a reload, a rejected reload, a block and its end; the rules are in force by then."""
    manager = FlagManager.from_file(rules)
    stages = []
    manager.subscribe(lambda: stages.append(manager.stage("parser")))
    replace(rules, ON)
    manager.poll()
    manager.block("parser")
    manager.unblock("parser")
    replace(rules, BROKEN)
    manager.poll()

    assert ["on", "blocked", "on", "on"] == stages


def test_a_subscriber_that_raises_is_logged_and_disturbs_nobody(rules):
    """The others are told, the change holds, and only the class name is logged."""
    manager = FlagManager.from_file(rules)
    told = []
    manager.subscribe(lambda: 1 / 0)
    manager.subscribe(lambda: told.append(True))
    with structlog.testing.capture_logs() as logs:
        manager.block("parser")

    assert [True] == told
    assert "blocked" == manager.stage("parser")
    assert [(events.RULES_STEP_FAILED, "ZeroDivisionError")] == [(log["event"], log["exception_class"]) for log in logs]


def test_loads_and_rejections_are_logged_without_content(rules, replace):
    """Counts, places and revisions; never a value from the file."""
    with structlog.testing.capture_logs() as logs:
        manager = FlagManager.from_file(rules)
        replace(rules, "version: 1\nflags: {parser: {owner: 5, salt: [secret-tenant]}}")
        manager.reload()

    assert [events.RULES_LOADED, events.RULES_REJECTED] == [log["event"] for log in logs]
    assert (2, ["2:25", "2:34"]) == (logs[1]["problems"], logs[1]["places"])
    assert "secret-tenant" not in str(logs)


def test_a_watched_file_is_reloaded_in_the_background(rules, replace):
    """The watcher's thread does what polling does."""
    manager = FlagManager.from_file(rules)
    changed = threading.Event()
    manager.subscribe(changed.set)
    manager.watch()
    replace(rules, ON)

    assert changed.wait(10)
    assert manager.status()["watching"]
    manager.close()
    assert not manager.status()["watching"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_sees_changes(rules, replace):
    """A pre-forked worker watches the file itself, though threads do not survive a fork and locks may be held."""
    manager = FlagManager.from_file(rules)
    manager.watch()
    changed = threading.Event()
    manager.subscribe(changed.set)
    reader, writer = os.pipe()
    with manager._live._lock:
        child = os.fork()
        if child == 0:
            os.write(writer, b"ready")
            changed.wait(10)
            os.write(writer, manager.stage("parser").encode())
            os._exit(0)
    ready = os.read(reader, 5)
    replace(rules, ON)
    stage = os.read(reader, 10)
    os.waitpid(child, 0)
    manager.close()

    assert (b"ready", b"on") == (ready, stage)


def test_decisions_go_on_while_rules_are_swapped(rules):
    """Threads that decide during a thousand swaps only ever see whole snapshots."""
    manager = FlagManager.from_file(rules)
    done, seen = threading.Event(), set()

    def decide():
        handle = manager.bind("parser")
        while not done.is_set():
            seen.add((manager.decide("parser", unit="u").stage, handle("u")))

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        manager.block("parser")
        manager.unblock("parser")
    done.set()
    for thread in threads:
        thread.join()
    expected = manager.serve("parser", "u")

    assert seen <= {(stage, serve) for stage in ("canary", "blocked") for serve in (expected, "python")}
