"""Whether this process captures calls that differ."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from structlog.testing import capture_logs

from fast_litellm import events, settings
from fast_litellm.accel import capturing
from fast_litellm.errors import RuleError
from fast_litellm.shadow import sealing


@pytest.fixture
def ask(monkeypatch):
    """Asks for captured calls in the environment."""

    def of(capture="one, two", key=None, hours=1.0):
        until = datetime.now(timezone.utc) + timedelta(hours=hours)
        values = {"": capture, "_KEY": sealing.make_keys()[1] if key is None else key, "_UNTIL": until.isoformat()}
        for name, value in values.items():
            monkeypatch.setenv(f"FAST_LITELLM_CAPTURE{name}", value)

    return of


def test_without_being_asked_nothing_is_captured():
    """Which is the default."""
    assert capturing.captor(settings.read()) is None


def test_what_is_asked_for_is_told(ask):
    """An event names the features and the end."""
    ask()
    with capture_logs() as told:
        found = capturing.captor(settings.read())
    assert {"one", "two"} == found._terms.features
    assert [(events.CAPTURE_BEGUN, ["one", "two"])] == [(it["event"], it["features"]) for it in told]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"key": "no key"}, "FAST_LITELLM_CAPTURE_KEY: a key is 32 bytes in base64"),
        ({"key": ""}, "FAST_LITELLM_CAPTURE: expected FAST_LITELLM_CAPTURE_KEY and FAST_LITELLM_CAPTURE_UNTIL"),
        ({"hours": 24 * 8}, "at most a week ahead"),
    ],
)
def test_what_cannot_be_done_is_refused(ask, asked, message):
    """Before anything is installed."""
    ask(**asked)
    with pytest.raises(RuleError, match=message):
        capturing.captor(settings.read())


def test_a_time_needs_its_offset(ask, monkeypatch):
    """Eight o'clock is another moment elsewhere."""
    ask()
    monkeypatch.setenv("FAST_LITELLM_CAPTURE_UNTIL", "2026-12-01T08:00:00")
    with pytest.raises(RuleError, match="FAST_LITELLM_CAPTURE_UNTIL: expected a moment with its offset from UTC"):
        settings.read()
