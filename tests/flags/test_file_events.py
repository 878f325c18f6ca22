"""When it is time to look at a file."""

from __future__ import annotations

import _thread
import threading
from pathlib import Path

import pytest

from fast_litellm.flags import file_events
from fast_litellm.flags.file_events import EVENTS, looks
from fast_litellm.flags.stopping import Stop


@pytest.fixture
def stopped():
    """An event that is set when the test ends."""
    event = Stop()
    yield event
    event.set()


@pytest.fixture
def slow(monkeypatch):
    """Looks every hundred seconds, so that only what the system tells can be the cause of one."""
    monkeypatch.setattr(file_events, "INTERVAL", 100.0)


def test_the_first_look_is_at_once(tmp_path, stopped, slow):
    """Listening has begun by then: what changes after it is told."""
    looking = looks(lambda: [str(tmp_path / "a")], stopped)
    first = next(looking)
    (tmp_path / "a").touch()

    assert [EVENTS, EVENTS] == [first, next(looking)]


def test_without_a_change_there_is_a_look_after_each_interval(tmp_path, stopped, monkeypatch):
    """What the system does not tell is seen all the same."""
    monkeypatch.setattr(file_events, "INTERVAL", 0.02)
    looking = looks(lambda: [str(tmp_path / "a")], stopped)

    assert [EVENTS] * 3 == [next(looking) for _ in range(3)]


def test_what_happens_to_other_files_of_a_directory_is_not_told(tmp_path, stopped, slow):
    """A log beside the file may be written all the time."""
    listener = file_events._listener([str(tmp_path / "a")])
    waiting = threading.Thread(target=lambda: [listener.wait(100.0, 0.0), listener.close()])
    (tmp_path / "log").write_text("a line")
    waiting.start()
    waiting.join(0.05)
    still = waiting.is_alive()
    (tmp_path / "a").touch()
    waiting.join(10)

    assert (True, False) == (still, waiting.is_alive())


def test_a_directory_that_is_put_back_is_listened_to_again(tmp_path, stopped, slow):
    """Its successor has the same name and is another one."""
    place = tmp_path / "place"
    place.mkdir()
    looking = looks(lambda: [str(place / "a"), str(tmp_path / "place")], stopped)
    next(looking)
    place.rename(tmp_path / "former")
    place.mkdir()
    again = next(looking)
    (place / "a").touch()

    assert [EVENTS, EVENTS] == [again, next(looking)]


def test_what_cannot_be_listened_to_is_polled_until_it_can(tmp_path, stopped, monkeypatch):
    """A missing directory is looked for, with the reason told, and listened to once it is there."""
    monkeypatch.setattr(file_events, "INTERVAL", 0.001)
    place = tmp_path / "place"
    looking = looks(lambda: [str(place / "a")], stopped)
    before = next(looking)
    place.mkdir()

    assert ("polling", True) == (before.name, before.reason.startswith("FileNotFoundError: "))
    assert EVENTS == next(looking)


@pytest.mark.parametrize("error", [OSError("no watches left"), RuntimeError("too many files"), UnicodeError("path")])
def test_a_library_that_refuses_means_polling(tmp_path, stopped, monkeypatch, error):
    """Limits of the system show as the reason, and stop nothing."""

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(file_events, "INTERVAL", 0.001)
    monkeypatch.setattr(file_events, "_listener", refuse)
    looking = looks(lambda: [str(tmp_path / "a")], stopped)
    way = ("polling", f"{type(error).__name__}: {error}")

    assert [way, way] == [next(looking), next(looking)]


def test_stopping_ends_the_waiting(tmp_path, slow):
    """Nobody waits for the interval to pass."""
    stopped = Stop()
    looking = looks(lambda: [str(tmp_path / "a")], stopped)
    next(looking)
    threading.Timer(0.01, stopped.set).start()

    assert [] == list(looking)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed on Linux alone")
def test_nothing_is_left_open(tmp_path):
    """When the looks end, so does the listening; the library closes its files a moment later."""

    def listen():
        stopped = Stop()
        looking = looks(lambda: [str(tmp_path / "a")], stopped)
        next(looking)
        stopped.set()
        return list(looking)

    before = len(list(Path("/proc/self/fd").iterdir()))

    assert [[]] * 100 == [listen() for _ in range(100)]
    assert before + 100 > len(list(Path("/proc/self/fd").iterdir()))


def test_where_threads_take_turns_nobody_waits_for_the_system(tmp_path, stopped, monkeypatch):
    """As under gevent and eventlet, whose only thread would stand still; a look every second finds what changes."""
    monkeypatch.setattr(file_events, "INTERVAL", 0.02)
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: None)
    looking = looks(lambda: [str(tmp_path / "a")], stopped)
    ways = [next(looking) for _ in range(3)]

    assert ["polling"] * 3 == [way.name for way in ways]
    assert "take turns" in ways[0].reason
