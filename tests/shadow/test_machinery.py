"""The hook for everything that fails inside."""

from __future__ import annotations

from fast_litellm import events
from fast_litellm.shadow import machinery


def test_the_first_of_a_kind_is_logged_and_all_are_counted(log):
    """An operation that keeps failing is logged once, by class name only."""
    for _ in range(3):
        machinery.failed("prepare", ValueError("secret"))
    machinery.failed("prepare", KeyError("secret"))
    logged = [(entry["event"], entry["operation"], entry["exception_class"]) for entry in log]
    failed = events.MACHINERY_FAILED
    assert [(failed, "prepare", "ValueError"), (failed, "prepare", "KeyError")] == logged
    assert {"prepare: KeyError": 1, "prepare: ValueError": 3} == machinery.failures()
    assert "secret" not in repr(log)


def test_the_number_of_kinds_is_bounded():
    """A program that raises ever different classes fills no memory."""
    for number in range(1000):
        machinery.failed("compare", type(f"Error{number}", (Exception,), {})())
    assert len(machinery.failures()) <= 257
    assert 1000 == sum(machinery.failures().values())


def test_a_logger_that_raises_is_counted_and_no_more(monkeypatch):
    """When not even the log works, nothing is raised."""

    def broken(_name):
        raise SystemExit

    monkeypatch.setattr(events, "logger", broken)
    machinery.failed("prepare", ValueError())
    assert {"log: SystemExit": 1, "prepare: ValueError": 1} == machinery.failures()


def test_a_thread_that_cannot_start_is_counted_unless_the_process_ends(log):
    """At exit it is as it should be."""
    machinery.not_started("start_writer", RuntimeError("can't create new thread at interpreter shutdown"))
    assert ([], {}) == (log, machinery.failures())
    machinery.not_started("start_writer", RuntimeError("can't start new thread"))
    assert {"start_writer: RuntimeError": 1} == machinery.failures()
