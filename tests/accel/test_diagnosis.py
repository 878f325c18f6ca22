"""What doctor calls a problem."""

from __future__ import annotations

import pytest

import fast_litellm
from fast_litellm import events
from fast_litellm.accel import installation
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
