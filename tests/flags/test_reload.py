"""Every way in which a rule file comes to say something else, in a real directory under a manager that watches it."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest

from fast_litellm.flags import FlagManager, file_events

from .conftest import ON, TENTH

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30
"""How long a change may take before a test gives up; it is seen within milliseconds by events, a second by polling."""


class Watched:
    """A manager that watches, with a way to wait for what it says."""

    def __init__(self, path: Path) -> None:
        self.manager = FlagManager.from_file(path)
        self._changed = threading.Event()
        self.changes = 0
        self.manager.subscribe(self._count)
        self.manager.watch()

    def _count(self) -> None:
        self.changes += 1
        self._changed.set()

    @property
    def said(self) -> tuple[str, bool]:
        """The flag's stage, and whether the rules are stale."""
        status = self.manager.status()
        return status["flags"]["parser"]["stage"], status["stale"]

    def wait_until(self, said: tuple[str, bool]) -> tuple[str, bool]:
        """Waits from change to change until the manager says what is expected, and returns what it says."""
        while self.said != said and self._changed.wait(SECONDS):
            self._changed.clear()
        return self.said

    def wait_for_way(self, way: str) -> dict[str, Any]:
        """Asks until the manager says that it watches in a certain way, of which nobody is told."""
        deadline = time.monotonic() + SECONDS
        while self.manager.status()["watching"] != way and time.monotonic() < deadline:
            time.sleep(0)  # lets the watcher's thread run
        return self.manager.status()


@pytest.fixture
def watched():
    """Watches a file until the test ends."""
    made = []

    def watch(path: Path) -> Watched:
        made.append(Watched(path))
        return made[-1]

    yield watch
    for each in made:
        each.manager.close()


@pytest.fixture(params=["events", "polling"])
def heard(request, monkeypatch):
    """By events alone, and by polling alone: neither hides that the other one failed."""
    if request.param == "events":
        monkeypatch.setattr(file_events, "INTERVAL", 1000.0)
    else:
        monkeypatch.setattr(file_events, "INTERVAL", 0.01)
        monkeypatch.setattr(file_events, "_listener", _no_watches_left)
    return request.param


def _no_watches_left(*_: object, **__: object) -> None:
    raise OSError("no space left on device")


def _rename(path: Path, text: str) -> None:
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    fresh.replace(path)


def _in_place(path: Path, text: str) -> None:
    path.write_text(text)


def _older(path: Path, text: str) -> None:
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    os.utime(fresh, (1_000_000_000, 1_000_000_000))
    fresh.replace(path)


def _same_size_and_time(path: Path, text: str) -> None:
    before = path.stat()
    fresh = path.with_name("fresh")
    fresh.write_text(text.ljust(before.st_size))
    os.utime(fresh, ns=(before.st_atime_ns, before.st_mtime_ns))
    fresh.replace(path)
    after = path.stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert before.st_ino != after.st_ino


def _directory_put_back(path: Path, text: str) -> None:
    path.parent.rename(path.parent.with_name("former"))
    path.parent.mkdir()
    path.write_text(text)


@pytest.mark.parametrize("change", [_rename, _in_place, _older, _same_size_and_time, _directory_put_back])
def test_a_changed_file_is_taken(tmp_path, watched, heard, change: Callable[[Path, str], None], monkeypatch):
    """Whatever tells the states apart, and whichever way the change is noticed."""
    path = tmp_path / "place" / "rollout.yaml"
    path.parent.mkdir()
    path.write_text(TENTH)
    if change is _directory_put_back and heard == "events":
        monkeypatch.setattr(file_events, "INTERVAL", 1.0)  # nothing tells of a directory that is not there
    follower = watched(path)
    change(path, ON)

    assert ("on", False) == follower.wait_until(("on", False))
    assert follower.changes


def test_a_swapped_config_map_is_taken(tmp_path, watched, heard):
    """The file is a link through a link to a directory; that second link is renamed, twice, and the old one removed."""
    generations = [tmp_path / f"..{number}" for number in range(3)]
    for place, text in zip(generations, [TENTH, ON, TENTH]):
        place.mkdir()
        (place / "rollout.yaml").write_text(text)
    (tmp_path / "..data").symlink_to(generations[0].name)
    path = tmp_path / "rollout.yaml"
    path.symlink_to("..data/rollout.yaml")
    follower = watched(path)
    said = []
    for place, expected in [(generations[1], "on"), (generations[2], "canary")]:
        (tmp_path / "..data_tmp").symlink_to(place.name)
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        said.append(follower.wait_until((expected, False)))

    assert [("on", False), ("canary", False)] == said


def test_a_half_written_file_is_stale_until_it_is_whole(rules, watched, heard):
    """The first half keeps the old rules and names its mistake; the second half is taken."""
    follower = watched(rules)
    half = ON.index("rust")
    with rules.open("w") as file:
        file.write(ON[:half] + "[")
        file.flush()
        during = follower.wait_until(("canary", True))
        decision = follower.manager.decide("parser", unit="u")
        problems = follower.manager.status()["problems"]
        file.seek(half)
        file.write(ON[half:])

    assert ("canary", True) == during
    assert "STALE" == decision.reason
    assert re.match(re.escape(str(rules)) + r":[1-9]\d*:[1-9]\d*: ", problems[0])
    assert ("on", False) == follower.wait_until(("on", False))


def test_a_vanished_file_keeps_its_rules_and_its_return_is_seen(rules, watched, heard):
    """No file is no reason to serve anything else."""
    follower = watched(rules)
    rules.unlink()
    gone = follower.wait_until(("canary", True))
    rules.write_text(ON)

    assert ("canary", True) == gone
    assert ("on", False) == follower.wait_until(("on", False))


def test_a_vanished_directory_keeps_the_rules_and_shows_as_polling(tmp_path, watched):
    """There is nothing to listen to until it is back."""
    path = tmp_path / "place" / "rollout.yaml"
    path.parent.mkdir()
    path.write_text(TENTH)
    follower = watched(path)
    path.parent.rename(tmp_path / "former")
    gone, status = follower.wait_until(("canary", True)), follower.wait_for_way("polling")
    (tmp_path / "former" / "rollout.yaml").write_text(ON)
    (tmp_path / "former").rename(path.parent)

    assert ("canary", True) == gone
    assert ("polling", True) == (status["watching"], status["watching_reason"].startswith("FileNotFoundError: "))
    assert ("on", False) == follower.wait_until(("on", False))


def test_a_file_that_may_not_be_read_keeps_its_rules(rules, watched, heard, monkeypatch):
    """Its permissions are the problem that is told; when they are given back, so are the rules."""
    if os.geteuid() == 0:
        monkeypatch.setattr("fast_litellm.flags.sources.open", _as_anyone_else, raising=False)
    follower = watched(rules)
    rules.chmod(0)
    denied, problems = follower.wait_until(("canary", True)), follower.manager.status()["problems"]
    rules.chmod(0o644)
    rules.write_text(ON)

    assert ("canary", True) == denied
    assert "Permission denied" in problems[0]
    assert ("on", False) == follower.wait_until(("on", False))


def _as_anyone_else(path: str, mode: str) -> object:
    """Opens a file as an account does that permissions bind: to the administrator everything is readable."""
    if not os.stat(path).st_mode & 0o444:  # noqa: PTH116
        raise PermissionError(13, "Permission denied", path)
    return open(path, mode)  # noqa: PTH123


def test_status_says_how_the_file_is_watched(rules, watched, heard):
    """By events, or by polling with the reason; a change proves that the thread has looked."""
    follower = watched(rules)
    rules.write_text(ON)
    follower.wait_until(("on", False))
    status = follower.manager.status()
    reason = None if heard == "events" else "OSError: no space left on device"

    assert (heard, reason) == (status["watching"], status["watching_reason"])


def test_a_file_that_is_put_in_place_unchanged_changes_nothing(rules, watched, heard):
    """Noise in the directory is heard and found to be nothing; the change after it is the first one."""
    follower = watched(rules)
    for number in range(10):
        rules.with_name(f"other-{number}").write_text(ON)
    rules.write_text(ON)

    assert ("on", False) == follower.wait_until(("on", False))
    assert [] == follower.manager.status()["problems"]


def test_decisions_are_taken_while_a_slow_file_is_read(rules, watched, monkeypatch):
    """A disk that does not answer holds up the watcher's thread and nobody else."""
    reading, go_on = threading.Event(), threading.Event()
    follower = watched(rules)
    load = follower.manager._live.source.load

    def hang():
        reading.set()
        go_on.wait(SECONDS)
        return load()

    monkeypatch.setattr(follower.manager._live.source, "load", hang)
    rules.write_text(ON)
    reading.wait(SECONDS)
    stages = {follower.manager.decide("parser", unit=str(number)).stage for number in range(1000)}
    follower.manager.block("parser")
    blocked = follower.manager.serve("parser")
    go_on.set()

    assert ({"canary"}, "python") == (stages, blocked)
