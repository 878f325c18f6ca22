"""Keeping the events of a demo."""

from __future__ import annotations

import structlog

from fast_litellm import events
from fast_litellm.cli.demo import logbook


def test_events_are_kept_and_not_printed(capsys):
    """They would tear the progress bar apart."""
    with logbook.keeping() as pages:
        events.logger("shadow").warning(events.DIVERGENCE, kind="value")
        events.logger("shadow").error(events.FEATURE_BLOCKED, feature="token_counting")
        events.logger("flags").info(events.RULES_LOADED, flags=1)
    said = capsys.readouterr()

    assert ["value"] == [event["kind"] for event in pages.divergences]
    assert ["token_counting"] == [event["feature"] for event in pages.blocked]
    assert (said.out, said.err) == ("", "")


def test_the_configuration_is_put_back():
    """Whatever the program had configured is in force again afterwards."""
    before = structlog.get_config()

    with logbook.keeping():
        pass

    assert before == structlog.get_config()
