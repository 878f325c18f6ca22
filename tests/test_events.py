"""Every event, and where it goes."""

from __future__ import annotations

import logging

import structlog.testing

from fast_litellm import events


def test_names_are_unique_and_say_which_room():
    """An event is `room.what_happened`."""
    names = [value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)]

    assert len(set(names)) == len(names)
    assert {"settings", "flags", "accel", "shadow"} == {name.partition(".")[0] for name in names}


def test_without_configuration_events_go_to_the_standard_library(caplog, capsys):
    """A program that has not configured structlog sees them in its logging, and nothing on standard output."""
    with caplog.at_level(logging.INFO, logger="fast_litellm.flags"):
        events.logger("flags").info(events.RULES_LOADED, flags=3)

    assert ["event='flags.rules_loaded' flags=3"] == [record.getMessage() for record in caplog.records]
    assert "" == capsys.readouterr().out


def test_a_programs_own_processors_get_the_events():
    """Once structlog is configured, its processors render them, fields and all."""
    with structlog.testing.capture_logs() as logs:
        events.logger("shadow").warning(events.DIVERGENCE, kind="value")

    assert [("shadow.divergence", "value", "fast_litellm.shadow")] == [
        (entry["event"], entry["kind"], entry["logger"]) for entry in logs
    ]


def test_logging_that_raises_reaches_nobody():
    """Where a caller or an import would be hurt, an event that cannot be logged is counted instead."""

    def broken(*_arguments):
        raise OSError("no space left on device")

    before = events.lost["OSError"]
    structlog.configure(processors=[broken])
    events.tell("accel", "error", events.CANDIDATE_FAILED, feature="token_counting")

    assert before + 1 == events.lost["OSError"]


def test_an_event_that_the_logging_itself_causes_is_counted_and_not_logged(caplog):
    """A handler that calls a function with an event of its own would never come to an end."""
    before, seen = dict(events.lost), []

    class Echo(logging.Filter):
        def filter(self, record):
            seen.append(record)
            events.tell("accel", "error", events.CANDIDATE_FAILED)
            return True

    echo = Echo()
    caplog.handler.addFilter(echo)
    try:
        for _ in range(2):
            events.tell("accel", "error", events.SEAM_FAILED)
    finally:
        caplog.handler.removeFilter(echo)

    assert 2 == len(seen) == events.lost["nested"] - before.get("nested", 0)
